//! Which rows a name leads to.

use super::email::canonical_email;
use super::former::{former_email, former_username, precomposed_email};
use super::username::canonical_username;

/// A name in its canonical form, after the ones that it had in earlier releases: a row whose name could not be brought into
/// today's form has kept one of those. Of several rows the one with the earliest form is meant, because nothing else leads
/// to it.
#[derive(Debug, Clone, Default)]
pub struct Spellings(Vec<String>);

impl Spellings {
    /// Of an address; none where it is not one.
    #[must_use]
    pub fn of_email(name: &str) -> Self {
        let forms = [former_email(name), precomposed_email(name), canonical_email(name)];
        Self(forms.into_iter().filter_map(Result::ok).collect())
    }

    /// Of the recipient of a mail that waits: the form that its row had when it was asked for, and today's.
    #[must_use]
    pub fn of_recipient(recipient: &str) -> Self {
        let canonical = canonical_email(recipient).ok().filter(|canonical| canonical != recipient);
        Self(std::iter::once(recipient.to_owned()).chain(canonical).collect())
    }

    #[must_use]
    pub fn of_username(name: &str) -> Self {
        Self(vec![former_username(name), canonical_username(name)])
    }

    #[must_use]
    pub fn all(&self) -> &[String] {
        &self.0
    }

    /// Today's form; `None` where the name cannot be one.
    #[must_use]
    pub fn canonical(&self) -> Option<&str> {
        self.0.last().map(String::as_str)
    }

    /// How far behind a row's name is: the lowest is meant.
    #[must_use]
    pub fn rank(&self, name: &str) -> usize {
        self.0.iter().position(|form| form == name).unwrap_or(usize::MAX)
    }
}
