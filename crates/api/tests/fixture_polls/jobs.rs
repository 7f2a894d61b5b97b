//! The periodic job.

use super::store;
use actix_web::web::Data;
use api::prelude::{Metrics, Services, StoreError};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

/// Constants of the program, never what a client sends.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabel {
    state: &'static str,
}

/// Shared by the job and the registry: clones are one metric.
#[derive(Clone, Default)]
pub(super) struct FixturePollMetrics {
    stored: Family<StateLabel, Gauge>,
}

impl FixturePollMetrics {
    pub(super) fn register(&self, metrics: &Metrics) {
        metrics.register(
            "fixture_polls_stored",
            "Polls that are stored, by state, as counted last",
            self.stored.clone(),
        );
    }

    pub(super) async fn count(self, services: Data<Services>) -> Result<(), StoreError> {
        let counts = services.store.run(store::count_by_state).await?;
        // A state without polls is 0.
        for (is_open, polls) in counts {
            self.stored.get_or_create(&StateLabel { state: if is_open { "open" } else { "closed" } }).set(polls);
        }
        let polls: i64 = counts.iter().map(|(_, polls)| polls).sum();
        log::info!("fixture_polls.counted: {polls} polls");
        Ok(())
    }
}
