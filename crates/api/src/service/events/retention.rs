//! What is kept of an account, and for how long. The bounds hold at all times: [`keep_up`] runs every few seconds and looks
//! at what has changed since, and `prune` looks at everything once an hour.

use crate::service::Services;
use crate::service::upkeep::batches::in_batches;
use crate::store::{StoreError, events};
use auth_types::UserId;

/// How often [`keep_up`] runs, seconds. Until it does, an account has as many events too many as it has made since.
pub const EVERY_SECONDS: u64 = 10;
/// Most events of an account that are kept: the newest.
pub const EVENTS_OF_A_USER: i64 = 10_000;
/// Most events that belong to no account: one remains of each account that was deleted.
pub const EVENTS_OF_NOBODY: i64 = 100_000;
/// How long an event is kept: days.
pub const EVENT_DAYS: i64 = 400;
/// Events, or users, that are looked at in one go. Each user among them may have as many events as are kept.
const LOOKED_AT: i64 = 100;

/// Deletes events of the accounts that have had one since the event `after` and have too many. Returns the event that the next call goes on from.
///
/// # Errors
/// [`StoreError`]; what was deleted stays deleted.
pub async fn keep_up(services: &Services, after: i64) -> Result<i64, StoreError> {
    let end = newest_event(services).await?;
    let mut done = after;
    while done < end {
        let look =
            move |connection: &mut _| events::recent_users_with_surplus(connection, done, EVENTS_OF_A_USER, LOOKED_AT);
        let (users, last) = services.store.run(look).await?;
        trim(services, users).await?;
        done = last.unwrap_or(end);
    }
    Ok(done)
}

/// Where [`keep_up`] begins: what is there already `prune` looks at.
pub async fn newest_event(services: &Services) -> Result<i64, StoreError> {
    services.store.run(events::newest_id).await
}

/// Deletes every event that is one too many of its account.
///
/// # Errors
/// [`StoreError`]; what was deleted stays deleted.
pub(in crate::service) async fn prune_events(services: &Services) -> Result<(), StoreError> {
    let mut after = Some(0);
    while let Some(done) = after {
        let look = move |connection: &mut _| events::users_with_surplus(connection, done, EVENTS_OF_A_USER, LOOKED_AT);
        let (users, last) = services.store.run(look).await?;
        trim(services, users).await?;
        after = last;
    }
    Ok(())
}

async fn trim(services: &Services, users: Vec<UserId>) -> Result<(), StoreError> {
    for user in users {
        let surplus =
            move |connection: &mut _, batch| events::delete_surplus(connection, user, EVENTS_OF_A_USER, batch);
        in_batches(services, surplus).await?;
    }
    Ok(())
}
