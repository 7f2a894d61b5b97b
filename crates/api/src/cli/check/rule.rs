//! The kinds of findings.

use super::severity::Severity;
use serde::Serialize;

/// A kind of finding, and its remedy. The id is stable, because scripts search for it.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct CheckRule {
    pub id: &'static str,
    pub severity: Severity,
    pub remedy: &'static str,
}
