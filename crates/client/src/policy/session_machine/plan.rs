//! What a tab sees, and what a request of it is to do.

use crate::policy::response::TransientError;
use crate::policy::time::Now;
use crate::policy::tokens::SessionTokens;
use std::time::Duration;

/// What storage holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorageContent {
    /// Nothing, so whoever shares it is signed out.
    Empty,
    /// These.
    Tokens(Box<SessionTokens>),
    /// It cannot be used in this browser; memory is all there is.
    Unavailable,
}

/// What storage held, and when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageSnapshot {
    /// What it held.
    pub stored: StorageContent,
    /// The moment, which is taken for the present.
    pub now: Now,
}

/// What to do for a request that needs an access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenPlan {
    /// There is no session.
    SignedOut,
    /// Send the access token of these.
    Use(Box<SessionTokens>),
    /// Refresh these first.
    Refresh(Box<SessionTokens>),
    /// Not now: the last refresh failed, and it is too early for the next.
    Wait {
        /// What is wrong.
        error: TransientError,
        /// How much longer to wait.
        remaining: Duration,
    },
}
