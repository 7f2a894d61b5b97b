//! The findings of a check, as text and as JSON.

use super::rule::CheckRule;
use super::severity::Severity;
use crate::config::Settings;
use crate::store::dialect;
use serde::Serialize;
use std::fmt;

/// A finding. It never contains a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    #[serde(flatten)]
    pub rule: &'static CheckRule,
    /// The variable that it is about, if any.
    pub variable: Option<String>,
    pub message: String,
}

impl CheckRule {
    pub(super) fn found(&'static self, message: impl std::fmt::Display) -> Finding {
        Finding { rule: self, variable: None, message: message.to_string() }
    }
}

impl Finding {
    pub(super) fn about(self, variable: &str) -> Self {
        Self { variable: Some(variable.to_owned()), ..self }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let variable = self.variable.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
        let CheckRule { id, severity, remedy } = self.rule;
        write!(f, "{severity:<8} {id}: {variable}{}\n         {remedy}", self.message)
    }
}

/// All findings of one run, the worst first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// `production` or `development`, as configured, even if it was checked for production.
    pub environment: &'static str,
    /// `SQLite` or `PostgreSQL`.
    pub database: &'static str,
    /// The severity of the worst finding; `null` if there is none.
    pub worst: Option<Severity>,
    pub findings: Vec<Finding>,
}

impl CheckReport {
    pub(super) fn of(settings: &Settings, findings: impl Iterator<Item = Finding>) -> Self {
        let mut findings: Vec<_> = findings.collect();
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.rule.severity));
        let environment = if settings.environment.is_production() { "production" } else { "development" };
        let database = dialect(&settings.database.url);
        Self { environment, database, worst: findings.first().map(|finding| finding.rule.severity), findings }
    }

    /// 2 when the worst finding is an error, 1 when it is less; 0 when all are below `fail_level`, or there is none.
    pub fn exit_code(&self, fail_level: Severity) -> u8 {
        match self.worst {
            Some(worst) if worst >= fail_level => 1 + u8::from(worst == Severity::Error),
            _ => 0,
        }
    }

    fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.rule.severity == severity).count()
    }
}

/// For people: two lines per finding, and the counts.
impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        let [errors, warnings, infos] = [Severity::Error, Severity::Warning, Severity::Info].map(|s| self.count(s));
        write!(f, "errors: {errors}, warnings: {warnings}, for information: {infos}")
    }
}
