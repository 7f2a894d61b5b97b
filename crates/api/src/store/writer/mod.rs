//! The one writer of a SQLite file: a thread with a connection of its own, which commits the work of several callers together.
//!
//! SQLite allows one writer at a time, and each commit waits for the disk. Callers that arrive during a commit wait in a queue,
//! in the order of their requesters, and the next transaction runs the work of all of them, one after another. So many callers
//! need hardly more commits than one. SQLite's own lock is left to other processes: a writer that finds it taken sleeps and
//! polls, and one that arrives in between goes first.
//!
//! A write sees what those before it have changed in the same transaction. No caller gets a result before the commit, and if
//! that fails, all of them get the failure, so no result rests on a change that was never stored. A write waits for nothing but
//! SQLite; whatever it waited for would hold up all the others.

mod batch;
mod job;
mod queue;
#[cfg(test)]
mod tests;

use super::any::AnyConnection;
use super::connection::open;
use super::error::StoreError;
use super::events::{self, EventMetrics};
use super::file::{self, DatabaseFile, OpenConnection};
use super::recovery::Condition;
use crate::config::DatabaseUrl;
use crate::gate::{Permit, Requester};
use diesel::prelude::{ConnectionResult, QueryResult};
use diesel::r2d2::R2D2Connection;
use job::{Job, Write, WriteResult};
use parking_lot::Mutex;
use queue::WriteQueue;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// The writer of one file; clones share it. It opens its connection when it is needed, and ends with the last clone.
#[derive(Debug, Clone)]
pub(super) struct Writer(Arc<WriterHandle>);

#[derive(Debug)]
struct WriterHandle {
    queue: Arc<WriteQueue>,
    target: WriteTarget,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the writer writes to.
#[derive(Debug, Clone)]
pub(super) struct WriteTarget {
    pub(super) url: DatabaseUrl,
    pub(super) file: DatabaseFile,
    /// Count the events that it inserts.
    pub(super) events: EventMetrics,
}

impl Writer {
    pub(super) fn of(target: WriteTarget) -> Self {
        Self(Arc::new(WriterHandle { queue: Arc::new(WriteQueue::new()), target, thread: Mutex::default() }))
    }

    /// Runs `work` in a transaction, and returns its result once that is committed. It runs to its end even if the caller stops
    /// waiting.
    ///
    /// # Panics
    /// If `work` panics.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        requester: Requester,
        permit: Permit,
        work: impl FnOnce(&mut AnyConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (caller, result) = oneshot::channel::<WriteResult<T>>();
        self.0.push(Box::new(Write { requester, permit, work, caller }))?;
        match result.await {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(_) => Err(StoreError::Unavailable("its writer has ended".to_owned())),
        }
    }
}

impl WriterHandle {
    /// Queues a job, and starts the thread if there is none.
    fn push(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        let mut thread = self.thread.lock();
        if thread.as_ref().is_none_or(JoinHandle::is_finished) {
            let writer = WriterThread { queue: Arc::clone(&self.queue), target: self.target.clone(), open: None };
            let started = std::thread::Builder::new().name("store.writer".to_owned()).spawn(move || writer.run());
            *thread = Some(started.map_err(|error| StoreError::Unavailable(error.to_string()))?);
        }
        self.queue.push(job);
        Ok(())
    }
}

impl Drop for WriterHandle {
    fn drop(&mut self) {
        self.queue.close();
        // Waits until the file is closed, but not for itself, if a write holds the last clone.
        if let Some(thread) =
            self.thread.lock().take().filter(|thread| thread.thread().id() != std::thread::current().id())
        {
            drop(thread.join());
        }
    }
}

/// The thread.
struct WriterThread {
    queue: Arc<WriteQueue>,
    target: WriteTarget,
    open: Option<WriterConnection>,
}

struct WriterConnection {
    /// Dropped before the connection closes, which may delete the log.
    _open: OpenConnection,
    connection: AnyConnection,
}

impl WriterThread {
    fn run(mut self) {
        events::count_for(self.target.events.clone());
        while let Some(first) = self.queue.wait() {
            self.serve(first);
        }
    }

    /// Runs `first`, and what waits behind it, in one transaction.
    fn serve(&mut self, first: Box<dyn Job>) {
        let waiting = self.queue.len();
        let Self { queue, target, open } = self;
        if target.file.is_lost() {
            return batch::refuse(first, queue, waiting, file::LOST);
        }
        let writer = match connect(target, open) {
            Ok(writer) => writer,
            Err(error) => return batch::refuse(first, queue, waiting, &error.to_string()),
        };
        let condition = batch::commit_together(&mut writer.connection, first, queue);
        // Broken: still inside a transaction.
        if condition != Condition::Sound || writer.connection.is_broken() {
            *open = None;
        }
    }
}

/// Opens a connection, if none is open.
fn connect<'o>(
    target: &WriteTarget,
    open_one: &'o mut Option<WriterConnection>,
) -> ConnectionResult<&'o mut WriterConnection> {
    let writer = match open_one.take() {
        Some(writer) => writer,
        None => WriterConnection { connection: open(&target.url)?, _open: target.file.connected() },
    };
    Ok(open_one.insert(writer))
}
