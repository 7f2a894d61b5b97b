//! Reads variables by their declarations and collects problems.

use super::environment::Environment;
use super::problem::ConfigProblem;
use super::row::VariableRow;
use super::values::Variables;
use super::variable::{AnyVariable, Optional, Variable};
use std::fmt;

/// Reads variables and collects problems.
#[derive(Debug)]
pub(super) struct SettingsReader {
    variables: Variables,
    problems: Vec<ConfigProblem>,
    persistence: Persistence,
    environment: Environment,
}

/// Whether a value that is generated for a missing variable may be written to disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Persistence {
    /// For a program that uses the settings.
    Files,
    /// For one that only checks them.
    Nothing,
}

/// The source of a field of the settings.
pub(super) trait SettingSource<T> {
    fn read(&self, reader: &mut SettingsReader) -> T;
}

impl<T: Copy + Sync> SettingSource<T> for Variable<T> {
    fn read(&self, reader: &mut SettingsReader) -> T {
        reader.get(self)
    }
}

impl<T> SettingSource<Option<T>> for Optional<T> {
    fn read(&self, reader: &mut SettingsReader) -> Option<T> {
        reader.find(self)
    }
}

impl<T, F: Fn(&mut SettingsReader) -> T> SettingSource<T> for F {
    fn read(&self, reader: &mut SettingsReader) -> T {
        self(reader)
    }
}

impl SettingsReader {
    pub(super) fn new(mut variables: Variables, persistence: Persistence) -> Self {
        let problems = std::mem::take(&mut variables.problems);
        Self { variables, problems, persistence, environment: Environment::Development }
    }

    pub(super) const fn may_keep_files(&self) -> bool {
        matches!(self.persistence, Persistence::Files)
    }

    pub(super) const fn environment(&self) -> Environment {
        self.environment
    }

    pub(super) const fn is_production(&self) -> bool {
        self.environment.is_production()
    }

    /// Sets the environment, before anything that depends on it is read.
    pub(super) const fn set_environment(&mut self, environment: Environment) {
        self.environment = environment;
    }

    /// Adds a problem of the variable `name`, and how to fix it.
    pub(super) fn problem(&mut self, name: &str, problem_and_fix: impl fmt::Display) {
        self.problems.push(ConfigProblem::new(name, problem_and_fix));
    }

    pub(super) fn read<T>(&mut self, source: &impl SettingSource<T>) -> T {
        source.read(self)
    }

    /// The value of a variable, or its default.
    pub(super) fn get<T: Copy + Sync>(&mut self, variable: &Variable<T>) -> T {
        let default = variable.default_in(self.environment);
        let Some((name, value)) = self.named(variable.row()) else { return default };
        variable.parse(&value).unwrap_or_else(|problem| {
            self.problem(name, problem);
            default
        })
    }

    /// The value of a variable that may be missing.
    pub(super) fn find<T>(&mut self, variable: &Optional<T>) -> Option<T> {
        self.find_named(variable).map(|(_, value)| value)
    }

    /// The same with the name under which it is set.
    pub(super) fn find_named<T>(&mut self, variable: &Optional<T>) -> Option<(&'static str, T)> {
        let (name, value) = self.named(variable.row())?;
        let parsed = variable.parse(&value);
        parsed.map_err(|problem| self.problem(name, problem)).ok().map(|value| (name, value))
    }

    /// Whether a variable has a value, valid or not.
    pub(super) fn is_set(&self, variable: &dyn AnyVariable) -> bool {
        variable.row().names().any(|name| self.variables.get(name).is_some())
    }

    /// The text under the first of its names that is set. Two names with two values are a problem.
    fn named(&mut self, row: &VariableRow) -> Option<(&'static str, String)> {
        let found: Vec<_> = row.names().filter_map(|name| Some((name, self.variables.get(name)?.to_owned()))).collect();
        if let [(first, a), (second, b), ..] = found.as_slice()
            && a != b
        {
            self.problem(first, format_args!("{second} has another value; set one of the two"));
        }
        found.into_iter().next()
    }

    /// All problems.
    pub(super) fn finish(self) -> Vec<ConfigProblem> {
        self.problems
    }
}
