//! The periodic job.

use super::store;
use actix_web::web::Data;
use api::prelude::{Metrics, Services, StoreError};
use prometheus_client::metrics::gauge::Gauge;

/// Shared by the job and the registry: clones are one gauge.
#[derive(Clone, Default)]
pub(super) struct FixturePollMetrics {
    stored: Gauge,
}

impl FixturePollMetrics {
    pub(super) fn register(&self, metrics: &Metrics) {
        metrics.register("fixture_polls_stored", "Polls that are stored, as counted last", self.stored.clone());
    }

    pub(super) async fn count(self, services: Data<Services>) -> Result<(), StoreError> {
        let polls = services.store.run(store::count).await?;
        self.stored.set(polls);
        log::info!("fixture_polls.counted: {polls} polls");
        Ok(())
    }
}
