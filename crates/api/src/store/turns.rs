//! Who may work on the database now: as many at once as there are connections, a short queue, then "unavailable".
//!
//! Each piece of work holds a thread. Without a bound, requests to a database that does not answer would take hundreds
//! of threads and any amount of memory.

use super::StoreError;
use crate::clock::Stopwatch;
use crate::metrics::DatabaseMetrics;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many may wait for each connection: half a second of work, when a statement takes a few milliseconds.
const WAITING_PER_CONNECTION: usize = 64;

/// The queue before the pool.
#[derive(Debug, Clone)]
pub(super) struct Turns {
    places: Arc<Semaphore>,
    connections: Arc<Semaphore>,
    patience: Duration,
    metrics: DatabaseMetrics,
}

/// The right to use a connection, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    _connection: OwnedSemaphorePermit,
    _place: OwnedSemaphorePermit,
}

impl Turns {
    pub(super) fn new(connections: u32, patience: Duration, metrics: DatabaseMetrics) -> Self {
        let connections = connections as usize;
        Self {
            places: Arc::new(Semaphore::new(connections * (1 + WAITING_PER_CONNECTION))),
            connections: Arc::new(Semaphore::new(connections)),
            patience,
            metrics,
        }
    }

    /// Waits for a turn; who stops waiting gives their place away.
    pub(super) async fn take(&self) -> Result<Turn, StoreError> {
        let unavailable = |why: &str| {
            self.metrics.refused.inc();
            StoreError::Unavailable(why.to_owned())
        };
        let waited = Stopwatch::start();
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| unavailable("too many requests wait for the database"))?;
        let connection = tokio::time::timeout(self.patience, Arc::clone(&self.connections).acquire_owned()).await;
        match connection {
            Ok(Ok(connection)) => {
                self.metrics.waits.observe(waited.elapsed().as_secs_f64());
                Ok(Turn { _connection: connection, _place: place })
            }
            Ok(Err(_)) | Err(_) => Err(unavailable("no connection was free in time")),
        }
    }
}
