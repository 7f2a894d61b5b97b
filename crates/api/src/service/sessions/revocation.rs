//! The revoked-session feed: each process knows in memory which sessions were revoked within the last access lifetime,
//! so that their access tokens are refused at once and no request asks the database.

use crate::service::Services;
use crate::store::{StoreError, sessions};
use chrono::Duration;

/// How often other processes' revocations are read, seconds.
pub const POLL_SECONDS: u64 = 1;
/// Longest time without a revocation poll before this process stops calling itself ready, seconds.
pub const FEED_STALE_SECONDS: i64 = 10;
/// How far each poll reaches back behind the last, seconds: rows commit out of order, by as much as a request may take
/// (13 s). Another process's clock may differ by as much as its tokens are taken all the same (60 s), before it knows that; then
/// it writes the database's time.
const OVERLAP_SECONDS: i64 = 75;

/// Reads what was revoked since the last poll. The first one reads two access lifetimes, as does one after the clock was set
/// back.
///
/// # Errors
/// When the database does not answer; what is known stays.
pub async fn poll(services: &Services) -> Result<(), StoreError> {
    let now = services.shared_now();
    let overlap = Duration::seconds(OVERLAP_SECONDS);
    // Another clock may hold tokens valid for longer: keep twice the lifetime.
    let keep = services.settings.lifetimes.access * 2 + overlap;
    // A clock that is set back has been ahead: then revocations were forgotten whose tokens are valid again, so that all that
    // is kept is read, as at the start.
    let last = services.feed.polled_at().filter(|last| *last <= now);
    let since = last.map_or(now.0 - keep, |last| last.0 - overlap);
    let news = services.store.run(move |connection| sessions::list_revoked(connection, since)).await?;
    services.feed.merge(news, now, keep);
    Ok(())
}
