//! The connections that wait for their clients, in the order in which they began to, and the word that one of them must end.

use futures_util::task::AtomicWaker;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

/// What the client is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Line {
    /// To send a request, or the rest of one, or to see that all is over.
    Request,
    /// To take an answer.
    Answer,
}

/// All waits.
#[derive(Debug, Default)]
pub(in crate::http) struct Waits {
    begun: u64,
    requests: BTreeMap<u64, Arc<EndSignal>>,
    answers: BTreeMap<u64, Arc<EndSignal>>,
}

/// A wait's place in its line.
#[derive(Debug)]
pub(in crate::http) struct Place {
    line: Line,
    number: u64,
    pub(in crate::http) signal: Arc<EndSignal>,
}

/// Tells a connection, which is served by some other thread, that it must end. It is given once and for all.
#[derive(Debug, Default)]
pub(in crate::http) struct EndSignal {
    given: AtomicBool,
    waker: AtomicWaker,
}

impl EndSignal {
    /// Whether it was not given before.
    pub(in crate::http) fn give(&self) -> bool {
        !self.given.swap(true, Ordering::AcqRel)
    }

    pub(in crate::http) fn is_given(&self) -> bool {
        self.given.load(Ordering::Acquire)
    }

    /// Ready when it is given.
    pub(in crate::http) fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        self.waker.register(cx.waker());
        if self.is_given() { Poll::Ready(()) } else { Poll::Pending }
    }

    pub(in crate::http) fn wake(&self) {
        self.waker.wake();
    }
}

impl Waits {
    /// At the end of the line.
    pub(in crate::http) fn begin(&mut self, line: Line, signal: &Arc<EndSignal>) -> Place {
        self.begun += 1;
        let place = Place { line, number: self.begun, signal: Arc::clone(signal) };
        if !signal.is_given() {
            self.line(line).insert(place.number, Arc::clone(signal));
        }
        place
    }

    pub(in crate::http) fn end(&mut self, place: &Place) {
        self.line(place.line).remove(&place.number);
    }

    /// Gives the signal of the wait that began first in the longer line; the caller wakes it. Where most send slowly,
    /// nobody who takes an answer is cut off, and the other way round.
    pub(in crate::http) fn end_oldest(&mut self) -> Option<Arc<EndSignal>> {
        loop {
            let longer = if self.answers.len() > self.requests.len() { Line::Answer } else { Line::Request };
            let (_, signal) = self.line(longer).pop_first()?;
            // One that sends a body while it takes the answer before is in both lines.
            if signal.give() {
                return Some(signal);
            }
        }
    }

    const fn line(&mut self, line: Line) -> &mut BTreeMap<u64, Arc<EndSignal>> {
        match line {
            Line::Request => &mut self.requests,
            Line::Answer => &mut self.answers,
        }
    }
}
