//! Whether this process can do its work.

use super::Services;
use super::revocation::FEED_STALE_SECONDS;
use crate::clock::Stopwatch;
use crate::store::connection::database_time;
use crate::store::state;
use chrono::{DateTime, Duration, Utc};
use std::collections::BTreeMap;
use tokio::sync::Mutex;

/// How far this process's clock and the database's may differ, seconds.
pub const CLOCK_TOLERANCE_SECONDS: i64 = 5;

/// How long what the database said may be repeated.
const FRESH: std::time::Duration = std::time::Duration::from_secs(1);

/// Check → what is wrong, or `None`.
pub type Checks = BTreeMap<&'static str, Option<String>>;

/// What the database said last. Anybody may ask whether the process is ready, so the database is asked once a second at
/// most, by one request while the others wait for it.
#[derive(Debug, Default)]
pub struct Readiness {
    known: Mutex<Option<Known>>,
}

#[derive(Debug)]
struct Known {
    age: Stopwatch,
    at: DateTime<Utc>,
    database: Checks,
}

impl Known {
    /// Whether it may be repeated to a request that has waited so long. A failure may only when it was found meanwhile, so
    /// that a recovery shows at once. By both clocks, because the one that tells the time may be set.
    fn is_fresh(&self, now: DateTime<Utc>, waited: std::time::Duration) -> bool {
        let (age, works) = (self.age.elapsed(), self.database.values().all(Option::is_none));
        age <= waited || works && age < FRESH && (now - self.at).abs().to_std().is_ok_and(|age| age < FRESH)
    }
}

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
        checks.insert("database", Some("its file was deleted or replaced: restart the process".to_owned()));
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
