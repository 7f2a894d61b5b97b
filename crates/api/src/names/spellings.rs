//! Which rows a name leads to.

use super::email::{canonical_email, typed_email};
use super::former::{former_email, former_username, precomposed_email};
use super::username::canonical_username;
use auth_types::invisible::{is_invisible, is_unreadable};

/// A name in its canonical form, after the ones that it had in earlier releases: a row whose name could not be brought into
/// today's form has kept one of those. Of several rows the one with the earliest form is meant, because nothing else leads
/// to it.
#[derive(Debug, Clone, Default)]
pub struct Spellings(Vec<String>);

impl Spellings {
    /// Of an address; none where it is not one.
    pub fn of_email(name: &str) -> Self {
        let forms = [former_email(name), precomposed_email(name), canonical_email(name)];
        Self(forms.into_iter().filter_map(Result::ok).collect())
    }

    /// Of an address that somebody says to have, for a mail to it. A row of before may have what is invisible inside of its
    /// local part. Nothing tells whether there is such a row: where there is none, the address without it is meant.
    ///
    /// # Errors
    /// One sentence for the person who typed it, whoever has the address.
    pub fn of_mailed_email(typed: &str) -> Result<Self, String> {
        let visible = |local: &str| local.replace(|c| is_invisible(c) || is_unreadable(c), "");
        let parts = typed.rsplit_once('@').map(|(local, domain)| format!("{}@{domain}", visible(local)));
        let name = typed_email(parts.as_deref().unwrap_or(typed))?;
        let mut spellings = Self::of_email(typed);
        spellings.0.push(name.canonical);
        Ok(spellings)
    }

    /// Of the recipient of a mail that waits: the form that its row had when it was asked for, and today's.
    pub fn of_recipient(recipient: &str) -> Self {
        let canonical = canonical_email(recipient).ok().filter(|canonical| canonical != recipient);
        Self(std::iter::once(recipient.to_owned()).chain(canonical).collect())
    }

    pub fn of_username(name: &str) -> Self {
        Self(vec![former_username(name), canonical_username(name)])
    }

    pub fn all(&self) -> &[String] {
        &self.0
    }

    /// Today's form; `None` where the name cannot be one.
    pub fn canonical(&self) -> Option<&str> {
        self.0.last().map(String::as_str)
    }

    /// How far behind a row's name is: the lowest is meant.
    pub fn rank(&self, name: &str) -> usize {
        self.0.iter().position(|form| form == name).unwrap_or(usize::MAX)
    }
}
