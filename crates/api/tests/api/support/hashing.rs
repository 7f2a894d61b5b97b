//! Occupies a work pool, so that a test decides when passwords are hashed and pictures are re-encoded.

use super::TestApp;
use api::gate::{Requester, RequesterId, on_behalf_of};
use api::service::pool::WorkPool;
use futures_util::FutureExt;
use std::net::Ipv6Addr;
use std::pin::Pin;
use std::sync::mpsc::{Sender, channel};

/// Occupies every thread of a pool and some slots of its queue until it is dropped.
pub struct Held {
    _release: Vec<Sender<()>>,
    /// Kept alive, because a job whose caller was dropped is not run.
    _callers: Vec<Pin<Box<dyn Future<Output = ()>>>>,
}

pub async fn hold_hashing(app: &TestApp, waiting: usize) -> Held {
    hold(&app.services().hashing, threads(), waiting).await
}

/// Each job has its own requester, and half of them are anonymous: so a full queue has no slot for a new one.
pub async fn hold(pool: &WorkPool, threads: usize, waiting: usize) -> Held {
    let (started, mut starts) = tokio::sync::mpsc::unbounded_channel();
    let (release, receivers): (Vec<_>, Vec<_>) = (0..threads + waiting).map(|_| channel::<()>()).unzip();
    let mut callers = Vec::new();
    for (number, receiver) in receivers.into_iter().enumerate() {
        let (pool, started) = (pool.clone(), started.clone());
        let client = RequesterId::Client(Ipv6Addr::from_bits(number as u128).into());
        let requester =
            if number.is_multiple_of(2) { Requester::anonymous(client) } else { Requester::recognized(client) };
        let job = move || started.send(()).is_ok() && receiver.recv().is_err();
        let mut caller = Box::pin(on_behalf_of(requester, async move { _ = pool.run(job).await }));
        assert!((&mut caller).now_or_never().is_none(), "job {number} found no slot");
        if number < threads {
            // The job has left the queue when it starts; before that, its caller waits behind earlier jobs.
            futures_util::future::select(Box::pin(starts.recv()), &mut caller).await;
        }
        callers.push(caller as Pin<Box<dyn Future<Output = ()>>>);
    }
    Held { _release: release, _callers: callers }
}

fn threads() -> usize {
    std::thread::available_parallelism().unwrap().get()
}

/// The number of slots in the pool's queue.
pub fn queue_length() -> usize {
    16 * threads()
}
