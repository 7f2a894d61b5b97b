//! Variables with typed values. A feature can declare its own with the same functions.

use super::environment::Environment;
use super::quote::quoted;
use super::row::{Preset, VariableRow};
use chrono::Duration;

/// A variable that always has a value: a number or one of a few words.
#[derive(Debug)]
pub struct Variable<T: 'static> {
    row: VariableRow,
    form: Form<T>,
}

#[derive(Debug, Clone, Copy)]
enum Form<T: 'static> {
    Word { choices: &'static [(&'static str, T)], default: T, in_production: T },
    Number { low: u64, high: u64, default: u64, make: fn(u64) -> T },
}

/// A variable that may be missing, parsed from text.
#[derive(Debug)]
pub struct Optional<T: 'static> {
    row: VariableRow,
    parse: fn(&str) -> Result<T, String>,
}

/// One of a few words, each with the value that it stands for. The first is the default.
pub const fn word<T: Copy>(choices: &'static [(&'static str, T)], row: VariableRow) -> Variable<T> {
    let (shown, default) = choices[0];
    let row = VariableRow { default: Preset::Text(shown), ..row };
    Variable { row, form: Form::Word { choices, default, in_production: default } }
}

/// A whole number from `low` to `high`.
///
/// # Panics
/// If the default is out of bounds, at compile time.
pub const fn number<T: WholeNumber>(default: u64, low: u64, high: u64, row: VariableRow) -> Variable<T> {
    assert!(low <= default && default <= high, "the default is out of bounds");
    let row = VariableRow { default: Preset::Number(default), ..row };
    Variable { row, form: Form::Number { low, high, default, make: T::of } }
}

/// Any text.
pub const fn text(row: VariableRow) -> Optional<String> {
    parsed(|value| Ok(value.to_owned()), row)
}

/// A text that is parsed by `parse`, whose error describes what is wrong and how to write it.
pub const fn parsed<T>(parse: fn(&str) -> Result<T, String>, row: VariableRow) -> Optional<T> {
    Optional { row, parse }
}

impl<T: Copy> Variable<T> {
    #[must_use]
    pub const fn named(self, name: &'static str) -> Self {
        Self { row: VariableRow { name, ..self.row }, form: self.form }
    }

    pub(super) const fn name(&self) -> &'static str {
        self.row.name
    }

    /// Sets another of its words as the default in production.
    ///
    /// # Panics
    /// If this is a number, at compile time.
    #[must_use]
    pub const fn in_production(self, choice: (&'static str, T)) -> Self {
        let (shown, in_production) = choice;
        let Form::Word { choices, default, .. } = self.form else { panic!("only of words") };
        let row = VariableRow { in_production: Some(Preset::Text(shown)), ..self.row };
        Self { row, form: Form::Word { choices, default, in_production } }
    }

    pub(super) fn default_in(&self, environment: Environment) -> T {
        match self.form {
            Form::Word { in_production, .. } if environment.is_production() => in_production,
            Form::Word { default, .. } => default,
            Form::Number { default, make, .. } => make(default),
        }
    }

    pub(super) fn parse(&self, value: &str) -> Result<T, String> {
        match self.form {
            Form::Word { choices, .. } => {
                let known = choices.iter().find(|(word, _)| *word == value);
                known
                    .map(|(_, choice)| *choice)
                    .ok_or_else(|| format!("{} is unknown; use {}", quoted(value), words(choices).join(" or ")))
            }
            Form::Number { low, high, default, make } => {
                let number = value.parse().ok().filter(|number| (low..=high).contains(number));
                number.map(make).ok_or_else(|| {
                    format!("{} is not a whole number from {low} to {high}; the default is {default}", quoted(value))
                })
            }
        }
    }
}

impl<T> Optional<T> {
    #[must_use]
    pub const fn named(self, name: &'static str) -> Self {
        Self { row: VariableRow { name, ..self.row }, ..self }
    }

    pub(super) const fn name(&self) -> &'static str {
        self.row.name
    }

    pub(super) fn parse(&self, value: &str) -> Result<T, String> {
        (self.parse)(value)
    }
}

fn words<T>(choices: &[(&'static str, T)]) -> Vec<&'static str> {
    choices.iter().map(|(word, _)| *word).collect()
}

/// A variable without the type of its value.
pub trait AnyVariable: Sync {
    fn row(&self) -> &VariableRow;
    /// Its words or bounds, for the document; empty for other texts.
    fn takes(&self) -> String;
}

impl<T: Sync> AnyVariable for Variable<T> {
    fn row(&self) -> &VariableRow {
        &self.row
    }

    fn takes(&self) -> String {
        match &self.form {
            Form::Word { choices, .. } => {
                words(choices).iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
            }
            Form::Number { low, high, .. } => format!("{low} to {high}"),
        }
    }
}

impl<T> AnyVariable for Optional<T> {
    fn row(&self) -> &VariableRow {
        &self.row
    }

    fn takes(&self) -> String {
        String::new()
    }
}

/// The types of numeric variables. The variable's bounds keep the number within the type's.
pub trait WholeNumber {
    fn of(number: u64) -> Self;
}

impl WholeNumber for u16 {
    fn of(number: u64) -> Self {
        Self::try_from(number).unwrap_or(Self::MAX)
    }
}

impl WholeNumber for u32 {
    fn of(number: u64) -> Self {
        Self::try_from(number).unwrap_or(Self::MAX)
    }
}

impl WholeNumber for usize {
    fn of(number: u64) -> Self {
        Self::try_from(number).unwrap_or(Self::MAX)
    }
}

/// Seconds.
impl WholeNumber for Duration {
    fn of(number: u64) -> Self {
        i64::try_from(number).ok().and_then(Self::try_seconds).unwrap_or(Self::MAX)
    }
}
