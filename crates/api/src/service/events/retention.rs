//! How many events are kept, and for how long. [`prune_recent`] enforces the bounds every few seconds for recent events, and `prune`
//! once an hour for all.

use crate::service::Services;
use crate::service::upkeep::batches::in_batches;
use crate::store::{StoreError, events};
use auth_types::UserId;

/// How often [`prune_recent`] runs, seconds. In between, an account may exceed its bound by its events since the last run.
pub const EVERY_SECONDS: u64 = 10;
/// Maximum number of events of an account; the newest are kept.
pub const EVENTS_OF_A_USER: i64 = 10_000;
/// Maximum number of events without an account; one remains of each deleted account.
pub const EVENTS_WITHOUT_ACCOUNT: i64 = 100_000;
/// How long an event is kept, days.
pub const EVENT_DAYS: i64 = 400;
/// Events or users that are read at once. Each of those users may have the maximum number of events.
const READ_AT_ONCE: i64 = 100;

/// Deletes surplus events of the accounts that had an event after the event `after`. Returns the event from which the next call
/// continues.
///
/// # Errors
/// [`StoreError`]; what was deleted stays deleted.
pub async fn prune_recent(services: &Services, after: i64) -> Result<i64, StoreError> {
    let end = newest_event(services).await?;
    let mut done = after;
    while done < end {
        let find = move |connection: &mut _| {
            events::recent_users_with_surplus(connection, done, EVENTS_OF_A_USER, READ_AT_ONCE)
        };
        let (users, last) = services.store.run(find).await?;
        trim(services, users).await?;
        done = last.unwrap_or(end);
    }
    Ok(done)
}

/// The event after which [`prune_recent`] begins: `prune` handles the existing ones.
pub async fn newest_event(services: &Services) -> Result<i64, StoreError> {
    services.store.run(events::newest_id).await
}

/// Deletes the surplus events of all accounts.
///
/// # Errors
/// [`StoreError`]; what was deleted stays deleted.
pub(in crate::service) async fn prune_events(services: &Services) -> Result<(), StoreError> {
    let mut after = Some(0);
    while let Some(done) = after {
        let find =
            move |connection: &mut _| events::users_with_surplus(connection, done, EVENTS_OF_A_USER, READ_AT_ONCE);
        let (users, last) = services.store.run(find).await?;
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
