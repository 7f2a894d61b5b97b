//! What the database said last of itself, and for how long it holds.

use crate::clock::Stopwatch;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use tokio::sync::Mutex;

/// How long what the database said may be repeated.
const FRESH: std::time::Duration = std::time::Duration::from_secs(1);

/// Check → what is wrong, or `None`.
pub type Checks = BTreeMap<&'static str, Option<String>>;

/// What the database said last. Anybody may ask whether the process is ready, so the database is asked once a second at
/// most, by one request while the others wait for it.
#[derive(Debug, Default)]
pub struct Readiness {
    pub(in crate::service) known: Mutex<Option<KnownReadiness>>,
}

#[derive(Debug)]
pub(in crate::service) struct KnownReadiness {
    pub(in crate::service) age: Stopwatch,
    pub(in crate::service) at: DateTime<Utc>,
    pub(in crate::service) database: Checks,
}

impl KnownReadiness {
    /// Whether it may be repeated to a request that has waited so long. A failure may only when it was found meanwhile, so
    /// that a recovery shows at once. By both clocks, because the one that tells the time may be set.
    pub(in crate::service) fn is_fresh(&self, now: DateTime<Utc>, waited: std::time::Duration) -> bool {
        let (age, works) = (self.age.elapsed(), self.database.values().all(Option::is_none));
        age <= waited || works && age < FRESH && (now - self.at).abs().to_std().is_ok_and(|age| age < FRESH)
    }
}
