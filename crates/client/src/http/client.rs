//! Sends requests with the notices about them.

use super::{ApiRequest, fetch::fetch, milliseconds};
use crate::notices::{Notices, SLOW};
use crate::policy::FetchResult;
use gloo_timers::callback::Timeout;
use gloo_timers::future::TimeoutFuture;
use std::cell::Cell;
use std::rc::Rc;

/// Sends requests, and reports slow responses and errors to the notices.
#[derive(Debug, Clone, Copy)]
pub struct Http {
    notices: Notices,
}

impl Http {
    /// A client that reports to `notices`.
    pub const fn new(notices: Notices) -> Self {
        Self { notices }
    }

    /// Sends a request with an `Idempotency-Key`, and repeats it when the response is missing.
    pub async fn send_idempotent(self, request: &ApiRequest) -> FetchResult {
        let mut sent = 1;
        loop {
            let result = self.send(request).await;
            let Some(pause) = request.repeat_after(&result, sent) else { return result };
            TimeoutFuture::new(milliseconds(pause)).await;
            sent += 1;
        }
    }

    /// Sends `request` and waits for the complete response, or for the request's timeout.
    pub async fn send(self, request: &ApiRequest) -> FetchResult {
        let is_slow = Rc::new(Cell::new(false));
        let slow = Timeout::new(milliseconds(SLOW), {
            let notices = self.notices;
            let is_slow = Rc::clone(&is_slow);
            move || {
                is_slow.set(true);
                notices.slow(true);
            }
        });
        let result = fetch(request).await;
        drop(slow);
        if is_slow.get() {
            self.notices.slow(false);
        }
        self.notices.on_result(&result);
        result
    }
}
