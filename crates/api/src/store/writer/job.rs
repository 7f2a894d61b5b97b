//! One caller's work for the writer.

use crate::gate::{Permit, Requester};
use crate::store::any::AnyConnection;
use crate::store::error::StoreError;
use crate::store::recovery::{self, Condition};
use diesel::prelude::QueryResult;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tokio::sync::oneshot;

/// What a caller receives; the outer error is a panic of its work.
pub(super) type WriteResult<T> = std::thread::Result<Result<T, StoreError>>;

/// Work whose type the writer does not know.
pub(super) trait Job: Send {
    /// On whose behalf it writes.
    fn requester(&self) -> Requester;
    /// Runs the work, in a transaction.
    fn run(self: Box<Self>, connection: &mut AnyConnection) -> Ran;
    /// Tells the caller why the work was not run.
    fn refuse(self: Box<Self>, cause: &str);
}

impl std::fmt::Debug for dyn Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").field("requester", &self.requester()).finish_non_exhaustive()
    }
}

/// Work that has run but is not committed.
pub(super) struct Ran {
    /// Whether its changes are to be committed. If not, in which condition it left the connection.
    pub(super) kept: Result<(), Condition>,
    pub(super) reply: Reply,
}

/// Gives the caller the result of its work, or the cause why the transaction was not committed.
pub(super) type Reply = Box<dyn FnOnce(Result<(), &str>) + Send>;

/// A caller's work, and the caller.
pub(super) struct Write<T, W> {
    pub(super) requester: Requester,
    /// Returned when the work has run, so that others are ready when the commit has been flushed.
    pub(super) permit: Permit,
    pub(super) work: W,
    pub(super) caller: oneshot::Sender<WriteResult<T>>,
}

impl<T, W> Job for Write<T, W>
where
    T: Send + 'static,
    W: FnOnce(&mut AnyConnection) -> QueryResult<T> + Send,
{
    fn requester(&self) -> Requester {
        self.requester
    }

    fn run(self: Box<Self>, connection: &mut AnyConnection) -> Ran {
        let Self { permit, work, caller, .. } = *self;
        let result = catch_unwind(AssertUnwindSafe(|| work(connection)));
        drop(permit);
        let kept = match &result {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(recovery::reset_after(connection, error)),
            Err(_) => Err(Condition::Unsound),
        };
        let reply = move |committed: Result<(), &str>| {
            let result = result.map(|result| match committed {
                Ok(()) => result.map_err(StoreError::from_query),
                // The result may rest on what another write had changed in the same transaction.
                Err(cause) => Err(StoreError::Unavailable(cause.to_owned())),
            });
            drop(caller.send(result)); // the caller may have stopped waiting
        };
        Ran { kept, reply: Box::new(reply) }
    }

    fn refuse(self: Box<Self>, cause: &str) {
        drop(self.caller.send(Ok(Err(StoreError::Unavailable(cause.to_owned())))));
    }
}
