//! Reads variables by name and collects what is wrong with them.

use super::quote::quoted;
use super::{dotenv, variables};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// The environment: names and values.
#[derive(Clone, Default)]
pub struct Variables {
    values: BTreeMap<String, String>,
    /// What is wrong with the file that some of them come from.
    problems: Vec<Problem>,
}

impl Variables {
    /// The process's own. In development the file `.env` in the working directory gives what the process has not.
    #[must_use]
    pub fn from_process() -> Self {
        let (mut process, mut unreadable) = (BTreeMap::new(), Vec::new());
        // `vars` would panic on what is not UTF-8. A name that is not cannot be one of ours.
        for (name, value) in std::env::vars_os() {
            match (name.into_string(), value.into_string()) {
                (Ok(name), Ok(value)) => _ = process.insert(name, value),
                (Ok(name), Err(_)) if variables::is_known(&name) => unreadable.push(name),
                _ => {}
            }
        }
        let production =
            ["APP_ENV", "DJANGO_ENV"].iter().any(|name| process.get(*name).is_some_and(|v| v.trim() == "production"));
        let mut all = if production { Self::default() } else { Self::from_file(".env") };
        all.values.extend(process);
        for name in unreadable {
            all.problem(&name, "is not UTF-8 text; write it anew");
        }
        all
    }

    /// A file that is not there says nothing. A message never repeats a line: it may hold a secret.
    fn from_file(name: &str) -> Self {
        let mut all = Self::default();
        match std::fs::read(name) {
            Ok(bytes) => match std::str::from_utf8(&bytes) {
                Ok(text) => {
                    for entry in dotenv::read(text) {
                        match entry {
                            // As in a shell, the last one counts.
                            Ok((variable, value)) => _ = all.values.insert(variable, value),
                            Err(problem) => all.problem(name, problem),
                        }
                    }
                }
                Err(_) => all.problem(name, "is not UTF-8 text; save it as UTF-8"),
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => all.problem(name, format_args!("cannot be read: {error}")),
        }
        all
    }

    fn problem(&mut self, name: &str, problem_and_fix: impl fmt::Display) {
        self.problems.push(Problem { name: name.to_owned(), problem_and_fix: problem_and_fix.to_string() });
    }

    /// Sets a variable, for tests.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.values.insert(name.to_owned(), value.into());
        self
    }

    /// Names that are set, ours and others.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }
}

/// Values may be secrets: only names are shown.
impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

/// What is wrong with one variable, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The variable, or the file that some of them come from.
    pub name: String,
    pub problem_and_fix: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.problem_and_fix)
    }
}

/// Everything that is wrong with the configuration, a line each.
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
    pub(super) fn of(problems: &[Problem]) -> Self {
        Self { problems: problems.iter().map(ToString::to_string).collect() }
    }
}

/// Hands out variables and notes problems.
#[derive(Debug)]
pub(super) struct Reader {
    variables: Variables,
    problems: Vec<Problem>,
    keeps: Keeps,
}

/// Whether what is made up for want of a variable may be kept on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keeps {
    /// By a program that goes on to work with it.
    Files,
    /// By one that only looks.
    Nothing,
}

impl Reader {
    pub(super) fn new(mut variables: Variables, keeps: Keeps) -> Self {
        let problems = std::mem::take(&mut variables.problems);
        Self { variables, problems, keeps }
    }

    pub(super) const fn may_keep_files(&self) -> bool {
        matches!(self.keeps, Keeps::Files)
    }

    /// Notes what is wrong with the variable `name` and how to mend it.
    pub(super) fn problem(&mut self, name: &str, problem_and_fix: impl fmt::Display) {
        self.problems.push(Problem { name: name.to_owned(), problem_and_fix: problem_and_fix.to_string() });
    }

    /// A variable's value under the first of its names that is set. A blank value counts as not set: that is how
    /// dashboards and Compose files leave a variable out.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        self.named(name).map(|(_, value)| value)
    }

    /// The same with the name it was found under. Two names with two values are a problem.
    pub(super) fn named(&mut self, name: &str) -> Option<(&'static str, String)> {
        let Some(variable) = variables::find(name) else {
            self.problem(name, "is not in the table of variables, which is a defect of this program");
            return None;
        };
        let set = |name: &'static str| {
            let value = self.variables.values.get(name)?.trim();
            (!value.is_empty()).then(|| (name, value.to_owned()))
        };
        let found: Vec<_> = variable.names().filter_map(set).collect();
        if let [(first, a), (second, b), ..] = found.as_slice()
            && a != b
        {
            self.problem(first, format_args!("{second} says something else; set one of the two"));
        }
        found.into_iter().next()
    }

    /// Parses a variable, or takes the default when it is not set.
    pub(super) fn parse<T>(&mut self, name: &str, default: T, parse: impl FnOnce(&str) -> Result<T, String>) -> T {
        let Some((name, value)) = self.named(name) else { return default };
        match parse(&value) {
            Ok(parsed) => parsed,
            Err(problem) => {
                self.problem(name, problem);
                default
            }
        }
    }

    /// A whole number within bounds.
    pub(super) fn number<T>(&mut self, name: &str, default: T, bounds: std::ops::RangeInclusive<T>) -> T
    where
        T: FromStr + PartialOrd + fmt::Display + Copy,
    {
        let (low, high) = (*bounds.start(), *bounds.end());
        self.parse(name, default, |value| match value.parse::<T>() {
            Ok(number) if bounds.contains(&number) => Ok(number),
            _ => Err(format!("{} is not a whole number from {low} to {high}; the default is {default}", quoted(value))),
        })
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&mut self, name: &str, choices: &[(&str, T)], default: T) -> T {
        self.parse(name, default, |value| {
            let known = choices.iter().find(|(word, _)| *word == value);
            known.map(|(_, choice)| *choice).ok_or_else(|| {
                let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
                format!("{} is unknown; use {}", quoted(value), words.join(" or "))
            })
        })
    }

    /// All that was noted.
    pub(super) fn finish(self) -> Vec<Problem> {
        self.problems
    }
}
