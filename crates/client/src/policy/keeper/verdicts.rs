//! What a tab sees, and what a request of it is to do.

use crate::policy::answer::Trouble;
use crate::policy::time::Now;
use crate::policy::tokens::Tokens;
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
