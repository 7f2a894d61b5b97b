//! Polls: a feature for the tests that declares everything a feature can. The tests that cover every route and every table
//! cover its own, too.

mod closed_mail;
mod endpoints;
mod handlers;
mod jobs;
mod rules;
mod store;
mod types;

use api::prelude::{Feature, Table, migrations};
use jobs::FixturePollMetrics;
use std::time::Duration;

/// The feature, for `App::feature`.
pub(crate) fn feature() -> Feature {
    let metrics = FixturePollMetrics::default();
    let counts = metrics.clone();
    Feature::new("fixture_polls")
        .migrations(migrations!["0001_create_fixture_polls"])
        .tables([
            Table::personal("fixture_polls", store::fixture_polls::table, store::fixture_polls::user_id),
            Table::dependent("fixture_poll_choices", store::fixture_poll_choices::table, store::export_choices),
        ])
        .endpoints(endpoints::endpoints)
        .mail(&closed_mail::MAIL)
        .state(move |services| metrics.register(&services.metrics))
        .job("fixture_polls.count", Duration::from_mins(1), move |services| counts.clone().count(services))
}
