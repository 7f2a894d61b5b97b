//! The metrics that count the events inserted by a thread: those of the store that the thread works for.

use super::metrics::EventMetrics;
use auth_types::EventKind;
use std::cell::RefCell;

thread_local! {
    static THREAD_METRICS: RefCell<Option<EventMetrics>> = const { RefCell::new(None) };
}

/// Makes `metrics` count the events that this thread inserts from now on.
pub(in crate::store) fn count_for(metrics: EventMetrics) {
    THREAD_METRICS.set(Some(metrics));
}

/// Events of a transaction that is rolled back later are counted, too. Events that a command inserts are not.
pub(super) fn count(kind: EventKind, inserted: usize) {
    THREAD_METRICS.with_borrow(|metrics| {
        if let Some(metrics) = metrics {
            metrics.count(kind, inserted);
        }
    });
}
