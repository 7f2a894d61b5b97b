//! Work on many rows: in batches, each a transaction of its own, with pauses between them.

use crate::clock::Stopwatch;
use crate::service::Services;
use crate::store::{AnyConnection, QueryResult, StoreError};
use std::time::Duration;

/// Rows of a batch: a few milliseconds of work, so that no lock is held for long and no statement meets its time-out.
pub(in crate::service) const BATCH: i64 = 1_000;
/// The pause after a batch is as long as the batch took, within these bounds: half of the time belongs to others. On
/// SQLite, whoever wants to write looks again from time to time, and finds the file locked if there is no pause.
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Does `work`, which gets the size of a batch and returns how many rows it changed, until there is nothing left to do.
/// Returns how many rows it changed in all.
///
/// # Errors
/// [`StoreError`]; what was done stays done.
pub(in crate::service) async fn in_batches(
    services: &Services,
    work: impl Fn(&mut AnyConnection, i64) -> QueryResult<usize> + Clone + Send + 'static,
) -> Result<usize, StoreError> {
    let mut total = 0;
    loop {
        let (work, took) = (work.clone(), Stopwatch::start());
        let rows = services.store.write(move |connection| work(connection, BATCH)).await?;
        total += rows;
        if i64::try_from(rows).is_ok_and(|rows| rows < BATCH) {
            return Ok(total);
        }
        tokio::time::sleep(took.elapsed().clamp(SHORTEST_PAUSE, LONGEST_PAUSE)).await;
    }
}
