//! Why a conversation with a mail server did not come to its end.

use lettre::transport::smtp;
use lettre::transport::smtp::response::{Code, Response};
use std::error::Error as _;
use std::ops::RangeInclusive;

/// The codes of success of `MAIL`, `RCPT`, `EHLO` and the end of a mail: `251` and `252` are of recipients.
pub(super) const DONE: RangeInclusive<u16> = 250..=259;
/// The server waits for the mail.
pub(super) const GO_ON: RangeInclusive<u16> = 354..=354;
/// The server waits for TLS.
pub(super) const READY: RangeInclusive<u16> = 220..=220;
/// The server knows us. The code is 235 (RFC 4954, section 6); 250 comes from servers that are not strict.
pub(super) const KNOWN: RangeInclusive<u16> = 230..=259;

/// Why a conversation with a mail server did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum ConversationError {
    #[error(transparent)]
    Smtp(#[from] smtp::Error),
    /// A reply that is a success, but of another step, such as `221` or `354` to the end of a mail: `lettre` takes every `2xx` and
    /// `3xx` for one. Nobody knows what the server has done (RFC 5321, section 4.3.2).
    #[error("{0} is no reply to this step")]
    OutOfStep(Code),
    /// The recipient's address is not ASCII, and must not be told to a server that does not offer this (RFC 6531, section 3.1).
    #[error("does not offer SMTPUTF8, without which the recipient's address cannot be named")]
    NoUtf8,
}

impl ConversationError {
    /// The server's code, if it has replied.
    pub(super) fn status(&self) -> Option<Code> {
        match self {
            Self::Smtp(error) => error.status(),
            Self::OutOfStep(code) => Some(*code),
            Self::NoUtf8 => None,
        }
    }

    /// The words of a refusal.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Smtp(error) => error.source().map(ToString::to_string).unwrap_or_default(),
            Self::OutOfStep(_) | Self::NoUtf8 => String::new(),
        }
    }

    /// Whether the server is not able to do what we are configured to do with it.
    pub(super) fn is_of_configuration(&self) -> bool {
        matches!(self, Self::Smtp(error) if error.is_client())
    }

    /// Whether the connection is over. A server closes it after a 421 (RFC 5321, section 3.8), and after a reply of another step
    /// nobody knows where it is.
    pub(super) fn is_goodbye(&self) -> bool {
        matches!(self, Self::OutOfStep(_)) || self.status().map(u16::from) == Some(421)
    }

    /// Whether the server goes on listening.
    pub(super) fn leaves_connection(&self) -> bool {
        matches!(self, Self::NoUtf8) || (self.status().is_some() && !self.is_goodbye())
    }
}

/// A reply, if it is the success of the step that it came to.
pub(super) fn expect(reply: &Response, codes: RangeInclusive<u16>) -> Result<(), ConversationError> {
    let code = reply.code();
    if codes.contains(&u16::from(code)) { Ok(()) } else { Err(ConversationError::OutOfStep(code)) }
}
