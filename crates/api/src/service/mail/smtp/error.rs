//! Why a conversation with a mail server failed.

use crate::error_chain::error_chain;
use lettre::transport::smtp;
use lettre::transport::smtp::response::{Code, Response};
use std::error::Error as _;
use std::ops::RangeInclusive;

/// The codes for success of `MAIL`, `RCPT`, `EHLO` and the end of a mail; `251` and `252` occur for recipients.
pub(super) const DONE: RangeInclusive<u16> = 250..=259;
/// The server waits for the mail.
pub(super) const GO_ON: RangeInclusive<u16> = 354..=354;
/// The server waits for TLS.
pub(super) const READY: RangeInclusive<u16> = 220..=220;
/// The server has authenticated us. The code is 235 (RFC 4954, section 6); some servers send 250.
pub(super) const KNOWN: RangeInclusive<u16> = 230..=259;

/// Why a conversation with a mail server failed.
#[derive(Debug, thiserror::Error)]
pub enum ConversationError {
    /// Described without the server's words, and not as the source: they may repeat the recipient's address or, at `AUTH`, the password.
    #[error("{}", without_reply(.0))]
    Smtp(smtp::Error),
    /// A positive reply that belongs to another step, such as `221` or `354` after the end of a mail: `lettre` takes every `2xx` and
    /// `3xx` for success. What the server has done is unknown (RFC 5321, section 4.3.2).
    #[error("replied {0}, which belongs to another step")]
    OutOfStep(Code),
    /// The recipient's address is not ASCII, and must not be sent to a server without this extension (RFC 6531, section 3.1).
    #[error("does not offer SMTPUTF8, without which the recipient's address cannot be named")]
    NoUtf8,
    /// The mail must not be sent, and why. The server waits for it, so the connection cannot be used any more.
    #[error("{0}")]
    Withheld(String),
}

impl From<smtp::Error> for ConversationError {
    fn from(error: smtp::Error) -> Self {
        Self::Smtp(error)
    }
}

fn without_reply(error: &smtp::Error) -> String {
    match error.status() {
        Some(code) => format!("replied {code}"),
        None if error.is_response() => "its reply is malformed".to_owned(),
        None => error_chain(error),
    }
}

impl ConversationError {
    /// The server's code, if it has replied.
    pub(super) fn status(&self) -> Option<Code> {
        match self {
            Self::Smtp(error) => error.status(),
            Self::OutOfStep(code) => Some(*code),
            Self::NoUtf8 | Self::Withheld(_) => None,
        }
    }

    /// The text of a refusal, which must not be logged.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Smtp(error) => error.source().map(ToString::to_string).unwrap_or_default(),
            Self::OutOfStep(_) | Self::NoUtf8 | Self::Withheld(_) => String::new(),
        }
    }

    /// Whether the server lacks a feature that the configuration requires.
    pub(super) fn is_of_configuration(&self) -> bool {
        matches!(self, Self::Smtp(error) if error.is_client())
    }

    /// Whether the connection is unusable. A server closes it after a 421 (RFC 5321, section 3.8), and after a reply to another step
    /// its state is unknown.
    pub(super) fn is_goodbye(&self) -> bool {
        matches!(self, Self::OutOfStep(_)) || self.status().map(u16::from) == Some(421)
    }

    /// Whether the server goes on listening.
    pub(super) fn leaves_connection(&self) -> bool {
        matches!(self, Self::NoUtf8) || (self.status().is_some() && !self.is_goodbye())
    }
}

/// Checks that a reply is the success of its step.
pub(super) fn expect(reply: &Response, codes: RangeInclusive<u16>) -> Result<(), ConversationError> {
    let code = reply.code();
    if codes.contains(&u16::from(code)) { Ok(()) } else { Err(ConversationError::OutOfStep(code)) }
}
