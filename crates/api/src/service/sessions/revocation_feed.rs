//! Which sessions were revoked within the last access lifetime, in memory.

use crate::clock::SharedTime;
use auth_types::SessionId;
use chrono::Duration;
use parking_lot::RwLock;
use std::collections::HashMap;

/// The contents of the feed.
#[derive(Debug, Default)]
struct FeedState {
    revoked: HashMap<SessionId, SharedTime>,
    polled_at: Option<SharedTime>,
}

/// The recently revoked sessions.
#[derive(Debug, Default)]
pub struct RevocationFeed {
    state: RwLock<FeedState>,
}

impl RevocationFeed {
    /// Whether the session was revoked.
    pub fn is_revoked(&self, session: SessionId) -> bool {
        self.state.read().revoked.contains_key(&session)
    }

    /// Adds this process's own revocations, without waiting for the poll.
    pub fn insert(&self, sessions: impl IntoIterator<Item = SessionId>, at: SharedTime) {
        self.state.write().revoked.extend(sessions.into_iter().map(|session| (session, at)));
    }

    /// When the feed was last read from the database.
    pub fn polled_at(&self) -> Option<SharedTime> {
        self.state.read().polled_at
    }

    pub(in crate::service) fn merge(&self, revoked: Vec<(SessionId, SharedTime)>, now: SharedTime, keep: Duration) {
        let mut state = self.state.write();
        state.revoked.extend(revoked);
        state.revoked.retain(|_, revoked_at| revoked_at.get() + keep > now.get());
        state.polled_at = Some(now);
    }
}
