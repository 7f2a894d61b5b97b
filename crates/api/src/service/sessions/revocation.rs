//! The revoked-session feed: each process knows in memory which sessions were revoked within the last access lifetime,
//! so that their access tokens are refused at once and no request asks the database.

use super::Services;
use crate::store::{StoreError, sessions};
use auth_types::SessionId;
use chrono::{DateTime, Duration, Utc};
use parking_lot::RwLock;
use std::collections::HashMap;

/// How often other processes' revocations are read, seconds.
pub const POLL_SECONDS: u64 = 1;
/// Longest time without a revocation poll before this process stops calling itself ready, seconds.
pub const FEED_STALE_SECONDS: i64 = 10;
/// How far each poll reaches back behind the last, seconds: rows commit out of order, by as much as a request may take
/// (13 s), and another process's clock may differ, by as much as its tokens are taken all the same (60 s).
const OVERLAP_SECONDS: i64 = 75;

/// What the feed keeps.
#[derive(Debug, Default)]
struct Known {
    revoked: HashMap<SessionId, DateTime<Utc>>,
    polled_at: Option<DateTime<Utc>>,
}

/// The sessions that were revoked lately.
#[derive(Debug, Default)]
pub struct RevocationFeed {
    known: RwLock<Known>,
}

impl RevocationFeed {
    /// Whether the session was revoked.
    #[must_use]
    pub fn is_revoked(&self, session: SessionId) -> bool {
        self.known.read().revoked.contains_key(&session)
    }

    /// Notes this process's own revocations, at once.
    pub fn insert(&self, sessions: impl IntoIterator<Item = SessionId>, at: DateTime<Utc>) {
        self.known.write().revoked.extend(sessions.into_iter().map(|session| (session, at)));
    }

    /// When the feed last heard from the database.
    #[must_use]
    pub fn polled_at(&self) -> Option<DateTime<Utc>> {
        self.known.read().polled_at
    }

    fn merge(&self, news: Vec<(SessionId, DateTime<Utc>)>, now: DateTime<Utc>, keep: Duration) {
        let mut known = self.known.write();
        known.revoked.extend(news);
        known.revoked.retain(|_, revoked_at| *revoked_at + keep > now);
        known.polled_at = Some(now);
    }
}

/// Reads what was revoked since the last poll. The first one reads two access lifetimes, as does one after the clock was set
/// back.
///
/// # Errors
/// When the database does not answer; what is known stays.
pub async fn poll(services: &Services) -> Result<(), StoreError> {
    let now = services.now();
    let overlap = Duration::seconds(OVERLAP_SECONDS);
    // Another clock may hold tokens valid for longer: keep twice the lifetime.
    let keep = services.settings.lifetimes.access * 2 + overlap;
    // A clock that is set back has been ahead: then revocations were forgotten whose tokens are valid again, so that all that
    // is kept is read, as at the start.
    let last = services.feed.polled_at().filter(|last| *last <= now);
    let since = last.map_or(now - keep, |last| last - overlap);
    let news = services.store.run(move |connection| sessions::list_revoked(connection, since)).await?;
    services.feed.merge(news, now, keep);
    Ok(())
}
