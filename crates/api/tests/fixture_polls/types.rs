//! Requests and responses.

use chrono::{DateTime, NaiveTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A field of every kind.
#[derive(Deserialize, ToSchema)]
pub(super) struct FixturePollRequest {
    /// A question that was not asked before, in upper or lower case.
    #[schema(max_length = 200, extensions(("x-unique" = json!(true))))]
    pub(super) question: String,
    pub(super) choices: Vec<String>,
    pub(super) most: u8,
    /// Between 0 and 1.
    #[schema(example = 0.5)]
    pub(super) quorum: f64,
    pub(super) is_open: bool,
    pub(super) kind: FixturePollKind,
    pub(super) note: Option<String>,
    pub(super) closing: Option<FixturePollClosing>,
    pub(super) colours: BTreeMap<String, i64>,
    #[schema(format = "time")]
    pub(super) opens_at: NaiveTime,
    /// Made by the client: a request that is repeated with it returns the poll that the first one has made.
    #[schema(extensions(("x-unique" = json!(true))))]
    pub(super) request_id: Option<Uuid>,
}

/// A change of the version that the caller has seen.
#[derive(Deserialize, ToSchema)]
pub(super) struct FixturePollChange {
    #[schema(max_length = 200, extensions(("x-unique" = json!(true))))]
    pub(super) question: String,
    pub(super) version: i64,
}

#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum FixturePollKind {
    Secret,
    ByName,
}

impl FixturePollKind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::ByName => "by_name",
        }
    }
}

#[derive(Deserialize, ToSchema)]
pub(super) struct FixturePollClosing {
    pub(super) after_days: i32,
    pub(super) farewell: String,
}

/// A parameter that a request cannot do without.
#[derive(Deserialize, IntoParams)]
pub(super) struct FixturePollsSince {
    pub(super) since: DateTime<Utc>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct FixturePoll {
    pub(super) id: i64,
    pub(super) question: String,
    pub(super) version: i64,
}

/// The polls that an administrator removes.
#[derive(Deserialize, ToSchema)]
pub(super) struct FixturePollRemoval {
    #[schema(extensions(("x-refers-to" = json!("/api/fixture-polls/"))))]
    pub(super) ids: Vec<i64>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct FixturePollCount {
    pub(super) polls: i64,
}
