//! Holds a pool that computes, so that a test decides when anything is hashed or drawn.

use super::TestApp;
use api::gate::{Share, ShareKey, within};
use api::service::pool::WorkPool;
use futures_util::FutureExt;
use std::pin::Pin;
use std::sync::mpsc::{Sender, channel};

/// Every thread of a pool and some places in its queue, until this is dropped.
pub struct Held {
    _let_go: Vec<Sender<()>>,
    /// A job whose caller has gone is not run.
    _callers: Vec<Pin<Box<dyn Future<Output = ()>>>>,
}

pub async fn hold_hashing(app: &TestApp, waiting: usize) -> Held {
    hold(&app.services().hashing, threads(), waiting).await
}

/// Each job has a share of its own, half of them strangers': so a full queue has no room for anybody who would have one.
pub async fn hold(pool: &WorkPool, threads: usize, waiting: usize) -> Held {
    let (started, mut starts) = tokio::sync::mpsc::unbounded_channel();
    let (let_go, receivers): (Vec<_>, Vec<_>) = (0..threads + waiting).map(|_| channel::<()>()).unzip();
    let mut callers = Vec::new();
    for (number, receiver) in receivers.into_iter().enumerate() {
        let (pool, started) = (pool.clone(), started.clone());
        let key = ShareKey::Account(-1 - i64::try_from(number).unwrap());
        let share = if number.is_multiple_of(2) { Share::stranger(key) } else { Share::proven(key) };
        let job = move || started.send(()).is_ok() && receiver.recv().is_err();
        let mut caller = Box::pin(within(share, async move { _ = pool.run(job).await }));
        assert!((&mut caller).now_or_never().is_none(), "job {number} found no place");
        if number < threads {
            // It has left the queue; until it has, its caller waits for whoever was there before.
            futures_util::future::select(Box::pin(starts.recv()), &mut caller).await;
        }
        callers.push(caller as Pin<Box<dyn Future<Output = ()>>>);
    }
    Held { _let_go: let_go, _callers: callers }
}

fn threads() -> usize {
    std::thread::available_parallelism().unwrap().get()
}

/// The places in the pool's queue.
pub fn queue_length() -> usize {
    16 * threads()
}
