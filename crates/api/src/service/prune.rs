//! Deletes what nobody needs any more: sessions that ended long ago, links that ran out, networks that were not seen for
//! long, events of last year, what is left of deleted accounts, files that no row names.

use super::{Services, strays};
use crate::store::{StoreError, events, known_networks, one_time_tokens, sessions, users};
use chrono::Duration;

/// How long an ended session or a link is kept, for its owner's questions, and the row of a deleted account: days.
const KEEP_DAYS: i64 = 7;
/// How long an event is kept: days. A stranger makes one with each failed sign-in, so they must not stay for ever.
const KEEP_EVENTS_DAYS: i64 = 365;
/// Rows a statement deletes, so that no lock is held for long.
const BATCH: i64 = 1_000;

/// Deletes every session that ended and every link that ran out more than a week ago, in batches, and answers how many
/// sessions there were; and forgets the networks from which an account was not signed in to for as long as a session can
/// live, the events of more than a year ago, the rows of accounts that were deleted more than a week ago, and the files
/// that no row names.
///
/// # Errors
/// When the database does not answer; what was deleted stays deleted.
pub async fn prune(services: &Services) -> Result<usize, StoreError> {
    let unseen_since = services.now() - services.settings.lifetimes.session;
    services.store.run(move |connection| known_networks::delete_unseen(connection, unseen_since)).await?;
    let before = services.now() - Duration::days(KEEP_DAYS);
    while services.store.run(move |connection| one_time_tokens::delete_expired(connection, before, BATCH)).await? > 0 {}
    let last_year = services.now() - Duration::days(KEEP_EVENTS_DAYS);
    while services.store.run(move |connection| events::delete_oldest(connection, last_year, BATCH)).await? > 0 {}
    while services.store.run(move |connection| users::delete_erased(connection, before, BATCH)).await? > 0 {}
    strays::prune(services).await?;
    let mut total = 0;
    loop {
        let deleted = services.store.run(move |connection| sessions::delete_ended(connection, before, BATCH)).await?;
        total += deleted;
        if deleted == 0 {
            return Ok(total);
        }
    }
}
