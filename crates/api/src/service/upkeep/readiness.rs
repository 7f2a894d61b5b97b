//! Whether this process is ready.

use super::readiness_cache::{Checks, KnownReadiness};
use crate::clock::Stopwatch;
use crate::service::Services;
use crate::service::sessions::revocation_poll::FEED_STALE_SECONDS;
use crate::store::applied_migrations;
use chrono::Duration;
use std::sync::Arc;

/// Checks everything that a request depends on. It only reads: a start may be migrating at this moment.
pub async fn check(services: &Services) -> Checks {
    let waited = Stopwatch::start();
    let mut known = services.readiness.known.lock().await;
    let fresh = known.as_ref().filter(|known| known.is_fresh(services.now(), waited.elapsed()));
    let mut checks = if let Some(fresh) = fresh {
        fresh.database.clone()
    } else {
        let database = check_database(services).await;
        *known = Some(KnownReadiness { age: Stopwatch::start(), at: services.now(), database: database.clone() });
        database
    };
    drop(known);
    if services.store.has_lost_file() {
        checks.insert(
            "database",
            Some(
                "its file, its log or the log's index was deleted, replaced or cut short: restart the process"
                    .to_owned(),
            ),
        );
    }
    checks.insert("clock", services.clock.check().err().map(|wrong| wrong.to_string()));
    let limit = Duration::seconds(FEED_STALE_SECONDS);
    let fresh = services.feed.polled_at().is_some_and(|at| (services.shared_now().get() - at.get()).abs() <= limit);
    checks.insert("revocation_feed", (!fresh).then(|| format!("older than {FEED_STALE_SECONDS} s")));
    checks
}

async fn check_database(services: &Services) -> Checks {
    let schema = Arc::clone(&services.schema);
    let check = services.store.run(move |connection| {
        Ok((connection.accepts_writes()?, !applied_migrations::missing(connection, &schema.migrations)?.is_empty()))
    });
    let response = check.await;
    let (accepts_writes, pending) = match (services.store.accepts_writes(), response) {
        (accepts_writes, Ok((server_accepts_writes, pending))) => (accepts_writes && server_accepts_writes, pending),
        (false, Err(_)) => (false, false), // SQLite cannot read some of the files that it cannot write
        (true, Err(_)) => return Checks::from([("database", Some("does not respond".to_owned()))]),
    };
    Checks::from([
        ("database", (!accepts_writes).then(|| "takes no writes".to_owned())),
        ("migrations", pending.then(|| "pending: run `api migrate`".to_owned())),
    ])
}
