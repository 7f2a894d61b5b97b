//! The report of a run, as text and as JSON.

use super::checks::{self, SmokeCheck};
use super::context::SmokePlan;
use super::response::{CheckFailure, CheckResult};
use serde::Serialize;
use std::fmt;

/// The outcome of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SmokeVerdict {
    Passed,
    Failed,
    /// It does not apply, could not be made, or a check that it needs did not pass.
    Skipped,
}

impl fmt::Display for SmokeVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `pad` applies the width of the format string.
        f.pad(match self {
            Self::Passed => "passed",
            Self::Failed => "FAILED",
            Self::Skipped => "skipped",
        })
    }
}

/// One check's row. It never contains a token or a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SmokeRow {
    pub name: &'static str,
    pub verdict: SmokeVerdict,
    pub seen: String,
    /// What to do if it failed.
    pub fix: Option<&'static str>,
}

impl SmokeRow {
    pub(super) fn of(check: &SmokeCheck, seen: CheckResult) -> Self {
        let (verdict, seen) = match seen {
            Ok(seen) => (SmokeVerdict::Passed, seen),
            Err(CheckFailure::Failed(what)) => (SmokeVerdict::Failed, what),
            Err(CheckFailure::Skipped(why)) => (SmokeVerdict::Skipped, why),
        };
        Self { name: check.id, verdict, seen, fix: (verdict == SmokeVerdict::Failed).then_some(check.fix) }
    }

    pub(super) fn has_passed(&self, name: &str) -> bool {
        self.name == name && self.verdict == SmokeVerdict::Passed
    }
}

/// All rows of one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SmokeReport {
    pub api: String,
    pub web: String,
    pub passed: usize,
    pub failed: usize,
    pub skipped: usize,
    pub checks: Vec<SmokeRow>,
    #[serde(skip)]
    ended_early: bool,
}

impl SmokeReport {
    pub(super) fn new(plan: &SmokePlan, checks: Vec<SmokeRow>, ended_early: bool) -> Self {
        let count = |verdict| checks.iter().filter(|row| row.verdict == verdict).count();
        let [passed, failed, skipped] = [SmokeVerdict::Passed, SmokeVerdict::Failed, SmokeVerdict::Skipped].map(count);
        Self { api: plan.api.to_string(), web: plan.web.to_string(), passed, failed, skipped, checks, ended_early }
    }

    /// 1 if a check failed, 2 if the run did not finish, 0 otherwise.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self { failed: 1.., .. } => 1,
            Self { ended_early: true, .. } => 2,
            _ => 0,
        }
    }
}

/// For people: a line per check, the fix under each that failed, and the counts.
impl fmt::Display for SmokeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = checks::all().map(|check| check.id.len()).max().unwrap_or_default();
        for SmokeRow { name, verdict, seen, fix } in &self.checks {
            writeln!(f, "{verdict:<7}  {name:<width$}  {seen}")?;
            if let Some(fix) = fix {
                writeln!(f, "{:<7}  {:<width$}  -> {fix}", "", "")?;
            }
        }
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}
