//! What a run says, to people and to machines.

use super::answer::{Seen, Trouble};
use super::checks::{self, Check};
use super::context::Plan;
use serde::Serialize;
use std::fmt;

/// What became of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Passed,
    Failed,
    /// It does not apply, could not be told, or something that it needs did not pass.
    Skipped,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `pad` heeds the width that a line asks for.
        f.pad(match self {
            Self::Passed => "passed",
            Self::Failed => "FAILED",
            Self::Skipped => "skipped",
        })
    }
}

/// One check's line. It never holds a token or a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    pub name: &'static str,
    pub verdict: Verdict,
    pub seen: String,
    /// What to do, when it failed.
    pub fix: Option<&'static str>,
}

impl Row {
    pub(super) fn of(check: &Check, seen: Seen) -> Self {
        let (verdict, seen) = match seen {
            Ok(seen) => (Verdict::Passed, seen),
            Err(Trouble::Failed(what)) => (Verdict::Failed, what),
            Err(Trouble::Skipped(why)) => (Verdict::Skipped, why),
        };
        Self { name: check.id, verdict, seen, fix: (verdict == Verdict::Failed).then_some(check.fix) }
    }

    pub(super) fn has_passed(&self, name: &str) -> bool {
        self.name == name && self.verdict == Verdict::Passed
    }
}

/// All rows of one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    pub api: String,
    pub web: String,
    pub passed: usize,
    pub failed: usize,
    pub skipped: usize,
    pub checks: Vec<Row>,
    #[serde(skip)]
    ended_early: bool,
}

impl Report {
    pub(super) fn new(plan: &Plan, checks: Vec<Row>, ended_early: bool) -> Self {
        let count = |verdict| checks.iter().filter(|row| row.verdict == verdict).count();
        let [passed, failed, skipped] = [Verdict::Passed, Verdict::Failed, Verdict::Skipped].map(count);
        Self { api: plan.api.to_string(), web: plan.web.to_string(), passed, failed, skipped, checks, ended_early }
    }

    /// 1 when something failed, 2 when the run did not come to its end, 0 otherwise.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self { failed: 1.., .. } => 1,
            Self { ended_early: true, .. } => 2,
            _ => 0,
        }
    }
}

/// For people: a line a check, what to do under each that failed, and how many there are.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = checks::all().map(|check| check.id.len()).max().unwrap_or_default();
        for Row { name, verdict, seen, fix } in &self.checks {
            writeln!(f, "{verdict:<7}  {name:<width$}  {seen}")?;
            if let Some(fix) = fix {
                writeln!(f, "{:<7}  {:<width$}  -> {fix}", "", "")?;
            }
        }
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}
