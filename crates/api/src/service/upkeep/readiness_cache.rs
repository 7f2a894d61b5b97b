//! The last result of the database's readiness check, and for how long it is valid.

use crate::clock::Stopwatch;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use tokio::sync::Mutex;

/// How long the result may be reused.
const FRESH: std::time::Duration = std::time::Duration::from_secs(1);

/// Each check with its problem, or `None`.
pub type Checks = BTreeMap<&'static str, Option<String>>;

/// The last result. Anyone may poll the readiness, so the database is queried at most once a second, by one request while the
/// others wait for it.
#[derive(Debug, Default)]
pub struct ReadinessCache {
    pub(in crate::service) known: Mutex<Option<KnownReadiness>>,
}

#[derive(Debug)]
pub(in crate::service) struct KnownReadiness {
    pub(in crate::service) age: Stopwatch,
    pub(in crate::service) at: DateTime<Utc>,
    pub(in crate::service) database: Checks,
}

impl KnownReadiness {
    /// Whether it may be reused for a request that has waited for `waited`. A failure may only if it was found during that wait,
    /// so that a recovery shows at once. Both clocks are checked, because the wall clock may be set.
    pub(in crate::service) fn is_fresh(&self, now: DateTime<Utc>, waited: std::time::Duration) -> bool {
        let age = self.age.elapsed();
        let works = self.database.values().all(Option::is_none);
        age <= waited || works && age < FRESH && (now - self.at).abs().to_std().is_ok_and(|age| age < FRESH)
    }
}
