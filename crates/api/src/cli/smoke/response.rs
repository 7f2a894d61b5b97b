//! Responses, and the results of checks.

use auth_types::{ProblemBody, Reason};
use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;
use std::net::SocketAddr;

/// What a check observed, in a few words for people; it never contains a token or a password.
pub(super) type CheckResult = Result<String, CheckFailure>;

/// Why a check did not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CheckFailure {
    /// The deployment is not as it should be.
    Failed(String),
    /// The check could not be made, or does not apply.
    Skipped(String),
}

impl CheckFailure {
    pub(super) fn failed(what: impl Into<String>) -> Self {
        Self::Failed(what.into())
    }

    /// Adds the account that it is about.
    pub(super) fn about(self, whom: &str) -> Self {
        match self {
            Self::Failed(what) => Self::Failed(format!("{whom}: {what}")),
            Self::Skipped(why) => Self::Skipped(why),
        }
    }

    pub(super) fn skipped(why: impl Into<String>) -> Self {
        Self::Skipped(why.into())
    }
}

/// Passes with what was observed, or fails with everything that is wrong.
pub(super) fn unless_any(wrong: &[String], seen: impl Into<String>) -> CheckResult {
    if wrong.is_empty() { Ok(seen.into()) } else { Err(CheckFailure::Failed(wrong.join("; "))) }
}

/// A whole response.
#[derive(Debug, Clone)]
pub(super) struct SmokeResponse {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// The server's address.
    pub(super) peer: Option<SocketAddr>,
}

impl SmokeResponse {
    /// A header as text: its lines joined by commas, or empty.
    pub(super) fn header(&self, name: &str) -> String {
        let lines: Vec<_> = self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
        lines.join(", ")
    }

    /// Whether a list header has this item, ignoring case.
    pub(super) fn lists(&self, header: &str, item: &str) -> bool {
        self.header(header).split(',').any(|listed| listed.trim().eq_ignore_ascii_case(item))
    }

    pub(super) fn is_type(&self, media_type: &str) -> bool {
        self.header("content-type").split(';').next().is_some_and(|found| found.trim() == media_type)
    }

    /// The problem details of the body, if any.
    pub(super) fn problem(&self) -> Option<ProblemBody> {
        serde_json::from_slice(&self.body).ok().filter(|_| self.is_type("application/problem+json"))
    }

    /// The status, and the reason or the content type.
    pub(super) fn summary(&self) -> String {
        match (self.problem(), self.header("content-type")) {
            (Some(problem), _) => format!("{} {}", self.status, word(problem.reason)),
            (None, kind) if kind.is_empty() => self.status.to_string(),
            (None, kind) => format!("{} {kind}", self.status),
        }
    }

    /// The response, if it has this status.
    pub(super) fn with_status(self, status: u16) -> Result<Self, CheckFailure> {
        if self.status == status {
            Ok(self)
        } else {
            Err(CheckFailure::Failed(format!("{}, not {status}", self.summary())))
        }
    }

    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, CheckFailure> {
        serde_json::from_slice(&self.body)
            .map_err(|_| CheckFailure::Failed(format!("{}, not what this API says", self.summary())))
    }

    /// The problem details, if it is this refusal.
    pub(super) fn refused(&self, status: u16, reason: Reason) -> Result<ProblemBody, CheckFailure> {
        let expected = |problem: &ProblemBody| self.status == status && problem.reason == reason;
        let wrong = || CheckFailure::Failed(format!("{}, not {status} {}", self.summary(), word(reason)));
        self.problem().filter(expected).ok_or_else(wrong)
    }
}

/// A reason as it is written in JSON.
fn word(reason: Reason) -> String {
    serde_json::to_value(reason).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
