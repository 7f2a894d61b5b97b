//! Polls the database for the revocation feed: each process keeps in memory which sessions were revoked while their access tokens may be
//! valid, so that these are refused at once and no request queries the database.

use crate::config::Settings;
use crate::service::Services;
use crate::store::access_lifetimes::{self, AccessLifetime};
use crate::store::{StoreError, sessions};
use chrono::{DateTime, Duration, Utc};
use std::sync::Arc;

/// How often other processes' revocations are read, seconds.
pub const POLL_SECONDS: u64 = 1;
/// Longest time without a revocation poll before this process stops calling itself ready, seconds.
pub const FEED_STALE_SECONDS: i64 = 10;
/// How far each poll reaches back before the last one, seconds: rows commit out of order, by as much as a request may take
/// (13 s). Until it notices, another process's clock may differ by [`MAX_CLOCK_SKEW`](crate::clock::MAX_CLOCK_SKEW) (60 s); after that
/// it writes the database's time.
const OVERLAP: Duration = Duration::seconds(75);
/// How often a process checks that the lifetime of its tokens is recorded, seconds.
pub const RECORD_SECONDS: u64 = 60;
/// How far ahead a process records that it issues tokens, so that it need not be exact about when it ends.
const RECORDED_AHEAD: Duration = Duration::hours(1);

/// Reads what was revoked since the last poll. The first poll reads all revoked sessions whose access tokens may be valid, as does one
/// after the clock was set back, or after a process has started to issue tokens with a longer lifetime.
///
/// # Errors
/// When the database does not respond; the feed stays as it was.
pub async fn poll(services: &Services) -> Result<(), StoreError> {
    let now = services.shared_now();
    let settings = Arc::clone(&services.settings);
    // A clock that was set back had been ahead: revocations may have been dropped whose tokens are valid again.
    let last = services.feed.last_poll().filter(|last| last.at <= now);
    let read = services.store.run(move |connection| {
        let lifetimes = access_lifetimes::list(connection)?;
        let retention = feed_retention(&lifetimes, &settings, now.get());
        let since = match last.filter(|last| last.retention >= retention) {
            Some(last) => last.at.get() - OVERLAP,
            None => now.get() - retention,
        };
        Ok((sessions::list_revoked(connection, since)?, retention))
    });
    let (revoked, retention) = read.await?;
    services.feed.merge(revoked, now, retention);
    Ok(())
}

/// How long a revoked session is remembered: until every access token that it may have has expired, with whatever lifetime a process has
/// issued it. A process whose clock is behind accepts it for longer: twice the lifetime allows for a clock that is behind by a whole one.
pub(in crate::service) fn feed_retention(
    lifetimes: &[AccessLifetime],
    settings: &Settings,
    now: DateTime<Utc>,
) -> Duration {
    let retention = |lifetime: Duration| lifetime * 2 + OVERLAP;
    let recent = lifetimes.iter().filter(|known| known.used_until + retention(known.lifetime) > now);
    retention(recent.map(|known| known.lifetime).fold(settings.lifetimes.access, Duration::max))
}

/// Records the lifetime of the tokens that this process issues: other processes, and this database's later ones, must know it.
///
/// This is not part of [`poll`], which must not wait for a database that takes no writes. Such a database lets no session begin or rotate
/// either, so a failure is only logged.
pub async fn record_own_lifetime(services: &Services) {
    let now = services.shared_now().get();
    let own = AccessLifetime { lifetime: services.settings.lifetimes.access, used_until: now + RECORDED_AHEAD };
    let is_recorded =
        move |known: &AccessLifetime| known.lifetime == own.lifetime && known.used_until > now + RECORDED_AHEAD / 2;
    let store = &services.store;
    let recorded = async {
        if store.run(access_lifetimes::list).await?.iter().any(is_recorded) {
            return Ok(());
        }
        store.write_statement(move |connection| access_lifetimes::record(connection, own)).await
    };
    if let Err(error) = recorded.await {
        log::warn!("revocation.lifetime: the lifetime of access tokens is not recorded: {error}");
    }
}
