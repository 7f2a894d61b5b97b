//! Turns between the connections of one worker. A worker runs everything that is ready before it looks at its sockets
//! again: a burst of newcomers, of bytes that trickle in and of connections that end would run as a whole, while the request
//! of somebody who has been served all along is not even seen.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::sync::Semaphore;
use tokio_util::sync::PollSemaphore;

/// Turns in a round, which is until the worker has looked at its sockets. Each takes some 60 microseconds.
const TURNS: usize = 8;

/// The turns of one worker; clones share them.
#[derive(Debug, Clone)]
pub struct Turns {
    free: Arc<Semaphore>,
    taken: Rc<Cell<usize>>,
}

/// One connection's place in the queue for its next turn.
#[derive(Debug)]
pub(in crate::http) struct Turn {
    turns: Turns,
    place: PollSemaphore,
}

impl Default for Turns {
    fn default() -> Self {
        Self { free: Arc::new(Semaphore::new(TURNS)), taken: Rc::default() }
    }
}

impl Turns {
    pub(in crate::http) fn queue(&self) -> Turn {
        Turn { turns: self.clone(), place: PollSemaphore::new(Arc::clone(&self.free)) }
    }

    /// Notes a turn. After the first one of a round, all of the round are given back once the worker has looked at its
    /// sockets: it does so before it goes on with what has yielded.
    fn note(&self) {
        let before = self.taken.get();
        self.taken.set(before + 1);
        if before == 0 {
            let turns = self.clone();
            actix_web::rt::spawn(async move {
                tokio::task::yield_now().await;
                turns.free.add_permits(turns.taken.take());
            });
        }
    }
}

impl Turn {
    /// Ready when it is the connection's turn. The next call waits for the next one.
    pub(in crate::http) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(turn) = ready!(self.place.poll_acquire(cx)) {
            turn.forget();
            self.turns.note();
        }
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    /// Takes a turn and notes the number of the round.
    async fn take(turns: Turns, round: Rc<Cell<usize>>) -> usize {
        let mut turn = turns.queue();
        poll_fn(|cx| turn.poll(cx)).await;
        round.get()
    }

    #[actix_web::test]
    async fn a_burst_is_worked_off_in_rounds_and_nobody_is_forgotten() {
        let (turns, round) = (Turns::default(), Rc::new(Cell::new(0)));
        let burst: Vec<_> =
            (0..3 * TURNS).map(|_| actix_web::rt::spawn(take(turns.clone(), Rc::clone(&round)))).collect();
        let looking = actix_web::rt::spawn({
            let round = Rc::clone(&round);
            async move {
                loop {
                    tokio::task::yield_now().await;
                    round.set(round.get() + 1);
                }
            }
        });
        let mut taken = vec![0; 3 * TURNS + 2];
        for round in futures_util::future::join_all(burst).await.into_iter().flatten() {
            taken[round] += 1;
        }
        looking.abort();
        assert!(taken.iter().all(|taken| *taken <= TURNS), "{taken:?}");
        assert_eq!(taken.iter().sum::<usize>(), 3 * TURNS);
    }

    #[actix_web::test]
    async fn whoever_leaves_the_queue_takes_no_turn_with_it() {
        let turns = Turns::default();
        for _ in 0..2 * TURNS {
            let mut leaver = turns.queue();
            let _ = futures_util::poll!(poll_fn(|cx| leaver.poll(cx)));
        }
        let round = Rc::new(Cell::new(0));
        for _ in 0..=TURNS {
            take(turns.clone(), Rc::clone(&round)).await;
        }
    }
}
