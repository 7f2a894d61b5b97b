//! Whether this process can do its work.

use super::Services;
use super::revocation::FEED_STALE_SECONDS;
use crate::store::connection::database_time;
use crate::store::state;
use chrono::Duration;
use std::collections::BTreeMap;

/// How far this process's clock and the database's may differ, seconds.
pub const CLOCK_TOLERANCE_SECONDS: i64 = 5;

/// Check → what is wrong, or `None`.
pub type Checks = BTreeMap<&'static str, Option<String>>;

/// Checks everything that a request depends on. It only reads: a start may be migrating at this moment.
pub async fn check(services: &Services) -> Checks {
    let mut checks = Checks::new();
    let answer = services.store.run(|connection| {
        let database_now = database_time(connection)?;
        Ok((database_now, !state::missing(connection)?.is_empty()))
    });
    match answer.await {
        Ok((database_now, pending)) => {
            let skew = (services.now() - database_now).num_seconds().abs();
            let skewed = skew > CLOCK_TOLERANCE_SECONDS;
            checks.insert("database", None);
            checks.insert("clock", skewed.then(|| format!("differs from the database's by {skew} s")));
            checks.insert("migrations", pending.then(|| "pending: run `api migrate`".to_owned()));
        }
        Err(_) => {
            checks.insert("database", Some("does not answer".to_owned()));
        }
    }
    let limit = Duration::seconds(FEED_STALE_SECONDS);
    let fresh = services.feed.polled_at().is_some_and(|at| services.now() - at <= limit);
    checks.insert("revocation_feed", (!fresh).then(|| format!("older than {FEED_STALE_SECONDS} s")));
    checks
}
