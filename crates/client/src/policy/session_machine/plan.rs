//! What a tab reads from storage, and what its next request should do.

use crate::policy::response::TransientError;
use crate::policy::time::Now;
use crate::policy::tokens::SessionTokens;
use std::time::Duration;

/// What storage contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorageContent {
    /// No tokens, so every tab that shares the storage is signed out.
    Empty,
    /// The tokens of a session.
    Tokens(Box<SessionTokens>),
    /// The browser grants no storage; the tokens exist in memory only.
    Unavailable,
}

/// The content of storage at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageSnapshot {
    /// The content.
    pub stored: StorageContent,
    /// When it was read; used as the current time.
    pub now: Now,
}

/// What to do for a request that needs an access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenPlan {
    /// There is no session.
    SignedOut,
    /// Send the access token of these tokens.
    Use(Box<SessionTokens>),
    /// Refresh these tokens first.
    Refresh(Box<SessionTokens>),
    /// The last refresh failed, and it is too early for the next one.
    Wait {
        /// Why it failed.
        error: TransientError,
        /// How much longer to wait.
        remaining: Duration,
    },
}
