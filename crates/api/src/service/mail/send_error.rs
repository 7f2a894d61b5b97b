//! Why a mail did not leave.

use super::smtp::MailStep;

/// Why a mail did not leave.
#[derive(Debug)]
pub(in crate::service::mail) struct SendError {
    pub(in crate::service::mail) scope: FailureScope,
    pub(in crate::service::mail) why: String,
    /// Where the mail server refused us or the mail, if it did.
    pub(in crate::service::mail) refused_at: Option<MailStep>,
}

impl SendError {
    pub(in crate::service::mail) fn new(scope: FailureScope, why: impl Into<String>) -> Self {
        Self { scope, why: why.into(), refused_at: None }
    }
}

/// What a failure says is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::service::mail) enum FailureScope {
    /// The recipient's address: it is never going to be accepted. Nothing else makes a mail worth giving up.
    Recipient,
    /// This mail, or this moment.
    Mail,
    /// The form of this mail, which the server does not know: that says nothing about other mails.
    Form,
    /// Us, or the way to the server: any other mail would fail in the same way.
    Us,
}
