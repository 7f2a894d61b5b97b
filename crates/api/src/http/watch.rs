//! Watches one connection's time: nobody may hold one for nothing. actix-http's own timers know the first request's head
//! and the pause between requests, but neither a later head that never ends nor an answer that nobody takes.

use super::crowd::{BodySeat, Seat};
use crate::config::Patience;
use crate::gate::ShareKey;
use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Sleep, sleep};

/// The requests of one connection, as the application sees them; shared by its [`Watch`] and [`watch_requests`].
///
/// [`watch_requests`]: super::middleware::watch_requests
#[derive(Debug, Clone)]
pub struct Requests(Rc<Counts>);

#[derive(Debug)]
struct Counts {
    seat: Seat,
    begun: Cell<u64>,
    open: Cell<u32>,
    /// Whether the connection ends with the answer that was made last.
    last: Cell<bool>,
}

/// A request that is being answered, until this is dropped.
#[derive(Debug)]
pub(super) struct Begun(Requests);

impl Requests {
    pub(super) fn begin(&self) -> Begun {
        self.0.begun.set(self.0.begun.get() + 1);
        self.0.open.set(self.0.open.get() + 1);
        Begun(self.clone())
    }

    /// Whether the connection must make room for others, if it waits.
    pub(super) fn must_hurry(&self) -> bool {
        self.0.seat.is_dense()
    }

    /// Notes that a body of `client` is on its way; `None` when there are too many of them.
    pub(super) fn begin_body(&self, client: ShareKey) -> Option<BodySeat> {
        self.0.seat.begin_body(client)
    }

    fn any_open(&self) -> bool {
        self.0.open.get() > 0
    }
}

impl Begun {
    /// Notes that the connection ends with this request's answer.
    pub(super) fn is_last(&self) {
        self.0.0.last.set(true);
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        let open = &self.0.0.open;
        open.set(open.get() - 1);
    }
}

/// What a connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Its first byte.
    New,
    /// The next request.
    Idle,
    /// The rest of a request's head, or whatever else the client sends that is no request.
    Head,
    /// The application, which has time-outs of its own.
    Application,
    /// The client, to take an answer.
    Client,
    /// The client, to see that it is over.
    Leaving,
}

/// The time of one connection.
#[derive(Debug)]
pub(super) struct Watch {
    patience: Patience,
    requests: Requests,
    phase: Phase,
    /// Requests that had begun when the phase was looked at last.
    seen: u64,
    timer: Pin<Box<Sleep>>,
    /// What is left of the phase's time after the timer.
    left: Duration,
}

impl Watch {
    pub(super) fn new(patience: Patience, seat: Seat) -> Self {
        let timer = Box::pin(sleep(Duration::ZERO));
        let counts = Counts { seat, begun: Cell::default(), open: Cell::default(), last: Cell::default() };
        let requests = Requests(Rc::new(counts));
        let mut watch = Self { patience, requests, phase: Phase::New, seen: 0, timer, left: Duration::ZERO };
        watch.enter(Phase::New);
        watch
    }

    pub(super) fn requests(&self) -> &Requests {
        &self.requests
    }

    /// Notes that bytes came in.
    pub(super) fn read(&mut self) {
        self.look();
        if matches!(self.phase, Phase::New | Phase::Idle) {
            self.enter(Phase::Head);
        }
    }

    /// Notes that an answer could not be written at once.
    pub(super) fn write_waits(&mut self) {
        if self.phase != Phase::Client {
            self.enter(Phase::Client);
        }
    }

    /// Notes that everything is written.
    pub(super) fn written(&mut self) {
        if self.phase == Phase::Client {
            self.phase = Phase::Application;
            self.look();
        }
    }

    /// Ready with the phase whose time is over.
    pub(super) fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<Phase> {
        self.look();
        if self.phase == Phase::Application {
            return Poll::Pending;
        }
        loop {
            ready!(self.timer.as_mut().poll(cx));
            if self.left.is_zero() || self.requests.must_hurry() {
                return Poll::Ready(self.phase);
            }
            self.arm(self.left);
        }
    }

    /// Finds out whether a request began or ended since the last look.
    fn look(&mut self) {
        let begun = self.requests.0.begun.get();
        if begun != self.seen && self.phase != Phase::Client {
            self.seen = begun;
            self.phase = Phase::Application;
        }
        if self.phase == Phase::Application && !self.requests.any_open() {
            self.enter(if self.requests.0.last.get() { Phase::Leaving } else { Phase::Idle });
        }
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        let time = match phase {
            Phase::New | Phase::Head | Phase::Application => self.patience.head,
            Phase::Idle => self.patience.idle,
            Phase::Client => self.patience.answer,
            Phase::Leaving => self.patience.linger,
        };
        self.arm(time);
    }

    /// A connection that waits for its client looks up from time to time whether it has to make room.
    fn arm(&mut self, time: Duration) {
        let step = match self.phase {
            Phase::Idle => time.min(self.patience.idle_crowded),
            Phase::New | Phase::Head => time.min(self.patience.hurry),
            Phase::Application | Phase::Client | Phase::Leaving => time,
        };
        self.left = time.saturating_sub(step);
        self.timer.set(sleep(step));
    }
}
