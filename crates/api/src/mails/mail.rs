//! What there is to say of a mail.

use super::link::MailLink;
use super::parts::{FrontEnd, MailPart};
use chrono::Duration;
use secrecy::SecretString;

/// A mail, whoever gets it.
#[derive(Debug)]
pub(crate) struct Mail {
    pub(crate) subject: &'static str,
    pub(crate) content: Content,
    /// How long after its cause it still helps anybody.
    pub(crate) worth_sending: Duration,
    pub(crate) share: QuotaShare,
    /// What must be behind the address, where a request for this mail inserts the same row for every address: all that has
    /// nothing behind it is dropped together. `None` where each row is looked at by itself.
    pub(crate) needs: Option<Needs>,
}

/// What a mail carries, and the words around it. Nothing that a user typed is repeated in them, no name and no address:
/// whoever signs up with a stranger's address must not be able to send them a message of their own in our name.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Content {
    /// A link that proves who reads the mail.
    Link(MailLink, fn(&FrontEnd<'_>, &SecretString) -> Vec<MailPart>),
    /// Something that a person must learn; it proves nothing.
    Notice(NoticeTo, fn(&FrontEnd<'_>) -> Vec<MailPart>),
}

/// Who gets a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoticeTo {
    /// The address that it was written to.
    Recipient,
    /// Whoever has an account with that address when the mail is sent; it may be gone by then.
    Owner,
}

/// Which part of the mails that an address gets this one takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QuotaShare {
    /// A part of its own, which no other kind takes: whoever causes it sees whether it was sent.
    Own,
    /// The part of what somebody can cause who knows nothing but an address.
    Strangers,
    /// All but [`QuotaShare::Own`].
    Account,
}

/// What must be behind an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    Account,
    /// An account or a pending registration whose address is not confirmed.
    Unconfirmed,
}
