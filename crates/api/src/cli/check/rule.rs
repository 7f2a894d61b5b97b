//! What can be found.

use super::severity::Severity;
use serde::Serialize;

/// A thing that can be found, and what to do about it. Its id is for good: scripts look for it.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct CheckRule {
    pub id: &'static str,
    pub severity: Severity,
    pub remedy: &'static str,
}
