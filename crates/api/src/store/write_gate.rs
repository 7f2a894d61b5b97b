//! The writers of one SQLite file enter through a gate with a single permit.
//!
//! SQLite allows one writer at a time. A writer that finds the file locked sleeps and polls, a little longer each time, and a
//! writer that arrives in between goes first: under a flood of writes one of them may wait for a second although each commit
//! takes milliseconds. So the writers of this process queue at the gate, in the order of their requesters, and find the file
//! unlocked. Only other processes that write to the file are still waited for in SQLite's way.

use crate::gate::GateMetrics;
use crate::gate::{self, Gate, GateCapacity, Permit, Requester, Resource};
use std::cell::RefCell;
use std::time::Duration;
use tokio::runtime::Handle;

/// How long a writer waits for a permit. After that SQLite's own lock decides: the writer that holds the permit may itself be
/// waiting for another process.
const PERMIT_TIMEOUT: Duration = Duration::from_secs(5);

thread_local! {
    static THREAD_GATE: RefCell<Option<(WriteGate, Requester)>> = const { RefCell::new(None) };
}

/// The gate of one file; clones share it.
#[derive(Debug, Clone)]
pub(super) struct WriteGate(Gate);

impl WriteGate {
    /// A gate for writers that each hold one of `connections`: none of them is refused.
    pub(super) fn for_connections(connections: usize) -> Self {
        let capacity = GateCapacity { permits: 1, permits_per_requester: 1, waiting: connections };
        // They are counted already, as operations that wait for the database.
        Self(Gate::new(Resource::Database, capacity, GateMetrics::default()))
    }

    /// From now on this thread writes through this gate, on behalf of `requester`.
    pub(super) fn bind_to_this_thread(self, requester: Requester) {
        THREAD_GATE.set(Some((self, requester)));
    }
}

/// Runs `write` while holding a permit of this thread's gate. A thread without a gate does not wait.
pub(super) fn with_permit<T>(write: impl FnOnce() -> T) -> T {
    let _permit = THREAD_GATE.with_borrow(Clone::clone).and_then(|(gate, requester)| wait(&gate, requester));
    write()
}

fn wait(gate: &WriteGate, requester: Requester) -> Option<Permit> {
    let permit = gate::on_behalf_of(requester, gate.0.enter());
    Handle::try_current().ok()?.block_on(async { tokio::time::timeout(PERMIT_TIMEOUT, permit).await }).ok()?.ok()
}

#[cfg(test)]
mod tests {
    use super::{WriteGate, with_permit};
    use crate::gate::Requester;
    use crate::gate::fixtures::{account, client};
    use parking_lot::Mutex;
    use std::sync::{Arc, mpsc};
    use tokio::task::JoinHandle;

    /// A gate, and the names of those that have written, in order.
    struct File {
        gate: WriteGate,
        written: Arc<Mutex<Vec<&'static str>>>,
    }

    impl File {
        /// Writes `name` as soon as it has a permit and `held` releases it.
        fn write(&self, requester: Requester, name: &'static str, held: Option<mpsc::Receiver<()>>) -> JoinHandle<()> {
            let gate = self.gate.clone();
            let written = Arc::clone(&self.written);
            tokio::task::spawn_blocking(move || {
                gate.bind_to_this_thread(requester);
                with_permit(|| {
                    let free = held.is_none_or(|held| held.recv().is_ok());
                    written.lock().push(if free { name } else { "never released" });
                });
            })
        }

        async fn until_load(&self, load: (usize, usize)) {
            while self.gate.0.load() != load {
                tokio::task::yield_now().await;
            }
        }
    }

    async fn order_of_writers() -> Vec<&'static str> {
        let file = File { gate: WriteGate::for_connections(8), written: Arc::default() };
        let anonymous = Requester::anonymous(client(1));
        let owner = Requester::recognized(account(2));
        let (release, held) = mpsc::channel();
        let mut writers = vec![file.write(anonymous, "anonymous 1", Some(held))];
        file.until_load((0, 1)).await;
        let later = [(anonymous, "anonymous 2"), (anonymous, "anonymous 3"), (owner, "owner")];
        for (number, (requester, name)) in later.into_iter().enumerate() {
            writers.push(file.write(requester, name, None));
            file.until_load((number + 1, 1)).await;
        }
        assert_eq!(release.send(()), Ok(()));
        for writer in writers {
            assert!(writer.await.is_ok());
        }
        file.written.lock().clone()
    }

    #[test]
    fn an_owner_writes_before_waiting_anonymous_clients() -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        assert_eq!(runtime.block_on(order_of_writers()), ["anonymous 1", "owner", "anonymous 2", "anonymous 3"]);
        Ok(())
    }
}
