//! Polls: a feature of the tests, which declares whatever a feature can. The tests that look at every route and every table look
//! at it, too.

mod endpoints;
mod handlers;
mod rules;
mod store;
mod types;

use api::prelude::{Feature, Table, migrations};

/// The feature, for `App::feature`.
pub(crate) fn feature() -> Feature {
    Feature::new("polls")
        .migrations(migrations!["0001_create_polls"])
        .tables([
            Table::personal("polls", store::polls::table, store::polls::user_id),
            Table::dependent("poll_choices", store::poll_choices::table, store::export_choices),
        ])
        .endpoints(endpoints::endpoints)
}
