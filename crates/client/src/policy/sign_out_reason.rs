//! Why no one is signed in, and the message about it.

use super::unconfirmed_action::EndingAction;
use auth_types::Reason;

/// Why no one is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignOutReason {
    /// No one was signed in when the page was opened.
    Visitor,
    /// The user pressed a button here.
    ByUser,
    /// The user deleted the account here.
    Deleted,
    /// It happened in another tab.
    Elsewhere,
    /// The server ended the session.
    Ended(Reason),
    /// The user started this action here, which ends the session, and its response has not arrived.
    Unconfirmed(EndingAction),
}

impl SignOutReason {
    /// The reason to show when `action` of this browser may have ended the session.
    #[must_use]
    pub const fn after(self, action: Option<EndingAction>) -> Self {
        match (self, action) {
            (Self::Elsewhere | Self::Ended(Reason::SessionRevoked | Reason::UserInactive), Some(action)) => {
                Self::Unconfirmed(action)
            }
            _ => self,
        }
    }

    /// The message for a user who did not expect to have to sign in again.
    pub const fn message(self) -> Option<&'static str> {
        match self {
            Self::Visitor | Self::ByUser => None,
            Self::Unconfirmed(action) => Some(action.message()),
            Self::Deleted => Some("Your account is deleted, and every device is signed out."),
            Self::Elsewhere => Some("You signed out in another tab."),
            Self::Ended(Reason::SessionExpired) => Some("You were away for a long time. Please sign in again."),
            Self::Ended(Reason::RefreshReused) => {
                Some("For your safety you were signed out: your session was used from two places.")
            }
            Self::Ended(Reason::CsrfFailed) => Some(concat!(
                "You were signed out here: someone signed in with this browser on another page of the same service, ",
                "or some of its cookies were deleted. Please sign in again."
            )),
            Self::Ended(Reason::CredentialsMissing) => Some(concat!(
                "Your browser has not kept the cookie that keeps you signed in. Allow cookies for ",
                env!("LATCHKEY_API_BASE"),
                ", then sign in again."
            )),
            Self::Ended(_) => Some("Your session has ended. Please sign in again."),
        }
    }
}
