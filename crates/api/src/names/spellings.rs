//! The spellings under which a name may be stored.

use super::email::{canonical_email, typed_email};
use super::former::{former_email, former_username, precomposed_email};
use super::username::canonical_username;
use auth_types::invisible::{is_invisible, is_unreadable};

/// A name in the canonical forms of earlier releases, and last in today's: a row whose name could not be migrated still has an
/// earlier form. Of several rows the one with the earliest form is meant, because no other spelling leads to it.
#[derive(Debug, Clone, Default)]
pub struct Spellings(Vec<String>);

impl Spellings {
    /// The spellings of an address; none if it is not valid.
    pub fn of_email(name: &str) -> Self {
        let forms = [former_email(name), precomposed_email(name), canonical_email(name)];
        Self(forms.into_iter().filter_map(Result::ok).collect())
    }

    /// The spellings of a typed address, for a mail to it. A row of an earlier release may contain invisible characters in its
    /// local part. Whether there is such a row is not known here: if there is none, the address without them is meant.
    ///
    /// # Errors
    /// One sentence for the person who typed it, whether or not an account has the address.
    pub fn of_mailed_email(typed: &str) -> Result<Self, String> {
        let visible = |local: &str| local.replace(|c| is_invisible(c) || is_unreadable(c), "");
        let parts = typed.rsplit_once('@').map(|(local, domain)| format!("{}@{domain}", visible(local)));
        let name = typed_email(parts.as_deref().unwrap_or(typed))?;
        let mut spellings = Self::of_email(typed);
        spellings.0.push(name.canonical);
        Ok(spellings)
    }

    /// The spellings of a queued mail's recipient: the form of its row when the mail was requested, and today's.
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

    /// Today's form; `None` if the name is not valid.
    pub fn canonical(&self) -> Option<&str> {
        self.0.last().map(String::as_str)
    }

    /// The age of a row's spelling: the row with the lowest rank is meant.
    pub fn rank(&self, name: &str) -> usize {
        self.0.iter().position(|form| form == name).unwrap_or(usize::MAX)
    }
}
