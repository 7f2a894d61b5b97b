//! What a tab sees, and what it is told to do about it.

use crate::policy::answer::Trouble;
use crate::policy::time::Now;
use crate::policy::tokens::Tokens;
use auth_types::Reason;
use auth_types::responses::UserResponse;
use std::time::Duration;

/// What storage holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// Nothing, so whoever shares it is signed out.
    Nothing,
    /// These.
    Tokens(Box<Tokens>),
    /// It cannot be used in this browser; memory is all there is.
    Unavailable,
}

/// What storage held, and when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// What it held.
    pub stored: Stored,
    /// The moment, which is taken for the present.
    pub now: Now,
}

/// What a look at storage changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    Same,
    /// Another tab has refreshed; its tokens are ours now.
    Newer,
    /// Storage holds another session than we did, or one where we had none: a sign-in elsewhere, which wins.
    Switched,
    /// Someone has signed out.
    SignedOut,
    /// Storage lags behind this tab: write these.
    WriteBack(Box<Tokens>),
    /// Storage holds a session that is over: delete it. There is none in this tab.
    Remove,
}

/// What to do for a request that needs an access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// There is no session.
    SignedOut,
    /// Send the access token of these.
    Use(Box<Tokens>),
    /// Refresh these first.
    Refresh(Box<Tokens>),
    /// Not now: the last refresh failed, and it is too early for the next.
    Wait {
        /// What is wrong.
        trouble: Trouble,
        /// How much longer to wait.
        remaining: Duration,
    },
}

/// What to do after the answer to a refresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// Write these. With a user when they just arrived.
    Store(Box<Tokens>, Option<Box<UserResponse>>),
    /// Delete what is stored: the session is over.
    Clear(Reason),
    /// Somebody was faster: the tab has tokens as new as these or newer.
    Newer,
    /// The answer belongs to a session that this tab has left. Storage is not ours to touch, unless `Change` says so.
    Discarded(Change),
    /// The session stays; leave the server alone for so long.
    Paused {
        /// What is wrong.
        trouble: Trouble,
        /// For how long.
        wait: Duration,
    },
}

/// What to do after the answer to a sign-in, or to a change of the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignIn {
    /// The session begins: write its tokens and say whether that worked.
    Store,
    /// Somebody signed in or out since it was asked for. Nothing here is touched, unless `Change` says so; the server
    /// should end the session that nobody waits for.
    TooLate(Change),
}

/// What to do when a page wants to sign out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignOut {
    /// Delete what is stored; these tokens are for telling the server.
    Clear(Box<Tokens>),
    /// The page's session is not this tab's any more. Nothing here is touched, unless `Change` says so.
    NotOurs(Change),
}
