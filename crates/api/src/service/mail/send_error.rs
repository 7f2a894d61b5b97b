//! Why a mail could not be sent.

use super::smtp::MailStep;

/// Why a mail could not be sent.
#[derive(Debug)]
pub(in crate::service::mail) struct SendError {
    pub(in crate::service::mail) scope: FailureScope,
    pub(in crate::service::mail) why: String,
    pub(in crate::service::mail) response: ServerResponse,
}

impl SendError {
    pub(in crate::service::mail) fn new(scope: FailureScope, why: impl Into<String>) -> Self {
        Self { scope, why: why.into(), response: ServerResponse::None }
    }
}

/// What the mail server responded when a mail failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::service::mail) enum ServerResponse {
    /// Nothing that concerns us as a sender: it did not respond, or this mail never reached it.
    None,
    /// It accepts us, and other mails.
    AcceptsUs,
    /// It may have accepted the mail: it did not acknowledge its end, and did not refuse it either (RFC 1047).
    Unacknowledged,
    /// It refused us or the mail at this step.
    Refuses(MailStep),
}

/// What a failure is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::service::mail) enum FailureScope {
    /// The recipient's address, which will never be accepted. Only then the mail is given up at once.
    Recipient,
    /// This mail, or the current moment.
    Mail,
    /// The form of this mail, which the server does not support. That says nothing about other mails.
    Form,
    /// This sender, or the connection to the server: any other mail would fail in the same way.
    Us,
}
