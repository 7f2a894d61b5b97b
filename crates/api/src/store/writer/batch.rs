//! One transaction of the writer, with the work of one caller or of several.

use super::job::{Job, Ran, Reply};
use super::queue::WriteQueue;
use crate::clock::Stopwatch;
use crate::store::any::AnyConnection;
use crate::store::recovery::{self, Condition};
use crate::store::statements;
use diesel::connection::TransactionManager;
use diesel::result::QueryResult;
use std::time::Duration;

/// After so many writes, or so much time, a transaction takes no further one: its callers wait for the last.
pub(super) const MAX_WRITES: usize = 64;
pub(super) const MAX_TIME: Duration = Duration::from_millis(10);

/// Runs `first` and the work that waits behind it, commits, and replies to the callers. Returns the condition of the connection.
pub(super) fn commit_together(connection: &mut AnyConnection, first: Box<dyn Job>, queue: &WriteQueue) -> Condition {
    let waiting = queue.len();
    if let Err(error) = connection.begin() {
        // These have waited as long for another process as the first one.
        refuse(first, queue, waiting, &error.to_string());
        return recovery::reset_after(connection, &error);
    }
    if waiting == 0 { run_alone(connection, first) } else { Batch::new().run(connection, first, queue) }
}

/// Refuses `first` and as many of the others as have waited with it.
pub(super) fn refuse(first: Box<dyn Job>, queue: &WriteQueue, waiting: usize, cause: &str) {
    first.refuse(cause);
    for job in std::iter::from_fn(|| queue.next()).take(waiting) {
        job.refuse(cause);
    }
}

/// Without others in its transaction, a write needs no savepoint.
fn run_alone(connection: &mut AnyConnection, job: Box<dyn Job>) -> Condition {
    let Ran { kept, reply } = run(connection, job);
    if let Err(condition) = kept {
        connection.roll_back();
        reply(Ok(()));
        return condition;
    }
    end(connection, vec![reply])
}

/// Writes in one transaction, each in a savepoint: one that fails or panics leaves the changes of the others.
struct Batch {
    replies: Vec<Reply>,
    condition: Condition,
}

impl Batch {
    const fn new() -> Self {
        Self { replies: Vec::new(), condition: Condition::Sound }
    }

    fn run(mut self, connection: &mut AnyConnection, first: Box<dyn Job>, queue: &WriteQueue) -> Condition {
        let begun = Stopwatch::start();
        let mut next = Some(first);
        while let Some(job) = next {
            if let Err(error) = self.add(connection, job) {
                // SQLite ends a transaction by itself after some errors, such as a full disk.
                reply_to_all(self.replies, Err(&format!("a write of the same transaction failed: {error}")));
                return Condition::Unsound;
            }
            let is_full = self.replies.len() == MAX_WRITES || begun.elapsed() >= MAX_TIME;
            next = if is_full { None } else { queue.next() };
        }
        end(connection, self.replies).max(self.condition)
    }

    /// Runs a write. An error is one of the whole transaction.
    fn add(&mut self, connection: &mut AnyConnection, job: Box<dyn Job>) -> QueryResult<()> {
        if let Err(error) = AnyConnection::begin_transaction(connection) {
            job.refuse(&error.to_string());
            return Err(error);
        }
        let Ran { kept, reply } = run(connection, job);
        self.replies.push(reply);
        match kept {
            Ok(()) => AnyConnection::commit_transaction(connection),
            Err(condition) => {
                self.condition = self.condition.max(condition);
                AnyConnection::rollback_transaction(connection)
            }
        }
    }
}

/// Commits, and gives all callers the outcome.
fn end(connection: &mut AnyConnection, replies: Vec<Reply>) -> Condition {
    let committed = connection.commit();
    let cause = committed.as_ref().err().map(ToString::to_string);
    reply_to_all(replies, cause.as_deref().map_or(Ok(()), Err));
    committed.map_or_else(|error| recovery::reset_after(connection, &error), |()| Condition::Sound)
}

fn reply_to_all(replies: Vec<Reply>, committed: Result<(), &str>) {
    for reply in replies {
        reply(committed);
    }
}

/// Logs the statements of a write as its own; those around it belong to no single request.
fn run(connection: &mut AnyConnection, job: Box<dyn Job>) -> Ran {
    statements::set_cause(!job.requester().is_process());
    let ran = job.run(connection);
    statements::set_cause(false);
    ran
}
