//! Fairness between the connections of one worker. A worker runs every ready task before it polls its sockets again: a
//! burst of new connections, of trickling bytes and of ending connections would run as a whole, while the next request on an
//! established connection is not even read.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::sync::Semaphore;
use tokio_util::sync::PollSemaphore;

/// Permits in a round, which lasts until the worker has polled its sockets. Each takes some 60 microseconds.
const PERMITS: usize = 8;

/// The permits of one worker; clones share them.
#[derive(Debug, Clone)]
pub struct PollBudget {
    free: Arc<Semaphore>,
    taken: Rc<Cell<usize>>,
}

/// One connection's position in the queue for its next permit.
#[derive(Debug)]
pub(in crate::http) struct PollPermit {
    budget: PollBudget,
    semaphore: PollSemaphore,
}

impl Default for PollBudget {
    fn default() -> Self {
        Self { free: Arc::new(Semaphore::new(PERMITS)), taken: Rc::default() }
    }
}

impl PollBudget {
    pub(in crate::http) fn queue(&self) -> PollPermit {
        PollPermit { budget: self.clone(), semaphore: PollSemaphore::new(Arc::clone(&self.free)) }
    }

    /// Counts a permit. The first of a round schedules the return of all of them for when the worker has polled its sockets:
    /// it does so before it resumes tasks that have yielded.
    fn count(&self) {
        let before = self.taken.get();
        self.taken.set(before + 1);
        if before == 0 {
            let budget = self.clone();
            actix_web::rt::spawn(async move {
                tokio::task::yield_now().await;
                budget.free.add_permits(budget.taken.take());
            });
        }
    }
}

impl PollPermit {
    /// Ready when the connection has a permit. The next call waits for the next one.
    pub(in crate::http) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(permit) = ready!(self.semaphore.poll_acquire(cx)) {
            permit.forget();
            self.budget.count();
        }
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    /// Takes a permit and returns the number of the round.
    async fn take(budget: PollBudget, round: Rc<Cell<usize>>) -> usize {
        let mut permit = budget.queue();
        poll_fn(|cx| permit.poll(cx)).await;
        round.get()
    }

    #[actix_web::test]
    async fn a_burst_is_processed_in_rounds_and_no_connection_is_forgotten() {
        let budget = PollBudget::default();
        let round = Rc::new(Cell::new(0));
        let burst: Vec<_> =
            (0..3 * PERMITS).map(|_| actix_web::rt::spawn(take(budget.clone(), Rc::clone(&round)))).collect();
        let counting = actix_web::rt::spawn({
            let round = Rc::clone(&round);
            async move {
                loop {
                    tokio::task::yield_now().await;
                    round.set(round.get() + 1);
                }
            }
        });
        let mut taken = vec![0; 3 * PERMITS + 2];
        for round in futures_util::future::join_all(burst).await.into_iter().flatten() {
            taken[round] += 1;
        }
        counting.abort();
        assert!(taken.iter().all(|taken| *taken <= PERMITS), "{taken:?}");
        assert_eq!(taken.iter().sum::<usize>(), 3 * PERMITS);
    }

    #[actix_web::test]
    async fn a_connection_that_leaves_the_queue_takes_no_permit_with_it() {
        let budget = PollBudget::default();
        for _ in 0..2 * PERMITS {
            let mut leaver = budget.queue();
            let _ = futures_util::poll!(poll_fn(|cx| leaver.poll(cx)));
        }
        let round = Rc::new(Cell::new(0));
        for _ in 0..=PERMITS {
            take(budget.clone(), Rc::clone(&round)).await;
        }
    }
}
