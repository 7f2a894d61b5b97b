//! Which sessions were revoked within the last access lifetime, in memory.

use crate::clock::SharedTime;
use auth_types::SessionId;
use chrono::Duration;
use parking_lot::RwLock;
use std::collections::HashMap;

/// What the feed keeps.
#[derive(Debug, Default)]
struct FeedState {
    revoked: HashMap<SessionId, SharedTime>,
    polled_at: Option<SharedTime>,
}

/// The sessions that were revoked lately.
#[derive(Debug, Default)]
pub struct RevocationFeed {
    known: RwLock<FeedState>,
}

impl RevocationFeed {
    /// Whether the session was revoked.
    pub fn is_revoked(&self, session: SessionId) -> bool {
        self.known.read().revoked.contains_key(&session)
    }

    /// Notes this process's own revocations, at once.
    pub fn insert(&self, sessions: impl IntoIterator<Item = SessionId>, at: SharedTime) {
        self.known.write().revoked.extend(sessions.into_iter().map(|session| (session, at)));
    }

    /// When the feed last heard from the database.
    pub fn polled_at(&self) -> Option<SharedTime> {
        self.known.read().polled_at
    }

    pub(in crate::service) fn merge(&self, news: Vec<(SessionId, SharedTime)>, now: SharedTime, keep: Duration) {
        let mut known = self.known.write();
        known.revoked.extend(news);
        known.revoked.retain(|_, revoked_at| revoked_at.0 + keep > now.0);
        known.polled_at = Some(now);
    }
}
