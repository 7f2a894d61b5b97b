//! Errors in a configuration.

use std::fmt;

/// What is wrong with one variable, and how to fix it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblem {
    /// The variable, the file that variables are read from, or the folder that no variable names.
    pub name: String,
    pub problem_and_fix: String,
}

impl ConfigProblem {
    pub(super) fn new(name: &str, problem_and_fix: impl fmt::Display) -> Self {
        Self { name: name.to_owned(), problem_and_fix: problem_and_fix.to_string() }
    }
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.problem_and_fix)
    }
}

/// Everything that is wrong with the configuration, one problem per line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    pub problems: Vec<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problems.join("\n"))
    }
}

impl std::error::Error for ConfigError {}

impl ConfigError {
    pub(super) fn of(problems: &[ConfigProblem]) -> Self {
        Self { problems: problems.iter().map(ToString::to_string).collect() }
    }
}
