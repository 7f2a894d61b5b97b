//! The description of a variable, independent of the type of its value.

use std::fmt;

/// What `docs/reference/configuration.md` and `.env.example` say about a variable, and whether it is secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VariableRow {
    pub name: &'static str,
    /// Other names under which it is read: those of the Django and React services that Latchkey replaces.
    pub aliases: &'static [&'static str],
    /// Whether its value must never be shown; a URL with a password is secret as a whole.
    pub secret: bool,
    /// Whether the platform sets it, so that it does not belong into a file.
    pub from_platform: bool,
    pub default: Preset,
    /// The default in production, if it differs.
    pub in_production: Option<Preset>,
    /// A value for `.env.example` that is more useful than the default.
    pub example: Option<&'static str>,
    /// The meaning and what is refused, in Markdown. `.env.example` has the first sentence.
    pub text: &'static str,
}

/// The value of a variable that is not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    Nothing,
    Text(&'static str),
    Number(u64),
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => Ok(()),
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

/// The documentation of a variable; its name and default follow from its declaration.
pub const fn doc(text: &'static str) -> VariableRow {
    VariableRow {
        name: "",
        aliases: &[],
        secret: false,
        from_platform: false,
        default: Preset::Nothing,
        in_production: None,
        example: None,
        text,
    }
}

impl VariableRow {
    #[must_use]
    pub const fn secret(self) -> Self {
        Self { secret: true, ..self }
    }

    #[must_use]
    pub const fn from_platform(self) -> Self {
        Self { from_platform: true, ..self }
    }

    #[must_use]
    pub const fn aliases(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    #[must_use]
    pub const fn example(self, value: &'static str) -> Self {
        Self { example: Some(value), ..self }
    }

    /// The default, as a value with the same effect. A number and a word have theirs already.
    #[must_use]
    pub const fn default_value(self, value: &'static str) -> Self {
        Self { default: Preset::Text(value), ..self }
    }

    /// The default in production. An empty text means that there is none.
    #[must_use]
    pub const fn production_default(self, value: &'static str) -> Self {
        Self { in_production: Some(if value.is_empty() { Preset::Nothing } else { Preset::Text(value) }), ..self }
    }

    /// Its name and its aliases.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}
