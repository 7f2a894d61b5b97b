//! Deletes what nobody needs any more: what each table says of its own rows, events that an account has too many of, what is
//! left of deleted accounts, files that no row names.

use super::batches::in_batches;
use super::clocks::compare_clocks;
use super::erasures;
use crate::clock::WrongClock;
use crate::service::Services;
use crate::service::accounts::orphaned_files;
use crate::service::events::retention;
use crate::service::tables::Due;
use crate::store::StoreError;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// Whose rows are told of.
const SESSIONS: &str = "sessions";

/// What a prune came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pruned {
    /// So many ended sessions were deleted, and all the rest of it.
    Sessions(usize),
    /// Nothing was: what is over by such a clock may be anybody's live session.
    ByAWrongClock(WrongClock),
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
        Err(wrong) => Ok(Pruned::ByAWrongClock(wrong)),
    }
}

/// Deletes all of that by the clock, whether it is right or not.
pub async fn prune(services: &Services) -> Result<usize, StoreError> {
    prune_at(services, services.now()).await
}

/// Deletes all of that in batches, and returns how many ended sessions there were.
///
/// # Errors
/// When the database does not answer; what was deleted stays deleted.
async fn prune_at(services: &Services, now: DateTime<Utc>) -> Result<usize, StoreError> {
    erasures::finish(services, DateTime::<Utc>::UNIX_EPOCH).await?;
    let due = Due { now, settings: Arc::clone(&services.settings) };
    let mut ended = 0;
    // What refers to other rows goes first, so that each of those costs one row.
    for table in services.schema.tables.iter().rev() {
        for delete in &table.prunes {
            let (delete, due) = (Arc::clone(delete), due.clone());
            let rows = in_batches(services, move |connection, batch| delete(connection, &due, batch)).await?;
            ended += if table.layout.name == SESSIONS { rows } else { 0 };
        }
    }
    retention::prune_events(services).await?;
    orphaned_files::prune(services, now).await?;
    Ok(ended)
}
