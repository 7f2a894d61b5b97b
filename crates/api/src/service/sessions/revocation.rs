//! Polls the database for the revocation feed: each process keeps in memory which sessions were revoked within the last access lifetime, so that
//! their access tokens are refused at once and no request queries the database.

use crate::service::Services;
use crate::store::{StoreError, sessions};
use chrono::Duration;

/// How often other processes' revocations are read, seconds.
pub const POLL_SECONDS: u64 = 1;
/// Longest time without a revocation poll before this process stops calling itself ready, seconds.
pub const FEED_STALE_SECONDS: i64 = 10;
/// How far each poll reaches back before the last one, seconds: rows commit out of order, by as much as a request may take
/// (13 s). Until it notices, another process's clock may differ by [`MAX_CLOCK_SKEW`](crate::clock::MAX_CLOCK_SKEW) (60 s); after that
/// it writes the database's time.
const OVERLAP_SECONDS: i64 = 75;

/// Reads what was revoked since the last poll. The first poll reads two access lifetimes, as does one after the clock was set
/// back.
///
/// # Errors
/// When the database does not respond; the feed stays as it was.
pub async fn poll(services: &Services) -> Result<(), StoreError> {
    let now = services.shared_now();
    let overlap = Duration::seconds(OVERLAP_SECONDS);
    // By another clock tokens may be valid for longer: keep twice the lifetime.
    let keep = services.settings.lifetimes.access * 2 + overlap;
    // A clock that was set back had been ahead: revocations may have been dropped whose tokens are valid again, so everything
    // is read again, as at the start.
    let last = services.feed.polled_at().filter(|last| *last <= now);
    let since = last.map_or(now.get() - keep, |last| last.get() - overlap);
    let revoked = services.store.run(move |connection| sessions::list_revoked(connection, since)).await?;
    services.feed.merge(revoked, now, keep);
    Ok(())
}
