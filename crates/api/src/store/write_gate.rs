//! Writers of one SQLite file take turns.
//!
//! SQLite lets one write at a time. Whoever finds the file locked sleeps and looks again, a little longer each time, and
//! whoever comes in between is first: beside a flood of writers somebody may wait for a second where each commit takes
//! milliseconds. So the writers of this process wait at a gate of one, share by share, and find the file free. Other
//! processes that write to the file are still waited for as SQLite does it.

use crate::gate::GateMetrics;
use crate::gate::{self, Capacity, Gate, Permit, Resource, Share};
use std::cell::RefCell;
use std::time::Duration;
use tokio::runtime::Handle;

/// For a turn. Then SQLite's own lock decides: a turn of somebody who waits for another process says nothing about them.
const PERMIT_TIMEOUT: Duration = Duration::from_secs(5);

thread_local! {
    static OWN: RefCell<Option<(WriteGate, Share)>> = const { RefCell::new(None) };
}

/// The turns at one file; clones are the same turns.
#[derive(Debug, Clone)]
pub(super) struct WriteGate(Gate);

impl WriteGate {
    /// For writers who have one of so many connections: none of them is refused.
    pub(super) fn for_connections(connections: usize) -> Self {
        let capacity = Capacity { inside: 1, inside_by_share: 1, waiting: connections };
        // They wait for the database already, and are counted there.
        Self(Gate::new(Resource::Database, capacity, GateMetrics::default()))
    }

    /// From now on this thread writes in these turns, for a request of `share`.
    pub(super) fn begin(self, share: Share) {
        OWN.set(Some((self, share)));
    }
}

/// Runs `write` in this thread's turn; where it has none, at once.
pub(super) fn with_permit<T>(write: impl FnOnce() -> T) -> T {
    let _turn = OWN.with_borrow(Clone::clone).and_then(wait);
    write()
}

fn wait((turns, share): (WriteGate, Share)) -> Option<Permit> {
    let turn = gate::within(share, turns.0.enter());
    Handle::try_current().ok()?.block_on(async { tokio::time::timeout(PERMIT_TIMEOUT, turn).await }).ok()?.ok()
}

#[cfg(test)]
mod tests {
    use super::{WriteGate, with_permit};
    use crate::gate::{Share, ShareKey};
    use parking_lot::Mutex;
    use std::sync::{Arc, mpsc};

    type Written = Arc<Mutex<Vec<&'static str>>>;

    /// Writes its name, as soon as it is its turn and `held` says so.
    fn writer(
        (turns, written): (&WriteGate, &Written),
        share: Share,
        name: &'static str,
        held: Option<mpsc::Receiver<()>>,
    ) -> tokio::task::JoinHandle<()> {
        let (turns, written) = (turns.clone(), Arc::clone(written));
        tokio::task::spawn_blocking(move || {
            turns.begin(share);
            with_permit(|| {
                let free = held.is_none_or(|held| held.recv().is_ok());
                written.lock().push(if free { name } else { "nobody let go" });
            });
        })
    }

    async fn until_load(turns: &WriteGate, load: (usize, usize)) {
        while turns.0.load() != load {
            tokio::task::yield_now().await;
        }
    }

    async fn play() -> Vec<&'static str> {
        let (turns, written) = (WriteGate::for_connections(8), Written::default());
        let all = (&turns, &written);
        let (stranger, owner) = (Share::stranger(ShareKey::Account(1)), Share::proven(ShareKey::Account(2)));
        let (let_go, held) = mpsc::channel();
        let mut writers = vec![writer(all, stranger, "stranger 1", Some(held))];
        until_load(&turns, (0, 1)).await;
        let later = [(stranger, "stranger 2"), (stranger, "stranger 3"), (owner, "owner")];
        for (number, (share, name)) in later.into_iter().enumerate() {
            writers.push(writer(all, share, name, None));
            until_load(&turns, (number + 1, 1)).await;
        }
        assert_eq!(let_go.send(()), Ok(()));
        for writer in writers {
            assert!(writer.await.is_ok());
        }
        written.lock().clone()
    }

    #[test]
    fn an_owner_writes_before_what_waits_of_strangers() -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        assert_eq!(runtime.block_on(play()), ["stranger 1", "owner", "stranger 2", "stranger 3"]);
        Ok(())
    }
}
