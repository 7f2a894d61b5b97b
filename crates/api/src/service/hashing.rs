//! A bounded pool for password hashing: as many jobs at once as the machine has cores, a short queue, then "busy".
//!
//! Hashing takes a quarter of a second of a core on purpose. Without a bound a flood of sign-ins would take every core
//! and every thread that other requests need.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

/// Jobs that may wait for each core: about four seconds of work at bcrypt's cost 12.
const QUEUE_PER_CORE: usize = 16;

type Job = Box<dyn FnOnce() + Send>;

/// The pool is full; try again in a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the password hashing queue is full")]
pub struct Busy;

/// Threads that hash, and the queue before them. Dropped, it ends when the queue is empty.
#[derive(Debug, Clone)]
pub struct HashingPool {
    queue: SyncSender<Job>,
    load: Arc<Load>,
}

/// How many jobs there are, for operators.
#[derive(Debug, Default)]
struct Load {
    waiting: AtomicUsize,
    running: AtomicUsize,
}

impl HashingPool {
    /// A pool of one thread per core.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn start() -> std::io::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self::with_threads(cores, cores * QUEUE_PER_CORE)
    }

    /// A pool of `threads` with room for `waiting` jobs.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn with_threads(threads: usize, waiting: usize) -> std::io::Result<Self> {
        let (queue, jobs) = sync_channel::<Job>(waiting);
        let jobs = Arc::new(parking_lot::Mutex::new(jobs));
        for number in 0..threads {
            let jobs = Arc::clone(&jobs);
            std::thread::Builder::new().name(format!("hashing-{number}")).spawn(move || work(&jobs))?;
        }
        Ok(Self { queue, load: Arc::default() })
    }

    /// How many jobs wait, and how many run.
    #[must_use]
    pub fn load(&self) -> (usize, usize) {
        (self.load.waiting.load(Ordering::Relaxed), self.load.running.load(Ordering::Relaxed))
    }

    /// Runs `job` when a thread is free.
    ///
    /// # Errors
    /// [`Busy`] when the queue is full.
    pub async fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        let (answer, answered) = tokio::sync::oneshot::channel();
        let waiting = Count::one(&self.load, |load| &load.waiting);
        let job = Box::new(move || {
            let _running = waiting.becomes(|load| &load.running);
            // Nobody waits for the answer when the client has hung up.
            let _ = answer.send(job());
        });
        match self.queue.try_send(job) {
            Ok(()) => answered.await.map_err(|_| Busy),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => Err(Busy),
        }
    }
}

/// One job among those that wait or run, until it is dropped: also when the job panics or is never run.
struct Count {
    load: Arc<Load>,
    among: fn(&Load) -> &AtomicUsize,
}

impl Count {
    fn one(load: &Arc<Load>, among: fn(&Load) -> &AtomicUsize) -> Self {
        among(load).fetch_add(1, Ordering::Relaxed);
        Self { load: Arc::clone(load), among }
    }

    fn becomes(self, among: fn(&Load) -> &AtomicUsize) -> Self {
        Self::one(&self.load, among)
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        (self.among)(&self.load).fetch_sub(1, Ordering::Relaxed);
    }
}

fn work(jobs: &parking_lot::Mutex<Receiver<Job>>) {
    loop {
        // The lock is held while waiting, not while working: one idle thread waits for a job, the others for the lock.
        let job = jobs.lock().recv();
        let Ok(job) = job else { return };
        // A job that panics must not take its thread along; its caller gets `Busy` because the answer is dropped.
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)).is_err() {
            log::error!("hashing.panicked: a hashing job panicked");
        }
    }
}
