//! The metrics of notes.

use api::prelude::Metrics;
use prometheus_client::metrics::counter::Counter;

/// Shared by the handlers, which take it as `Data<NoteMetrics>`.
pub(super) struct NoteMetrics {
    pub(super) created: Counter,
}

impl NoteMetrics {
    pub(super) fn registered(metrics: &Metrics) -> Self {
        let created = Counter::default();
        metrics.register("notes_created", "Notes that were written", created.clone());
        Self { created }
    }
}
