//! What a tab must do after a decision of the session machine.

use crate::policy::response::TransientError;
use crate::policy::sign_out_reason::SignOutReason;
use crate::policy::tokens::SessionTokens;
use auth_types::Reason;
use auth_types::responses::UserResponse;
use std::time::Duration;

/// A change to storage, to the pages, or to the messages that people see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Nothing to do, even if the tab has taken newer tokens of its session from storage.
    Nothing,
    /// Storage lags behind this tab: write these.
    Write(Box<SessionTokens>),
    /// The session continues with these tokens, which have just arrived: write them, and show the user.
    Renew(Box<SessionTokens>, Box<UserResponse>),
    /// A session begins here: write its tokens and show the user's pages.
    Begin(Box<SessionTokens>, Box<UserResponse>),
    /// Storage has another session than this tab, or one where the tab had none. A sign-in elsewhere wins: show that
    /// user's pages.
    Switch,
    /// The user has signed out in another tab, and storage is empty: show that.
    ShowSignedOut,
    /// Storage has a session that has ended: delete it. This tab has no session.
    DeleteEndedSession,
    /// The server has ended the session, or has not known its key for too long: delete what is stored.
    EndSession(Reason),
    /// The user has ended the session: delete everything stored about it. The tokens are for the request that signs out at
    /// the server.
    SignOut(Box<SessionTokens>, SignOutReason),
    /// The session stays; do not refresh for this long. Requests go on while the access token is valid.
    Pause {
        /// Why.
        error: TransientError,
        /// For how long.
        wait: Duration,
    },
}
