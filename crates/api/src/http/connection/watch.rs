//! The timeouts of one connection: no client may hold one without making progress. actix-http's own timers cover the first
//! request's head and the pause between requests, but neither a later head that never ends nor a response that is not read.

use super::client_waits::WaitKind;
use super::open_connections::{BodySlot, ClientWait, ConnectionSlot};
use crate::clock::Timer;
use crate::config::Timeouts;
use crate::gate::RequesterId;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Sleep, sleep};

/// What a client has to read of a response within [`Timeouts::response`], bytes: a client that reads less only holds the
/// connection. That is 4 KiB a second.
const RESPONSE_STEP_BYTES: usize = 128 * 1024;

/// The requests of one connection, as the application sees them; shared by its [`ConnectionWatch`] and [`watch_requests`].
///
/// [`watch_requests`]: crate::http::middleware::watch_requests
#[derive(Debug, Clone)]
pub struct ConnectionRequests(Rc<RequestState>);

#[derive(Debug)]
struct RequestState {
    slot: ConnectionSlot,
    begun: Cell<u64>,
    open: Cell<u32>,
    /// Whether the connection ends with the latest response.
    last: Cell<bool>,
    /// The wait for a request, or for the client to close the connection, while no request is in progress.
    wait: RefCell<Option<ClientWait>>,
}

/// A request in progress, until this is dropped.
#[derive(Debug)]
pub(in crate::http) struct RequestInProgress(ConnectionRequests);

impl ConnectionRequests {
    pub(in crate::http) fn begin(&self) -> RequestInProgress {
        self.0.begun.set(self.0.begun.get() + 1);
        self.0.open.set(self.0.open.get() + 1);
        drop(self.0.wait.take());
        RequestInProgress(self.clone())
    }

    /// Whether this connection should not be held without need.
    pub(in crate::http) fn connections_are_scarce(&self) -> bool {
        self.0.slot.connections_are_scarce()
    }

    /// Whether further connections of the same peer are being refused: this one has less time to wait for its client.
    pub(in crate::http) fn must_make_room(&self) -> bool {
        self.0.slot.must_make_room()
    }

    /// Registers a body of `client`; `None` when too many of its bodies are being received.
    pub(in crate::http) fn begin_body(&self, client: RequesterId) -> Option<BodySlot> {
        self.0.slot.begin_body(client)
    }

    fn any_open(&self) -> bool {
        self.0.open.get() > 0
    }
}

impl RequestInProgress {
    /// Notes that the connection ends with this request's response.
    pub(in crate::http) fn set_last(&self) {
        self.0.0.last.set(true);
    }
}

impl Drop for RequestInProgress {
    fn drop(&mut self) {
        let open = &self.0.0.open;
        open.set(open.get() - 1);
    }
}

/// What a connection waits for its client to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Phase {
    /// To send its first byte.
    New,
    /// To send the next request.
    Idle,
    /// To send the rest of a request's head, or of bytes that are not a request.
    Head,
    /// To read a response.
    Writing,
    /// To close the connection.
    Closing,
}

/// The state and timers of one connection.
#[derive(Debug)]
pub(in crate::http) struct ConnectionWatch {
    timeouts: Timeouts,
    requests: ConnectionRequests,
    /// `None` while the application works, which has timeouts of its own.
    phase: Option<Phase>,
    /// How many requests had begun at the last update of the phase.
    seen: u64,
    timer: Timer,
    /// What is left of the phase's time after the timer.
    left: Duration,
    /// The wait for the client to read a response.
    response_wait: Option<ClientWait>,
    /// Bytes written since the timer was set.
    written_bytes: usize,
    /// Wakes the connection when it must make room and its client's grace period is over.
    grace: Option<Pin<Box<Sleep>>>,
}

impl ConnectionWatch {
    pub(in crate::http) fn new(timeouts: Timeouts, slot: ConnectionSlot) -> Self {
        let requests = ConnectionRequests(Rc::new(RequestState {
            slot,
            begun: Cell::default(),
            open: Cell::default(),
            last: Cell::default(),
            wait: RefCell::default(),
        }));
        let mut watch = Self {
            timeouts,
            requests,
            phase: None,
            seen: 0,
            timer: Timer::after(Duration::ZERO),
            left: Duration::ZERO,
            response_wait: None,
            written_bytes: 0,
            grace: None,
        };
        watch.enter(Phase::New);
        watch
    }

    pub(in crate::http) fn requests(&self) -> &ConnectionRequests {
        &self.requests
    }

    /// Whether the client has had a response and has not begun its next request.
    pub(in crate::http) fn is_idle(&self) -> bool {
        self.phase == Some(Phase::Idle)
    }

    /// Called when bytes came in.
    pub(in crate::http) fn on_read(&mut self) {
        self.update_phase();
        if matches!(self.phase, Some(Phase::New | Phase::Idle)) {
            self.enter(Phase::Head);
        }
    }

    /// Called when a response could not be written at once.
    pub(in crate::http) fn on_write_blocked(&mut self) {
        if self.phase != Some(Phase::Writing) {
            self.enter(Phase::Writing);
        }
    }

    /// Called when a part of a response was written, so the client has read what was in its way.
    pub(in crate::http) fn on_written(&mut self, bytes: usize) {
        if self.phase == Some(Phase::Writing) {
            self.written_bytes = self.written_bytes.saturating_add(bytes);
            self.response_wait = Some(self.requests.0.slot.wait(WaitKind::Response));
        }
    }

    /// Called when everything is written.
    pub(in crate::http) fn on_flushed(&mut self) {
        if self.phase == Some(Phase::Writing) {
            self.response_wait = None;
            self.phase = None;
            self.update_phase();
        }
    }

    /// Ready with the phase that has timed out.
    pub(in crate::http) fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<Phase> {
        self.update_phase();
        let Some(phase) = self.phase else { return Poll::Pending };
        loop {
            ready!(self.timer.poll(cx));
            if phase == Phase::Writing && self.written_bytes >= RESPONSE_STEP_BYTES {
                self.written_bytes = 0;
                self.arm(phase, self.timeouts.response);
                continue;
            }
            if self.left.is_zero() || self.requests.must_make_room() {
                return Poll::Ready(phase);
            }
            self.arm(phase, self.left);
        }
    }

    /// Ready with the phase in which the connection must make room for another. A client that has not had its response yet
    /// gets its grace period first.
    pub(in crate::http) fn poll_displaced(&mut self, cx: &mut Context<'_>) -> Poll<Phase> {
        self.update_phase();
        ready!(self.requests.0.slot.poll_end(cx));
        let Some(phase) = self.phase else { return Poll::Pending };
        let left = match phase {
            Phase::Idle | Phase::Closing => Duration::ZERO,
            Phase::New | Phase::Head | Phase::Writing => self.left_of_grace(),
        };
        if !left.is_zero() {
            ready!(self.grace.insert(Box::pin(sleep(left))).as_mut().poll(cx));
        }
        Poll::Ready(phase)
    }

    fn left_of_grace(&self) -> Duration {
        let request = self.requests.0.wait.borrow();
        let wait = self.response_wait.as_ref().or(request.as_ref());
        wait.map_or(Duration::ZERO, |wait| wait.left_of(self.timeouts.grace))
    }

    /// Updates the phase if a request began or ended since the last call.
    fn update_phase(&mut self) {
        let begun = self.requests.0.begun.get();
        if begun != self.seen && self.phase != Some(Phase::Writing) {
            self.seen = begun;
            self.phase = None;
        }
        if self.phase.is_none() && !self.requests.any_open() {
            self.enter(if self.requests.0.last.get() { Phase::Closing } else { Phase::Idle });
        }
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = Some(phase);
        self.written_bytes = 0;
        let time = match phase {
            Phase::New | Phase::Head => self.timeouts.head,
            Phase::Idle => self.timeouts.idle,
            Phase::Writing => self.timeouts.response,
            Phase::Closing => self.timeouts.linger,
        };
        self.arm(phase, time);
        let kind = if phase == Phase::Writing { WaitKind::Response } else { WaitKind::Request };
        let wait = self.requests.0.slot.wait(kind);
        let (request, response) = if phase == Phase::Writing { (None, Some(wait)) } else { (Some(wait), None) };
        drop(self.requests.0.wait.replace(request));
        self.response_wait = response;
    }

    /// A connection that waits for its client checks from time to time whether others of its peer are being refused.
    fn arm(&mut self, phase: Phase, time: Duration) {
        let step = match phase {
            Phase::Idle => time.min(self.timeouts.idle_contended),
            Phase::New | Phase::Head => time.min(self.timeouts.contended),
            Phase::Writing | Phase::Closing => time,
        };
        self.left = time.saturating_sub(step);
        self.timer.set(step);
    }
}
