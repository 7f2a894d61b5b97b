//! Names and values of the environment.

use super::problem::ConfigProblem;
use std::collections::BTreeMap;
use std::fmt;

/// Environment variables: names and values.
#[derive(Clone, Default)]
pub struct Variables {
    pub(super) values: BTreeMap<String, String>,
    /// Problems of the file that some of them come from.
    pub(super) problems: Vec<ConfigProblem>,
}

impl Variables {
    pub(super) fn problem(&mut self, name: &str, problem_and_fix: impl fmt::Display) {
        self.problems.push(ConfigProblem::new(name, problem_and_fix));
    }

    /// Sets a variable. A blank value leaves one that is set as it is.
    pub(super) fn add(&mut self, name: String, value: String) {
        if value.trim().is_empty() {
            self.values.entry(name).or_insert(value);
        } else {
            self.values.insert(name, value);
        }
    }

    /// Sets a variable, for tests.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.values.insert(name.to_owned(), value.into());
        self
    }

    /// All names that are set, known or not.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// The value of a name. A blank value counts as not set, because dashboards and Compose files write an unset variable so.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }
}

/// Values may be secrets: only names are shown.
impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}
