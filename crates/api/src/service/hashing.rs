//! A bounded pool for password hashing: as many jobs at once as the machine has cores, a short queue, then "busy".
//!
//! Hashing takes a quarter of a second of a core on purpose. Without a bound a flood of sign-ins would take every core
//! and every thread that other requests need. A job whose caller has gone is not run, and gives its place away: else
//! a flood that never waits for its answers would keep the queue full of work for nobody. Whoever has to ask the database
//! before takes a place first, so that a flood does not queue up there instead.

use crate::clock::Stopwatch;
use crate::metrics::HashingMetrics;
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::sync::{Arc, Weak};

/// Jobs that may wait for each core: about four seconds of work at bcrypt's cost 12.
const QUEUE_PER_CORE: usize = 16;

/// The pool is full; try again in a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the password hashing queue is full")]
pub struct Busy;

/// Threads that hash, and the queue before them. When the last clone is dropped, they end as soon as the queue is empty.
#[derive(Debug, Clone)]
pub struct HashingPool {
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
    metrics: HashingMetrics,
}

/// The right to have one job run, until it is dropped.
#[derive(Debug)]
pub struct Place {
    entrance: Arc<Entrance>,
    /// The job is wanted as long as this lives.
    caller: Arc<()>,
}

impl HashingPool {
    /// A pool of one thread per core.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn start(metrics: HashingMetrics) -> std::io::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self::with_threads(cores, cores * QUEUE_PER_CORE, metrics)
    }

    /// A pool of `threads` with room for `waiting` jobs.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn with_threads(threads: usize, waiting: usize, metrics: HashingMetrics) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::default());
        for number in 0..threads {
            let (queue, metrics) = (Arc::clone(&queue), metrics.clone());
            std::thread::Builder::new().name(format!("hashing-{number}")).spawn(move || queue.work(&metrics))?;
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
    fn work(&self, metrics: &HashingMetrics) {
        give_way();
        while let Some(job) = self.next() {
            metrics.waits.observe(job.waiting.elapsed().as_secs_f64());
            // A job that panics must not take its thread along; its caller gets `Busy` because the answer is dropped.
            if std::panic::catch_unwind(std::panic::AssertUnwindSafe(job.run)).is_err() {
                log::error!("hashing.panicked: a hashing job panicked");
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

/// Lets this thread compute only what the others leave: hashing takes long whatever is done, and nothing else may wait for
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
