//! What came back, and what a check makes of it.

use auth_types::{ProblemBody, Reason};
use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;
use std::net::SocketAddr;

/// What a check saw, in a few words for people; it never holds a token or a password.
pub(super) type CheckResult = Result<String, CheckFailure>;

/// Why a check did not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CheckFailure {
    /// It is not as it should be.
    Failed(String),
    /// It could not be told, or does not apply.
    Skipped(String),
}

impl CheckFailure {
    pub(super) fn failed(what: impl Into<String>) -> Self {
        Self::Failed(what.into())
    }

    /// The same, and whom it is about.
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

/// Passes with what was seen, or fails with all that is wrong.
pub(super) fn unless_any(wrong: &[String], seen: impl Into<String>) -> CheckResult {
    if wrong.is_empty() { Ok(seen.into()) } else { Err(CheckFailure::Failed(wrong.join("; "))) }
}

/// A whole answer.
#[derive(Debug, Clone)]
pub(super) struct SmokeResponse {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// Who sent it.
    pub(super) peer: Option<SocketAddr>,
}

impl SmokeResponse {
    /// A header as a text; all its lines, if there are several, and empty if there is none.
    pub(super) fn header(&self, name: &str) -> String {
        let lines: Vec<_> = self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
        lines.join(", ")
    }

    /// Whether a header that is a list has this item, in any case.
    pub(super) fn lists(&self, header: &str, item: &str) -> bool {
        self.header(header).split(',').any(|listed| listed.trim().eq_ignore_ascii_case(item))
    }

    pub(super) fn is_type(&self, media_type: &str) -> bool {
        self.header("content-type").split(';').next().is_some_and(|found| found.trim() == media_type)
    }

    /// The problem that the body tells, if it does.
    pub(super) fn problem(&self) -> Option<ProblemBody> {
        serde_json::from_slice(&self.body).ok().filter(|_| self.is_type("application/problem+json"))
    }

    /// The status and what kind of answer it is.
    pub(super) fn told(&self) -> String {
        match (self.problem(), self.header("content-type")) {
            (Some(problem), _) => format!("{} {}", self.status, word(problem.reason)),
            (None, kind) if kind.is_empty() => self.status.to_string(),
            (None, kind) => format!("{} {kind}", self.status),
        }
    }

    /// The answer, if it has this status.
    pub(super) fn with_status(self, status: u16) -> Result<Self, CheckFailure> {
        if self.status == status {
            Ok(self)
        } else {
            Err(CheckFailure::Failed(format!("{}, not {status}", self.told())))
        }
    }

    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, CheckFailure> {
        serde_json::from_slice(&self.body)
            .map_err(|_| CheckFailure::Failed(format!("{}, not what this API says", self.told())))
    }

    /// The problem, if it is this refusal.
    pub(super) fn refused(&self, status: u16, reason: Reason) -> Result<ProblemBody, CheckFailure> {
        let expected = |problem: &ProblemBody| self.status == status && problem.reason == reason;
        let wrong = || CheckFailure::Failed(format!("{}, not {status} {}", self.told(), word(reason)));
        self.problem().filter(expected).ok_or_else(wrong)
    }
}

/// A reason as it stands in JSON.
fn word(reason: Reason) -> String {
    serde_json::to_value(reason).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
