//! The input of the checks.

use crate::config::{ConfigProblem, Inspection, Settings, VariableRow, variables};

/// A configuration, and the environment to check it for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts<'a> {
    pub(super) settings: &'a Settings,
    /// Whether to apply the requirements of production.
    pub(super) production: bool,
    pub(super) inspection: Option<&'a Inspection>,
}

impl Facts<'_> {
    /// Whether the start is refused because of this variable: then the setting is only a default.
    pub(super) fn is_refused(&self, variable: &str) -> bool {
        let names = || variables().filter(|known| known.name == variable).flat_map(VariableRow::names);
        let refused = |problem: &ConfigProblem| names().any(|name| name == problem.name);
        self.inspection.is_some_and(|inspection| inspection.problems.iter().any(refused))
    }

    pub(super) fn any_is_refused(&self, variables: &[&str]) -> bool {
        variables.iter().any(|variable| self.is_refused(variable))
    }

    pub(super) fn database_is_refused(&self) -> bool {
        self.any_is_refused(&["DATABASE_URL", "DB_NAME", "DB_USER", "DB_HOST", "DB_PORT"])
    }

    pub(super) fn storage_is_refused(&self) -> bool {
        let required = ["AWS_STORAGE_BUCKET_NAME", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
        self.any_is_refused(&required) || self.is_refused("AWS_S3_ENDPOINT_URL")
    }
}
