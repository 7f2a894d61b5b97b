//! Bounded pools for what only computes: so many jobs at once, a short queue, then "busy".
//!
//! Hashing a password takes a quarter of a second of a core on purpose, and a picture as long and much memory. Without a
//! bound a flood of them would take every core and every thread that other requests need. A job whose caller has gone is
//! not run, and gives its place away: else a flood that never waits for its answers would keep the queue full of work for
//! nobody. Whoever has to ask the database before takes a place first, so that a flood does not queue up there instead.

use crate::clock::Stopwatch;
use crate::metrics::PoolMetrics;
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::sync::{Arc, Weak};

/// Passwords that may wait for each core: about four seconds of work at bcrypt's cost 12.
const PASSWORDS_PER_CORE: usize = 16;
/// Pictures that may wait: some seconds of work, and 2 MiB of memory each.
const PICTURES: usize = 16;

/// The pool is full; try again in a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the queue is full")]
pub struct Busy;

/// Threads that compute, and the queue before them. When the last clone is dropped, they end as soon as the queue is empty.
#[derive(Debug, Clone)]
pub struct WorkPool {
    queue: Arc<Entrance>,
}

struct Job {
    /// Alive as long as somebody waits for the answer.
    caller: Weak<()>,
    waiting: Stopwatch,
    run: Box<dyn FnOnce() + Send>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    /// Places that are taken: those of jobs that run or wait, and of callers that have not brought their job yet.
    taken: usize,
    /// Jobs that run.
    running: usize,
    closed: bool,
}

/// The callers' side of the queue.
struct Entrance {
    queue: Arc<Queue>,
    places: usize,
    metrics: PoolMetrics,
}

/// The right to have one job run, until it is dropped.
#[derive(Debug)]
pub struct Place {
    entrance: Arc<Entrance>,
    /// The job is wanted as long as this lives.
    caller: Arc<()>,
}

impl WorkPool {
    /// For passwords: one thread per core.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn for_hashing(metrics: PoolMetrics) -> std::io::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self::with_threads(("hashing", metrics), cores, cores * PASSWORDS_PER_CORE)
    }

    /// For pictures: one after the other, because each may take 170 MiB.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn for_pictures(metrics: PoolMetrics) -> std::io::Result<Self> {
        Self::with_threads(("pictures", metrics), 1, PICTURES)
    }

    /// A pool of `threads` with room for `waiting` jobs.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn with_threads((name, metrics): (&str, PoolMetrics), threads: usize, waiting: usize) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::default());
        for number in 0..threads {
            let (queue, metrics) = (Arc::clone(&queue), metrics.clone());
            std::thread::Builder::new().name(format!("{name}-{number}")).spawn(move || queue.work(&metrics))?;
        }
        Ok(Self { queue: Arc::new(Entrance { queue, places: threads + waiting, metrics }) })
    }

    /// How many jobs wait, and how many run.
    #[must_use]
    pub fn load(&self) -> (usize, usize) {
        let state = self.queue.queue.state.lock();
        (state.waiting.iter().filter(|job| job.is_wanted()).count(), state.running)
    }

    /// Takes a place.
    ///
    /// # Errors
    /// [`Busy`] when there is none.
    pub fn enter(&self) -> Result<Place, Busy> {
        let mut state = self.queue.queue.state.lock();
        if state.taken >= self.queue.places {
            self.queue.metrics.refused.inc();
            return Err(Busy);
        }
        state.taken += 1;
        Ok(Place { entrance: Arc::clone(&self.queue), caller: Arc::new(()) })
    }

    /// Takes a place and runs `job` there.
    ///
    /// # Errors
    /// [`Busy`] when there is none.
    pub async fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        self.enter()?.run(job).await
    }
}

impl Place {
    /// Runs `job` when a thread is free, unless the caller stops waiting before.
    ///
    /// # Errors
    /// [`Busy`] when the job panics.
    pub async fn run<T: Send + 'static>(self, job: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        let (answer, answered) = tokio::sync::oneshot::channel();
        let run = Box::new(move || {
            // Nobody waits for the answer when the client has hung up just now.
            let _ = answer.send(job());
        });
        self.entrance.push(Job { caller: Arc::downgrade(&self.caller), waiting: Stopwatch::start(), run });
        answered.await.map_err(|_| Busy)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.entrance.queue.state.lock().taken -= 1;
    }
}

impl Entrance {
    fn push(&self, job: Job) {
        let mut state = self.queue.state.lock();
        if state.waiting.len() >= self.places {
            state.waiting.retain(Job::is_wanted); // fewer than places are
        }
        state.waiting.push_back(job);
        self.queue.changed.notify_one();
    }
}

impl std::fmt::Debug for Entrance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entrance").field("places", &self.places).finish_non_exhaustive()
    }
}

impl Drop for Entrance {
    fn drop(&mut self) {
        self.queue.state.lock().closed = true;
        self.queue.changed.notify_all();
    }
}

impl Queue {
    fn work(&self, metrics: &PoolMetrics) {
        give_way();
        while let Some(job) = self.next() {
            metrics.waits.observe(job.waiting.elapsed().as_secs_f64());
            // A job that panics must not take its thread along; its caller gets `Busy` because the answer is dropped.
            if std::panic::catch_unwind(std::panic::AssertUnwindSafe(job.run)).is_err() {
                log::error!("pool.panicked: a job panicked");
            }
            self.state.lock().running -= 1;
        }
    }

    /// Waits for a job that somebody waits for; `None` when no more can come.
    fn next(&self) -> Option<Job> {
        let mut state = self.state.lock();
        loop {
            while let Some(job) = state.waiting.pop_front() {
                if job.is_wanted() {
                    state.running += 1;
                    return Some(job);
                }
            }
            if state.closed {
                return None;
            }
            self.changed.wait(&mut state);
        }
    }
}

/// Lets this thread compute only what the others leave: its work takes long whatever is done, and nothing else may wait for
/// it. Only Linux knows the priority of a single thread.
#[cfg(target_os = "linux")]
fn give_way() {
    const NICE: i32 = 10;
    // A system that forbids it has its own opinion of fairness.
    let _ = rustix::process::setpriority_process(None, NICE);
}

#[cfg(not(target_os = "linux"))]
const fn give_way() {}

impl Job {
    fn is_wanted(&self) -> bool {
        self.caller.strong_count() > 0
    }
}
