//! The connections that wait for their clients, in the order in which the waits began, and the signal that ends one.

use futures_util::task::AtomicWaker;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

/// What a connection waits for its client to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum WaitKind {
    /// To send a request or the rest of one, or to close the connection.
    Request,
    /// To read a response.
    Response,
}

/// All waits of the process.
#[derive(Debug, Default)]
pub(in crate::http) struct ClientWaits {
    begun: u64,
    requests: BTreeMap<u64, Arc<EndSignal>>,
    responses: BTreeMap<u64, Arc<EndSignal>>,
}

/// A wait's entry in the queue of its kind.
#[derive(Debug)]
pub(in crate::http) struct WaitEntry {
    kind: WaitKind,
    number: u64,
    pub(in crate::http) signal: Arc<EndSignal>,
}

/// Signals a connection, which another thread may serve, that it must end. Once set, it stays set.
#[derive(Debug, Default)]
pub(in crate::http) struct EndSignal {
    is_set: AtomicBool,
    waker: AtomicWaker,
}

impl EndSignal {
    /// Returns whether it was not set before.
    pub(in crate::http) fn set(&self) -> bool {
        !self.is_set.swap(true, Ordering::AcqRel)
    }

    pub(in crate::http) fn is_set(&self) -> bool {
        self.is_set.load(Ordering::Acquire)
    }

    /// Ready when it is set.
    pub(in crate::http) fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        self.waker.register(cx.waker());
        if self.is_set() { Poll::Ready(()) } else { Poll::Pending }
    }

    pub(in crate::http) fn wake(&self) {
        self.waker.wake();
    }
}

impl ClientWaits {
    /// Appends a wait to the queue of its kind.
    pub(in crate::http) fn begin(&mut self, kind: WaitKind, signal: &Arc<EndSignal>) -> WaitEntry {
        self.begun += 1;
        let entry = WaitEntry { kind, number: self.begun, signal: Arc::clone(signal) };
        if !signal.is_set() {
            self.queue(kind).insert(entry.number, Arc::clone(signal));
        }
        entry
    }

    pub(in crate::http) fn end(&mut self, entry: &WaitEntry) {
        self.queue(entry.kind).remove(&entry.number);
    }

    /// Sets the signal of the oldest wait in the longer queue; the caller wakes it. Where most clients send slowly, no
    /// client that reads a response is cut off, and the other way round.
    pub(in crate::http) fn end_oldest(&mut self) -> Option<Arc<EndSignal>> {
        loop {
            let longer =
                if self.responses.len() > self.requests.len() { WaitKind::Response } else { WaitKind::Request };
            let (_, signal) = self.queue(longer).pop_first()?;
            // A client that sends a body while it reads the previous response is in both queues.
            if signal.set() {
                return Some(signal);
            }
        }
    }

    const fn queue(&mut self, kind: WaitKind) -> &mut BTreeMap<u64, Arc<EndSignal>> {
        match kind {
            WaitKind::Request => &mut self.requests,
            WaitKind::Response => &mut self.responses,
        }
    }
}
