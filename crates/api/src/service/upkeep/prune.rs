//! Deletes what nobody needs any more: sessions that ended long ago, links and sign-ups that ran out, networks that
//! were not seen for long, mails that count no more, steps that cannot be repeated any more, events that are too old or too
//! many, what is left of deleted accounts, files that no row names.

use super::batches::in_batches;
use super::clocks::compare_clocks;
use crate::clock::WrongClock;
use crate::service::accounts::strays;
use crate::service::events::retention;
use crate::service::{Services, mail, steps};
use crate::store::{
    StoreError, completed_steps, known_networks, one_time_tokens, pending_registrations, sent_mails, sessions, users,
};
use chrono::{DateTime, Duration, Utc};

/// How long an ended session or a link is kept, for its owner's questions, and the row of a deleted account: days.
const KEEP_DAYS: i64 = 7;
/// How many pending registrations are kept in all: what a flood from very many addresses may leave for a day.
const MOST_REGISTRATIONS: i64 = 1_000_000;

/// What a prune came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pruned {
    /// So many ended sessions were deleted, and all the rest of it.
    Sessions(usize),
    /// Nothing was: the clock differs from the database's by so many seconds, and what is over by it may be anybody's live
    /// session.
    ByAWrongClock(i64),
}

/// Deletes all of that, by a clock that agrees with the database's only.
///
/// # Errors
/// When the database does not answer; what was deleted stays deleted.
pub async fn prune_by_a_right_clock(services: &Services) -> Result<Pruned, StoreError> {
    // A command has not compared them before, nor has a process that has just started.
    compare_clocks(services).await?;
    let now = services.now();
    match services.clock.check() {
        Ok(()) => prune_at(services, now).await.map(Pruned::Sessions),
        Err(WrongClock(seconds)) => Ok(Pruned::ByAWrongClock(seconds)),
    }
}

/// Deletes all of that by the clock, whether it is right or not.
///
/// # Errors
/// As [`prune_by_a_right_clock`].
pub async fn prune(services: &Services) -> Result<usize, StoreError> {
    prune_at(services, services.now()).await
}

/// Deletes all of that in batches, and returns how many ended sessions there were.
///
/// # Errors
/// When the database does not answer; what was deleted stays deleted.
async fn prune_at(services: &Services, now: DateTime<Utc>) -> Result<usize, StoreError> {
    retention::finish_erasures(services, DateTime::<Utc>::UNIX_EPOCH).await?;
    let before = now - Duration::days(KEEP_DAYS);
    let ended =
        in_batches(services, move |connection, batch| sessions::delete_ended(connection, before, batch)).await?;
    // Nothing refers to these users any more by now, so that each costs one row.
    in_batches(services, move |connection, batch| users::delete_erased(connection, before, batch)).await?;
    in_batches(services, move |connection, batch| one_time_tokens::delete_expired(connection, before, batch)).await?;
    prune_registrations(services, now).await?;
    let unseen_since = now - services.settings.lifetimes.session;
    let unseen = move |connection: &mut _, batch| known_networks::delete_unseen(connection, unseen_since, batch);
    in_batches(services, unseen).await?;
    let counted_until = now - mail::WINDOW;
    let counted = move |connection: &mut _, batch| sent_mails::delete_old(connection, counted_until, batch);
    in_batches(services, counted).await?;
    let repeatable_until = now - steps::REPEATABLE;
    let repeated = move |connection: &mut _, batch| completed_steps::delete_old(connection, repeatable_until, batch);
    in_batches(services, repeated).await?;
    retention::prune_events(services, now).await?;
    strays::prune(services, now).await?;
    Ok(ended)
}

/// Those that ran out cannot be confirmed any more.
async fn prune_registrations(services: &Services, now: DateTime<Utc>) -> Result<(), StoreError> {
    in_batches(services, move |connection, batch| pending_registrations::delete_expired(connection, now, batch))
        .await?;
    let surplus =
        |connection: &mut _, batch| pending_registrations::delete_oldest(connection, MOST_REGISTRATIONS, batch);
    in_batches(services, surplus).await?;
    Ok(())
}
