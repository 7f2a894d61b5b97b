//! Whether this process can do its work.

use super::readiness_cache::{Checks, Known};
use crate::clock::Stopwatch;
use crate::service::Services;
use crate::service::sessions::revocation::FEED_STALE_SECONDS;
use crate::store::connection::database_time;
use crate::store::state;
use chrono::Duration;

/// How far this process's clock and the database's may differ, seconds.
pub const CLOCK_TOLERANCE_SECONDS: i64 = 5;

/// Checks everything that a request depends on. It only reads: a start may be migrating at this moment.
pub async fn check(services: &Services) -> Checks {
    let waited = Stopwatch::start();
    let mut known = services.readiness.known.lock().await;
    let fresh = known.as_ref().filter(|known| known.is_fresh(services.now(), waited.elapsed()));
    let mut checks = if let Some(fresh) = fresh {
        fresh.database.clone()
    } else {
        let database = ask_database(services).await;
        *known = Some(Known { age: Stopwatch::start(), at: services.now(), database: database.clone() });
        database
    };
    drop(known);
    if services.store.has_lost_file() {
        checks.insert(
            "database",
            Some("its file or its log was deleted, replaced or cut short: restart the process".to_owned()),
        );
    }
    let limit = Duration::seconds(FEED_STALE_SECONDS);
    let fresh = services.feed.polled_at().is_some_and(|at| (services.now() - at).abs() <= limit);
    checks.insert("revocation_feed", (!fresh).then(|| format!("older than {FEED_STALE_SECONDS} s")));
    checks
}

async fn ask_database(services: &Services) -> Checks {
    let answer = services.store.run(|connection| {
        let database_now = database_time(connection)?;
        Ok((database_now, !state::missing(connection)?.is_empty()))
    });
    let Ok((database_now, pending)) = answer.await else {
        return Checks::from([("database", Some("does not answer".to_owned()))]);
    };
    let skew = (services.now() - database_now).num_seconds().abs();
    let skewed = skew > CLOCK_TOLERANCE_SECONDS;
    Checks::from([
        ("database", None),
        ("clock", skewed.then(|| format!("differs from the database's by {skew} s"))),
        ("migrations", pending.then(|| "pending: run `api migrate`".to_owned())),
    ])
}
