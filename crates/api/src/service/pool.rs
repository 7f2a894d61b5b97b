//! Threads for computation, behind a [`Gate`]: a fixed number of concurrent jobs, a fair queue, then "busy".
//!
//! Hashing a password takes a quarter of a second of a core on purpose; a picture takes as long and much memory. Without a
//! bound a flood of them would take every core and every thread that other requests need. A job whose caller has disconnected
//! is not run: otherwise a flood that never waits for its responses would keep the threads busy.

use crate::gate::GateMetrics;
use crate::gate::{Busy, Gate, GateCapacity, Resource};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

/// Passwords that may wait for each core: about four seconds of work at bcrypt's cost 12.
const PASSWORDS_PER_CORE: usize = 16;
/// Pictures that may wait: some seconds of work, and 2 MiB of memory each.
const MAX_WAITING_PICTURES: usize = 16;

type PoolJob = Box<dyn FnOnce() + Send>;

/// Threads that compute, and the gate in front of them. They end when the last clone is dropped.
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
        Self::with_threads(Resource::Pictures, GateCapacity::of(1, MAX_WAITING_PICTURES), metrics)
    }

    /// With as many threads as the gate has permits.
    pub fn with_threads(resource: Resource, capacity: GateCapacity, metrics: GateMetrics) -> std::io::Result<Self> {
        let (jobs, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..capacity.permits {
            let queue = Arc::clone(&queue);
            let name = resource.name();
            std::thread::Builder::new().name(format!("{name}-{number}")).spawn(move || work(&queue))?;
        }
        Ok(Self { gate: Gate::new(resource, capacity, metrics), jobs })
    }

    /// How many jobs wait, and how many run.
    pub fn load(&self) -> (usize, usize) {
        self.gate.load()
    }

    /// Runs `job` in its requester's turn, unless the caller stops waiting before.
    ///
    /// # Errors
    /// [`Busy`] when too many wait, and when the job panics.
    pub async fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        let permit = self.gate.enter().await?;
        let (result, received) = tokio::sync::oneshot::channel();
        let run = Box::new(move || {
            let _permit = permit;
            // The receiver is dropped if the client has just disconnected.
            let _ = result.send(job());
        });
        self.jobs.send(run).map_err(|_| Busy)?;
        received.await.map_err(|_| Busy)
    }
}

/// There are as many threads as permits, so a job that has one finds a thread.
fn work(jobs: &Mutex<Receiver<PoolJob>>) {
    lower_priority();
    loop {
        let next = jobs.lock().recv();
        let Ok(job) = next else { return };
        // A job that panics must not end its thread; its caller gets `Busy` because the result's sender is dropped.
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)).is_err() {
            log::error!("pool.panicked: a job panicked");
        }
    }
}

/// Lowers this thread's priority, because its work takes long in any case and nothing else should wait for it. Only Linux has
/// priorities of single threads.
#[cfg(target_os = "linux")]
fn lower_priority() {
    const NICE: i32 = 10;
    // The system may forbid it; then the scheduler's default applies.
    let _ = rustix::process::setpriority_process(None, NICE);
}

#[cfg(not(target_os = "linux"))]
const fn lower_priority() {}
