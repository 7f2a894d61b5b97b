//! What the pages know of the session.

use crate::policy::{Act, Epoch};
use auth_types::Reason;
use auth_types::responses::VerifyNotice;

/// Whether someone is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nobody has looked yet; show nothing that needs an answer.
    Unknown,
    /// Yes; the epoch tells one sign-in from the next.
    SignedIn(Epoch),
    /// No.
    SignedOut(Farewell),
}

/// Why nobody is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Farewell {
    /// Nobody was when the page was opened.
    Visitor,
    /// The user pressed a button here.
    ByUser,
    /// The user deleted the account here.
    Deleted,
    /// It happened in another tab.
    Elsewhere,
    /// The server ended the session.
    Ended(Reason),
    /// The user asked for this here, which ends the session, and the response has not arrived.
    Unsettled(Act),
}

/// What a registration led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registered {
    /// The new user is signed in.
    SignedIn,
    /// A link in a mail must be opened first.
    ConfirmEmail,
}

/// What the confirmation of an address led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmed {
    /// This browser signed up, and is signed in now.
    pub signed_in: bool,
    /// What did not go as asked.
    pub notice: Option<VerifyNotice>,
}

impl Farewell {
    /// The same for somebody who may have ended the session by this.
    pub(super) const fn after(self, act: Option<Act>) -> Self {
        match (self, act) {
            (Self::Elsewhere | Self::Ended(Reason::SessionRevoked | Reason::UserInactive), Some(act)) => {
                Self::Unsettled(act)
            }
            _ => self,
        }
    }

    /// What to tell somebody who did not expect to sign in again.
    #[must_use]
    pub const fn message(self) -> Option<&'static str> {
        match self {
            Self::Visitor | Self::ByUser => None,
            Self::Unsettled(act) => Some(act.message()),
            Self::Deleted => Some("Your account is deleted, and every device is signed out."),
            Self::Elsewhere => Some("You signed out in another tab."),
            Self::Ended(Reason::SessionExpired) => Some("You were away for a long time. Please sign in again."),
            Self::Ended(Reason::RefreshReused) => {
                Some("For your safety you were signed out: your session was used from two places.")
            }
            Self::Ended(Reason::CsrfFailed) => Some(concat!(
                "You were signed out here: somebody signed in with this browser on another page of the same service, ",
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
