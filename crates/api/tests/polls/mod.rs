//! Polls: a feature for the tests that declares everything a feature can. The tests that cover every route and every table
//! cover its own, too.

mod endpoints;
mod handlers;
mod jobs;
mod rules;
mod store;
mod types;

use api::prelude::{Feature, Table, migrations};
use jobs::PollMetrics;
use std::time::Duration;

/// The feature, for `App::feature`.
pub(crate) fn feature() -> Feature {
    let metrics = PollMetrics::default();
    let counts = metrics.clone();
    Feature::new("polls")
        .migrations(migrations!["0001_create_polls"])
        .tables([
            Table::personal("polls", store::polls::table, store::polls::user_id),
            Table::dependent("poll_choices", store::poll_choices::table, store::export_choices),
        ])
        .endpoints(endpoints::endpoints)
        .state(move |services| metrics.register(&services.metrics))
        .job("polls.count", Duration::from_mins(1), move |services| counts.clone().count(services))
}
