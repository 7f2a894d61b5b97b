//! Work on many rows in batches, each in a transaction of its own, with pauses in between.

use crate::clock::Stopwatch;
use crate::service::Services;
use crate::store::{AnyConnection, QueryResult, StoreError};
use std::time::Duration;

/// Rows of a batch: a few milliseconds of work, so that no lock is held for long and no statement times out.
pub(in crate::service) const BATCH: i64 = 1_000;
/// The pause after a batch is as long as the batch took, within these bounds, so that others have half of the time. On SQLite
/// a waiting writer polls the lock, and would never find it free without a pause.
const MIN_PAUSE: Duration = Duration::from_millis(10);
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// Repeats `work`, which receives the size of a batch and returns how many rows it changed, until nothing is left to do.
/// Returns the total number of changed rows.
///
/// # Errors
/// [`StoreError`]; what was done stays done.
pub(in crate::service) async fn in_batches(
    services: &Services,
    work: impl Fn(&mut AnyConnection, i64) -> QueryResult<usize> + Clone + Send + 'static,
) -> Result<usize, StoreError> {
    let mut total = 0;
    loop {
        let work = work.clone();
        let took = Stopwatch::start();
        let rows = services.store.write(move |connection| work(connection, BATCH)).await?;
        total += rows;
        if i64::try_from(rows).is_ok_and(|rows| rows < BATCH) {
            return Ok(total);
        }
        tokio::time::sleep(took.elapsed().clamp(MIN_PAUSE, MAX_PAUSE)).await;
    }
}
