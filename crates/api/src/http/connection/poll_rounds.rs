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

/// The rounds of one worker; clones share them. Nothing is refused: what has no permit in this round waits for the next.
#[derive(Debug, Clone)]
pub struct PollRounds {
    free: Arc<Semaphore>,
    taken: Rc<Cell<usize>>,
}

/// One connection's position in the queue for its next permit. The permit itself ends with the round.
#[derive(Debug)]
pub(in crate::http) struct PollTurn {
    rounds: PollRounds,
    semaphore: PollSemaphore,
}

impl Default for PollRounds {
    fn default() -> Self {
        Self { free: Arc::new(Semaphore::new(PERMITS)), taken: Rc::default() }
    }
}

impl PollRounds {
    pub(in crate::http) fn queue(&self) -> PollTurn {
        PollTurn { rounds: self.clone(), semaphore: PollSemaphore::new(Arc::clone(&self.free)) }
    }

    /// Counts a permit. The first of a round schedules the return of all of them for when the worker has polled its sockets:
    /// it does so before it resumes tasks that have yielded.
    fn count(&self) {
        let before = self.taken.get();
        self.taken.set(before + 1);
        if before == 0 {
            let rounds = self.clone();
            actix_web::rt::spawn(async move {
                tokio::task::yield_now().await;
                rounds.free.add_permits(rounds.taken.take());
            });
        }
    }
}

impl PollTurn {
    /// Ready when the connection has a permit. The next call waits for the next one.
    pub(in crate::http) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(permit) = ready!(self.semaphore.poll_acquire(cx)) {
            permit.forget();
            self.rounds.count();
        }
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    /// Takes a permit and returns the number of the round.
    async fn take(rounds: PollRounds, round: Rc<Cell<usize>>) -> usize {
        let mut turn = rounds.queue();
        poll_fn(|cx| turn.poll(cx)).await;
        round.get()
    }

    #[actix_web::test]
    async fn a_burst_is_processed_in_rounds_and_no_connection_is_forgotten() {
        let rounds = PollRounds::default();
        let round = Rc::new(Cell::new(0));
        let burst: Vec<_> =
            (0..3 * PERMITS).map(|_| actix_web::rt::spawn(take(rounds.clone(), Rc::clone(&round)))).collect();
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
        let rounds = PollRounds::default();
        for _ in 0..2 * PERMITS {
            let mut leaver = rounds.queue();
            let _ = futures_util::poll!(poll_fn(|cx| leaver.poll(cx)));
        }
        let round = Rc::new(Cell::new(0));
        for _ in 0..=PERMITS {
            take(rounds.clone(), Rc::clone(&round)).await;
        }
    }
}
