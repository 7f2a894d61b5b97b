//! Requests and responses.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// A field of every kind.
#[derive(Deserialize, ToSchema)]
pub(super) struct PollRequest {
    /// A question that was not asked before.
    #[schema(max_length = 200, extensions(("x-unique" = json!(true))))]
    pub(super) question: String,
    pub(super) choices: Vec<String>,
    pub(super) most: u8,
    /// Between 0 and 1.
    #[schema(example = 0.5)]
    pub(super) quorum: f64,
    pub(super) is_open: bool,
    pub(super) kind: PollKind,
    pub(super) note: Option<String>,
    pub(super) closing: Option<Closing>,
    pub(super) colours: BTreeMap<String, i64>,
}

#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum PollKind {
    Secret,
    ByName,
}

impl PollKind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::ByName => "by_name",
        }
    }
}

#[derive(Deserialize, ToSchema)]
pub(super) struct Closing {
    pub(super) after_days: i32,
    pub(super) farewell: String,
}

/// A parameter that a request cannot do without.
#[derive(Deserialize, IntoParams)]
pub(super) struct PollsSince {
    pub(super) since: DateTime<Utc>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Poll {
    pub(super) id: i64,
    pub(super) question: String,
}

/// The polls that an administrator removes.
#[derive(Deserialize, ToSchema)]
pub(super) struct PollRemoval {
    #[schema(extensions(("x-refers-to" = json!("/api/polls/"))))]
    pub(super) ids: Vec<i64>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct PollCount {
    pub(super) polls: i64,
}
