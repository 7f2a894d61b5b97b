//! Which sessions were revoked while their access tokens may be valid, in memory.

use crate::clock::SharedTime;
use auth_types::SessionId;
use chrono::Duration;
use parking_lot::RwLock;
use std::collections::HashMap;

/// A poll of the database.
#[derive(Debug, Clone, Copy)]
pub(in crate::service) struct FeedPoll {
    pub(in crate::service) at: SharedTime,
    /// How long the feed keeps a revoked session.
    pub(in crate::service) retention: Duration,
}

/// The contents of the feed.
#[derive(Debug, Default)]
struct FeedState {
    revoked: HashMap<SessionId, SharedTime>,
    last_poll: Option<FeedPoll>,
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
        self.last_poll().map(|last| last.at)
    }

    pub(in crate::service) fn last_poll(&self) -> Option<FeedPoll> {
        self.state.read().last_poll
    }

    pub(in crate::service) fn merge(
        &self,
        revoked: Vec<(SessionId, SharedTime)>,
        now: SharedTime,
        retention: Duration,
    ) {
        let mut state = self.state.write();
        state.revoked.extend(revoked);
        state.revoked.retain(|_, revoked_at| revoked_at.get() + retention > now.get());
        state.last_poll = Some(FeedPoll { at: now, retention });
    }
}
