//! What is to be done when the keeper has decided.

use crate::policy::response::TransientError;
use crate::policy::sign_out_reason::SignOutReason;
use crate::policy::tokens::SessionTokens;
use auth_types::Reason;
use auth_types::responses::UserResponse;
use std::time::Duration;

/// What a tab does to storage, to its pages and to what people are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    Nothing,
    /// Nothing: the tab has taken newer tokens of its session from storage, or has had them already.
    Newer,
    /// Storage lags behind this tab: write these.
    Write(Box<SessionTokens>),
    /// The session goes on with these tokens, which have just arrived: write them, and show what is said of the user.
    Renew(Box<SessionTokens>, Box<UserResponse>),
    /// A session begins here: write its tokens and show the user's pages.
    Begin(Box<SessionTokens>, Box<UserResponse>),
    /// Storage holds another session than this tab did, or one where it had none. A sign-in elsewhere wins: show that user's
    /// pages.
    Switch,
    /// Somebody has signed out elsewhere, and storage is empty.
    Leave,
    /// Storage holds a session that is over: delete it. There is none in this tab.
    Remove,
    /// The server has ended the session: delete what is stored.
    End(Reason),
    /// The person has ended the session: delete all that is kept of it. The tokens are for telling the server.
    Forget(Box<SessionTokens>, SignOutReason),
    /// The session stays; leave the server alone for so long.
    Pause {
        /// What is wrong.
        error: TransientError,
        /// For how long.
        wait: Duration,
    },
}
