//! Deletes what is no longer needed: rows as each table declares, surplus events, what is left of deleted accounts, and orphaned
//! files.

use super::batches::in_batches;
use super::clocks::compare_clocks;
use super::erasures;
use crate::clock::WrongClock;
use crate::service::Services;
use crate::service::accounts::orphaned_files;
use crate::service::events::retention;
use crate::service::tables::PruneInput;
use crate::store::StoreError;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// The table whose pruned rows are reported.
const SESSIONS: &str = "sessions";

/// The result of a prune.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pruned {
    /// The number of ended sessions that were deleted, besides everything else.
    Sessions(usize),
    /// Nothing was deleted: a session that has ended by a wrong clock may still be live.
    ClockIsWrong(WrongClock),
}

/// Compares this process's clock with the database's, and prunes if they agree.
///
/// # Errors
/// When the database does not respond; what was deleted stays deleted.
pub async fn compare_clocks_and_prune(services: &Services) -> Result<Pruned, StoreError> {
    // Neither a command nor a process that has just started has compared them before.
    compare_clocks(services).await?;
    match services.clock.checked_now() {
        Ok(now) => prune_at(services, now.get()).await.map(Pruned::Sessions),
        Err(wrong) => Ok(Pruned::ClockIsWrong(wrong)),
    }
}

/// Prunes by this process's clock without comparing it. For tests, whose clocks differ from the database's on purpose; the product runs
/// [`compare_clocks_and_prune`].
pub async fn prune(services: &Services) -> Result<usize, StoreError> {
    prune_at(services, services.now()).await
}

/// Prunes in batches, and returns how many ended sessions were deleted.
///
/// # Errors
/// When the database does not respond; what was deleted stays deleted.
async fn prune_at(services: &Services, now: DateTime<Utc>) -> Result<usize, StoreError> {
    erasures::finish_all(services).await?;
    let input = PruneInput { now, settings: Arc::clone(&services.settings), mails: Arc::clone(&services.mails) };
    let mut ended = 0;
    // Referring rows are deleted first, so that deleting a row they refer to costs one row.
    for table in services.schema.tables.iter().rev() {
        for delete in &table.prunes {
            let delete = Arc::clone(delete);
            let input = input.clone();
            let rows = in_batches(services, move |connection, batch| delete(connection, &input, batch)).await?;
            ended += if table.layout.name == SESSIONS { rows } else { 0 };
        }
    }
    retention::prune_events(services).await?;
    orphaned_files::prune(services, now).await?;
    Ok(ended)
}
