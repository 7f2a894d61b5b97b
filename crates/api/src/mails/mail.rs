//! The properties of a mail.

use super::link::MailLink;
use super::parts::{FrontEnd, MailPart};
use chrono::Duration;
use secrecy::SecretString;

/// A mail, independent of its recipient.
#[derive(Debug)]
pub(crate) struct Mail {
    pub(crate) subject: &'static str,
    pub(crate) content: Content,
    /// How long after its cause it may still be sent; later it would be of no use.
    pub(crate) send_within: Duration,
    pub(crate) share: QuotaShare,
    /// What the address must have, if a request for this mail inserts the same row for every address: rows whose address lacks it are
    /// dropped in batches. `None` if each row is checked individually.
    pub(crate) needs: Option<Needs>,
}

/// The content of a mail. It repeats nothing that a user typed, no name and no address: a user who signs up with another person's address
/// must not be able to send that person a message in our name.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Content {
    /// A link that proves who reads the mail.
    Link(MailLink, LinkBody),
    /// Information for the recipient; it proves nothing.
    Notice(NoticeTo, NoticeBody),
}

/// Writes a mail with a link that has this token.
pub(crate) type LinkBody = fn(&FrontEnd<'_>, &SecretString) -> Vec<MailPart>;
/// Writes a mail without a link that proves anything.
pub(crate) type NoticeBody = fn(&FrontEnd<'_>) -> Vec<MailPart>;

/// The recipient of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoticeTo {
    /// The address in the outbox.
    Recipient,
    /// The owner of the account that has that address when the mail is sent, if there still is one.
    Owner,
}

/// The share of an address's quota that a mail counts against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QuotaShare {
    /// A share that no other kind uses, because the user who causes the mail sees whether it was sent.
    Own,
    /// The share of mails that anyone can cause who knows only the address.
    Unauthenticated,
    /// Everything of Latchkey's except [`QuotaShare::Own`].
    Account,
    /// The share of the mails of features: neither these nor Latchkey's own ones can suppress the others.
    Feature,
    /// The part of [`QuotaShare::Feature`] for mails that other users can cause.
    FeatureByOthers,
}

/// What an address must have to get a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    Account,
    /// An account or a pending registration whose address is not confirmed.
    Unconfirmed,
}
