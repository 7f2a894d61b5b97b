//! The notes feature: short texts of a user. A small and complete example.

mod endpoints;
mod handlers;
mod metrics;
mod rules;
mod store;

use api::prelude::{Feature, Table, migrations};
use metrics::NoteMetrics;

/// The feature, for `App::feature`.
pub(crate) fn feature() -> Feature {
    Feature::new("notes")
        .migrations(migrations!["0001_create_notes"])
        .tables([Table::personal("notes", store::notes::table, store::notes::user_id)])
        .endpoints(endpoints::endpoints)
        .state(|services| NoteMetrics::registered(&services.metrics))
}
