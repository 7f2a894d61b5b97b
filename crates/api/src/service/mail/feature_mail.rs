//! Mails that features declare.

use crate::mails::{FrontEnd, MailText, QuotaShare};
use crate::store::users::UserRow;
use crate::store::{self, AnyConnection, QueryResult};
use chrono::Duration;
use std::fmt::{self, Display};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::str::FromStr;
use std::sync::Arc;

/// What a feature's mail is written from, besides the feature's own rows.
#[derive(Debug)]
pub struct MailContext<'a> {
    /// The recipient.
    pub user: &'a UserRow,
    /// How many mails it stands for, itself included: those for the same key that waited with it were merged into it.
    pub occurrences: i64,
    pub(super) front_end: FrontEnd<'a>,
}

impl MailContext<'_> {
    /// The name by which people know the site: the host of its front end.
    pub fn site(&self) -> &str {
        self.front_end.name()
    }
}

/// Writes a mail from the row with this key, when it is sent. `None` if the row is gone, or the mail of no use any more.
type WriteMail<K> = fn(&mut AnyConnection, &MailContext<'_>, K) -> QueryResult<Option<MailText>>;

/// A mail of a feature, about a row that the feature finds by the key `K`. It goes to the confirmed address of a user.
pub struct FeatureMail<K> {
    name: &'static str,
    send_within: Duration,
    share: QuotaShare,
    write: WriteMail<K>,
}

impl<K> FeatureMail<K> {
    /// A mail named in the namespace of its feature, as `notes.shared`, that may be sent for `send_within` after it was queued. `write`
    /// runs at each attempt to send it: what it returns is not stored.
    pub const fn new(name: &'static str, send_within: Duration, write: WriteMail<K>) -> Self {
        Self { name, send_within, share: QuotaShare::Feature, write }
    }

    /// Other users can cause it. Such mails never use up what an address may get of the feature's other mails.
    #[must_use]
    pub const fn caused_by_others(mut self) -> Self {
        self.share = QuotaShare::FeatureByOthers;
        self
    }
}

impl<K: Display> FeatureMail<K> {
    /// The mail about the row with this key. Of several that wait for one user, one is sent.
    pub fn about(&self, key: &K) -> MailAbout {
        MailAbout { name: self.name, send_within: self.send_within, key: key.to_string() }
    }
}

impl<K> fmt::Debug for FeatureMail<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeatureMail").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A feature's mail about a row.
#[derive(Debug, Clone)]
pub struct MailAbout {
    pub(super) name: &'static str,
    pub(super) send_within: Duration,
    pub(super) key: String,
}

type WriteDeclared = dyn Fn(&mut AnyConnection, &MailContext<'_>, &str) -> QueryResult<Option<MailText>> + Send + Sync;

/// A mail in the list of a feature's mails, whatever its key.
#[derive(Clone)]
pub(crate) struct DeclaredMail {
    pub(crate) name: &'static str,
    pub(super) share: QuotaShare,
    write: Arc<WriteDeclared>,
}

impl DeclaredMail {
    pub(crate) fn of<K: FromStr>(mail: &'static FeatureMail<K>) -> Self {
        let write = |connection: &mut AnyConnection, context: &MailContext<'_>, key: &str| match key.parse() {
            Ok(key) => (mail.write)(connection, context, key),
            Err(_) => Err(store::defect("the key of the mail cannot be parsed")),
        };
        Self { name: mail.name, share: mail.share, write: Arc::new(write) }
    }

    #[cfg(test)]
    pub(super) fn empty(name: &'static str, share: QuotaShare) -> Self {
        Self { name, share, write: Arc::new(|_, _, _| Ok(None)) }
    }

    /// Writes the mail about the row with this key. A panic is an error: it must not end the worker, which sends all mails.
    pub(super) fn write(
        &self,
        connection: &mut AnyConnection,
        context: &MailContext<'_>,
        key: &str,
    ) -> QueryResult<Option<MailText>> {
        let written = catch_unwind(AssertUnwindSafe(|| (self.write)(connection, context, key)));
        written.unwrap_or_else(|_| Err(store::defect("the function that writes the mail panicked")))
    }
}

impl fmt::Debug for DeclaredMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeclaredMail").field("name", &self.name).finish_non_exhaustive()
    }
}
