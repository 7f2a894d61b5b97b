//! Why a mail did not leave.

use super::smtp::MailStep;

/// Why a mail did not leave.
#[derive(Debug)]
pub(in crate::service::mail) struct SendError {
    pub(in crate::service::mail) about: About,
    pub(in crate::service::mail) why: String,
    /// Where the mail server refused us or the mail, if it did.
    pub(in crate::service::mail) refused_at: Option<MailStep>,
}

impl SendError {
    pub(in crate::service::mail) fn new(about: About, why: impl Into<String>) -> Self {
        Self { about, why: why.into(), refused_at: None }
    }
}

/// What a failure says something about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::service::mail) enum About {
    /// The recipient's address: it is never going to be accepted. Nothing else makes a mail worth giving up.
    Recipient,
    /// This mail, or this moment.
    Mail,
    /// The form of this mail, which the server does not know: that says nothing about other mails.
    Form,
    /// Us, or the way to the server: any other mail would fail in the same way.
    Us,
}
