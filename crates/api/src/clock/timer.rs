//! A timer that is set again and again, mostly before it is due.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep};

/// Is due some time after it was last set. Setting it mostly changes a number only: the runtime's timer, which takes longer to
/// move, may go off too early, and is moved then.
#[derive(Debug)]
pub struct Timer {
    due: Instant,
    sleep: Pin<Box<Sleep>>,
}

impl Timer {
    pub fn after(time: Duration) -> Self {
        let sleep = Box::pin(sleep(time));
        Self { due: sleep.deadline(), sleep }
    }

    /// Sets it to `time` from now.
    pub fn set(&mut self, time: Duration) {
        self.due = Instant::now() + time;
        if self.due < self.sleep.deadline() {
            self.sleep.as_mut().reset(self.due);
        }
    }

    /// Ready while it is due.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.sleep.as_mut().poll(cx));
            if self.sleep.deadline() >= self.due {
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(self.due);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Timer;
    use futures_util::poll;
    use std::future::poll_fn;
    use std::time::Duration;
    use tokio::time::advance;

    const SECOND: Duration = Duration::from_secs(1);

    async fn is_due(timer: &mut Timer) -> bool {
        poll!(poll_fn(|cx| timer.poll(cx))).is_ready()
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_due_when_the_last_time_that_was_set_is_over() {
        let mut timer = Timer::after(10 * SECOND);
        assert!(!is_due(&mut timer).await);
        timer.set(4 * SECOND);
        advance(3 * SECOND).await;
        assert!(!is_due(&mut timer).await);
        timer.set(20 * SECOND);
        advance(19 * SECOND).await;
        assert!(!is_due(&mut timer).await, "the time that was set before is over");
        advance(2 * SECOND).await;
        assert!(is_due(&mut timer).await);
        assert!(is_due(&mut timer).await, "until it is set again");
        timer.set(SECOND);
        assert!(!is_due(&mut timer).await);
    }

    /// Whoever waits is woken, however often the timer was moved.
    #[tokio::test(start_paused = true)]
    async fn it_wakes_a_task_that_waits_for_it() {
        let mut timer = Timer::after(SECOND);
        timer.set(5 * SECOND);
        poll_fn(|cx| timer.poll(cx)).await;
        timer.set(9 * SECOND);
        timer.set(3 * SECOND);
        poll_fn(|cx| timer.poll(cx)).await;
    }
}
