//! Reads variables by name and collects what is wrong with them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// The environment: names and values.
#[derive(Clone, Default)]
pub struct Variables {
    values: BTreeMap<String, String>,
    /// What is wrong with the file that some of them come from.
    problems: Vec<String>,
}

impl Variables {
    /// The process's own. In development the file `.env` in the working directory gives what the process has not.
    #[must_use]
    pub fn from_process() -> Self {
        // A name or value that is not UTF-8 cannot be one of ours; `vars` would panic on it.
        let process: BTreeMap<_, _> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let production =
            ["APP_ENV", "DJANGO_ENV"].iter().any(|name| process.get(*name).is_some_and(|v| v == "production"));
        let mut all = if production { Self::default() } else { Self::from_file(".env") };
        all.values.extend(process);
        all
    }

    /// A file that is not there says nothing. A message never repeats a line: it may hold a secret.
    fn from_file(name: &str) -> Self {
        let mut all = Self::default();
        match dotenvy::from_filename_iter(name) {
            Ok(lines) => {
                for line in lines {
                    match line {
                        Ok((variable, value)) => _ = all.values.insert(variable, value),
                        Err(_) => all.problems.push(format!("{name}: a line is not NAME=VALUE; mend or remove it")),
                    }
                }
            }
            Err(error) if error.not_found() => {}
            Err(error) => all.problems.push(format!("{name}: cannot be read: {error}")),
        }
        all
    }

    /// Sets a variable, for tests.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.values.insert(name.to_owned(), value.into());
        self
    }
}

/// Values may be secrets: only names are shown.
impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
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

/// Hands out variables and notes problems.
#[derive(Debug)]
pub(super) struct Reader {
    variables: Variables,
    problems: Vec<String>,
}

impl Reader {
    pub(super) fn new(mut variables: Variables) -> Self {
        let problems = std::mem::take(&mut variables.problems);
        Self { variables, problems }
    }

    /// Notes what is wrong with `variable` and how to mend it.
    pub(super) fn problem(&mut self, variable: &str, problem_and_fix: impl fmt::Display) {
        self.problems.push(format!("{variable}: {problem_and_fix}"));
    }

    /// The value under the first of `names` that is set. A blank value counts as not set: that is how dashboards and
    /// Compose files leave a variable out.
    pub(super) fn text(&mut self, names: &[&str]) -> Option<String> {
        self.named(names).map(|(_, value)| value)
    }

    /// The same with the name it was found under. Two names with two values are a problem.
    pub(super) fn named<'n>(&mut self, names: &[&'n str]) -> Option<(&'n str, String)> {
        let set = |name: &&'n str| {
            let value = self.variables.values.get(*name)?.trim();
            (!value.is_empty()).then(|| (*name, value.to_owned()))
        };
        let found: Vec<_> = names.iter().filter_map(set).collect();
        if let [(first, a), (second, b), ..] = found.as_slice()
            && a != b
        {
            self.problem(first, format_args!("{second} says something else; set one of the two"));
        }
        found.into_iter().next()
    }

    /// Parses a variable, or takes the default when it is not set.
    pub(super) fn parse<T>(&mut self, names: &[&str], default: T, parse: impl FnOnce(&str) -> Result<T, String>) -> T {
        let Some((name, value)) = self.named(names) else { return default };
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
        self.parse(&[name], default, |value| match value.parse::<T>() {
            Ok(number) if bounds.contains(&number) => Ok(number),
            _ => Err(format!("{value:?} is not a whole number from {low} to {high}; the default is {default}")),
        })
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&mut self, names: &[&str], choices: &[(&str, T)], default: T) -> T {
        self.parse(names, default, |value| {
            let known = choices.iter().find(|(word, _)| *word == value);
            known.map(|(_, choice)| *choice).ok_or_else(|| {
                let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
                format!("{value:?} is unknown; use {}", words.join(" or "))
            })
        })
    }

    pub(super) fn finish(self) -> Result<(), ConfigError> {
        if self.problems.is_empty() { Ok(()) } else { Err(ConfigError { problems: self.problems }) }
    }
}
