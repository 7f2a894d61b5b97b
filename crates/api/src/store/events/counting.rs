//! Whose metrics count the events that a thread inserts: those of the store whose work the thread does.

use super::metrics::EventMetrics;
use auth_types::EventKind;
use std::cell::RefCell;

thread_local! {
    static OWN: RefCell<Option<EventMetrics>> = const { RefCell::new(None) };
}

/// From now on `metrics` count what this thread inserts.
pub(in crate::store) fn count_for(metrics: EventMetrics) {
    OWN.set(Some(metrics));
}

/// A transaction that is rolled back later has counted, too. What a command inserts is not counted.
pub(super) fn count(kind: EventKind, inserted: usize) {
    OWN.with_borrow(|metrics| {
        if let Some(metrics) = metrics {
            metrics.count(kind, inserted);
        }
    });
}
