//! Watches one connection's time: nobody may hold one for nothing. actix-http's own timers know the first request's head
//! and the pause between requests, but neither a later head that never ends nor an answer that nobody takes.

use super::crowd::{BodySeat, Seat, Wait};
use super::waits::Line;
use crate::config::Patience;
use crate::gate::ShareKey;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Sleep, sleep};

/// What a client has to take of an answer within [`Patience::answer`], bytes: its time is for want of progress, and whoever
/// takes less only holds the connection. That is 4 KiB a second.
const LEAST_TAKEN_BYTES: usize = 128 * 1024;

/// The requests of one connection, as the application sees them; shared by its [`Watch`] and [`watch_requests`].
///
/// [`watch_requests`]: crate::http::middleware::watch_requests
#[derive(Debug, Clone)]
pub struct Requests(Rc<Counts>);

#[derive(Debug)]
struct Counts {
    seat: Seat,
    begun: Cell<u64>,
    open: Cell<u32>,
    /// Whether the connection ends with the answer that was made last.
    last: Cell<bool>,
    /// For a request, or the end, while no request is open.
    wait: RefCell<Option<Wait>>,
}

/// A request that is being answered, until this is dropped.
#[derive(Debug)]
pub(in crate::http) struct Begun(Requests);

impl Requests {
    pub(in crate::http) fn begin(&self) -> Begun {
        self.0.begun.set(self.0.begun.get() + 1);
        self.0.open.set(self.0.open.get() + 1);
        drop(self.0.wait.take());
        Begun(self.clone())
    }

    /// Whether connections are scarce: this one should not be held without need.
    pub(in crate::http) fn must_hurry(&self) -> bool {
        self.0.seat.is_dense()
    }

    /// Whether others of the same peer are refused: while it waits for its client, it has less time.
    pub(in crate::http) fn is_pressed(&self) -> bool {
        self.0.seat.is_pressed()
    }

    /// Notes that a body of `client` is on its way; `None` when there are too many of them.
    pub(in crate::http) fn begin_body(&self, client: ShareKey) -> Option<BodySeat> {
        self.0.seat.begin_body(client)
    }

    fn any_open(&self) -> bool {
        self.0.open.get() > 0
    }
}

impl Begun {
    /// Notes that the connection ends with this request's answer.
    pub(in crate::http) fn is_last(&self) {
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
pub(in crate::http) enum Phase {
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
pub(in crate::http) struct Watch {
    patience: Patience,
    requests: Requests,
    phase: Phase,
    /// Requests that had begun when the phase was looked at last.
    seen: u64,
    timer: Pin<Box<Sleep>>,
    /// What is left of the phase's time after the timer.
    left: Duration,
    /// For the client to take an answer.
    taking: Option<Wait>,
    /// Bytes that it has taken since the timer was set.
    taken: usize,
    /// Wakes the connection when it must make room and its client has had its chance.
    chance: Option<Pin<Box<Sleep>>>,
}

impl Watch {
    pub(in crate::http) fn new(patience: Patience, seat: Seat) -> Self {
        let timer = Box::pin(sleep(Duration::ZERO));
        let (begun, open, last, wait) = Default::default();
        let requests = Requests(Rc::new(Counts { seat, begun, open, last, wait }));
        let (phase, left) = (Phase::New, Duration::ZERO);
        let mut watch = Self { patience, requests, phase, seen: 0, timer, left, taking: None, taken: 0, chance: None };
        watch.enter(Phase::New);
        watch
    }

    pub(in crate::http) fn requests(&self) -> &Requests {
        &self.requests
    }

    /// Whether the client has been served, and has not begun its next request.
    pub(in crate::http) fn is_idle(&self) -> bool {
        self.phase == Phase::Idle
    }

    /// Notes that bytes came in.
    pub(in crate::http) fn read(&mut self) {
        self.look();
        if matches!(self.phase, Phase::New | Phase::Idle) {
            self.enter(Phase::Head);
        }
    }

    /// Notes that an answer could not be written at once.
    pub(in crate::http) fn write_waits(&mut self) {
        if self.phase != Phase::Client {
            self.enter(Phase::Client);
        }
    }

    /// Notes that a part of an answer was taken.
    pub(in crate::http) fn wrote(&mut self, bytes: usize) {
        if self.phase == Phase::Client {
            self.taken = self.taken.saturating_add(bytes);
            self.taking = Some(self.requests.0.seat.wait(Line::Answer));
        }
    }

    /// Notes that everything is written.
    pub(in crate::http) fn written(&mut self) {
        if self.phase == Phase::Client {
            self.taking = None;
            self.phase = Phase::Application;
            self.look();
        }
    }

    /// Ready with the phase whose time is over.
    pub(in crate::http) fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<Phase> {
        self.look();
        if self.phase == Phase::Application {
            return Poll::Pending;
        }
        loop {
            ready!(self.timer.as_mut().poll(cx));
            if self.phase == Phase::Client && self.taken >= LEAST_TAKEN_BYTES {
                self.taken = 0;
                self.arm(self.patience.answer);
                continue;
            }
            if self.left.is_zero() || self.requests.is_pressed() {
                return Poll::Ready(self.phase);
            }
            self.arm(self.left);
        }
    }

    /// Ready with the phase in which the connection must make room for another one. Until then its client has its chance,
    /// unless it has been served.
    pub(in crate::http) fn poll_displaced(&mut self, cx: &mut Context<'_>) -> Poll<Phase> {
        self.look();
        ready!(self.requests.0.seat.poll_end(cx));
        let left = match self.phase {
            Phase::Application => return Poll::Pending,
            Phase::Idle | Phase::Leaving => Duration::ZERO,
            Phase::New | Phase::Head | Phase::Client => self.left_of_chance(),
        };
        if !left.is_zero() {
            ready!(self.chance.insert(Box::pin(sleep(left))).as_mut().poll(cx));
        }
        Poll::Ready(self.phase)
    }

    fn left_of_chance(&self) -> Duration {
        let request = self.requests.0.wait.borrow();
        let wait = self.taking.as_ref().or(request.as_ref());
        wait.map_or(Duration::ZERO, |wait| wait.left_of(self.patience.chance))
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
        self.taken = 0;
        let time = match phase {
            Phase::New | Phase::Head | Phase::Application => self.patience.head,
            Phase::Idle => self.patience.idle,
            Phase::Client => self.patience.answer,
            Phase::Leaving => self.patience.linger,
        };
        self.arm(time);
        let line = if phase == Phase::Client { Line::Answer } else { Line::Request };
        let wait = self.requests.0.seat.wait(line);
        let (request, answer) = if phase == Phase::Client { (None, Some(wait)) } else { (Some(wait), None) };
        drop(self.requests.0.wait.replace(request));
        self.taking = answer;
    }

    /// A connection that waits for its client looks up from time to time whether others of its peer are refused.
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
