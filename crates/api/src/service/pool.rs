//! Threads for what only computes, behind a [`Gate`]: so many jobs at once, a fair queue, then "busy".
//!
//! Hashing a password takes a quarter of a second of a core on purpose, and a picture as long and much memory. Without a
//! bound a flood of them would take every core and every thread that other requests need. A job whose caller has gone is
//! not run: else a flood that never waits for its answers would keep the threads busy for nobody.

use crate::gate::GateMetrics;
use crate::gate::{Busy, Gate, GateCapacity, Resource};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

/// Passwords that may wait for each core: about four seconds of work at bcrypt's cost 12.
const PASSWORDS_PER_CORE: usize = 16;
/// Pictures that may wait: some seconds of work, and 2 MiB of memory each.
const PICTURES: usize = 16;

type PoolJob = Box<dyn FnOnce() + Send>;

/// Threads that compute, and the gate before them. They end when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct WorkPool {
    gate: Gate,
    jobs: Sender<PoolJob>,
}

impl WorkPool {
    /// For passwords: one thread per core.
    pub fn for_hashing(metrics: GateMetrics) -> std::io::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self::with_threads(Resource::Hashing, GateCapacity::of(cores, cores * PASSWORDS_PER_CORE), metrics)
    }

    /// For pictures: one after the other, because each may take 170 MiB.
    pub fn for_pictures(metrics: GateMetrics) -> std::io::Result<Self> {
        Self::with_threads(Resource::Pictures, GateCapacity::of(1, PICTURES), metrics)
    }

    /// As many threads as may be behind the gate at once.
    pub fn with_threads(resource: Resource, capacity: GateCapacity, metrics: GateMetrics) -> std::io::Result<Self> {
        let (jobs, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..capacity.inside {
            let (queue, name) = (Arc::clone(&queue), resource.name());
            std::thread::Builder::new().name(format!("{name}-{number}")).spawn(move || work(&queue))?;
        }
        Ok(Self { gate: Gate::new(resource, capacity, metrics), jobs })
    }

    /// How many jobs wait, and how many run.
    pub fn load(&self) -> (usize, usize) {
        self.gate.load()
    }

    /// Runs `job` when its share's turn has come, unless the caller stops waiting before.
    ///
    /// # Errors
    /// [`Busy`] when too many wait, and when the job panics.
    pub async fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        let permit = self.gate.enter().await?;
        let (answer, answered) = tokio::sync::oneshot::channel();
        let run = Box::new(move || {
            let _permit = permit;
            // Nobody waits for the answer when the client has hung up just now.
            let _ = answer.send(job());
        });
        self.jobs.send(run).map_err(|_| Busy)?;
        answered.await.map_err(|_| Busy)
    }
}

/// There are as many threads as permits, so a job that has one finds a thread.
fn work(jobs: &Mutex<Receiver<PoolJob>>) {
    give_way();
    loop {
        let next = jobs.lock().recv();
        let Ok(job) = next else { return };
        // A job that panics must not take its thread along; its caller gets `Busy` because the answer is dropped.
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)).is_err() {
            log::error!("pool.panicked: a job panicked");
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
