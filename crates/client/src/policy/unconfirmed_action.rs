//! What somebody has asked for, and whose response has not arrived.

use super::response::FetchResult;
use auth_types::SessionId;
use serde::{Deserialize, Serialize};

/// Something that ends the session that asks for it. It is written down until the response is there, because the page may be
/// loaded again before: then the session is found to have ended, and that is no news to whoever has ended it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnconfirmedAction {
    /// The session that asked.
    pub session: SessionId,
    /// For what.
    pub act: EndingAction,
}

/// What ends the session that asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndingAction {
    /// Another session takes its place.
    PasswordChange,
    /// Nothing does.
    AccountDeletion,
    /// On every device.
    SignOutEverywhere,
}

impl EndingAction {
    /// What to tell somebody whose session has ended, and who may have ended it by this.
    pub const fn message(self) -> &'static str {
        match self {
            Self::PasswordChange => concat!(
                "The connection was lost while your password was being changed. ",
                "Sign in with the new password; if it is not accepted, with the old one."
            ),
            Self::AccountDeletion => concat!(
                "The connection was lost while your account was being deleted. ",
                "If you cannot sign in any more, it is deleted."
            ),
            Self::SignOutEverywhere => "Every device is signed out.",
        }
    }
}

/// Whether an exchange tells what became of the request.
pub fn is_conclusive(exchange: &FetchResult) -> bool {
    exchange.as_ref().is_ok_and(|answer| answer.transient_error().is_none() && answer.is_from_api())
}
