//! How a call is sent.

use super::{ApiRequest, fetch::fetch, milliseconds};
use crate::notices::{Notices, SLOW};
use crate::policy::FetchResult;
use gloo_timers::callback::Timeout;
use gloo_timers::future::TimeoutFuture;
use std::cell::Cell;
use std::rc::Rc;

/// Sends calls and tells people when that is difficult.
#[derive(Debug, Clone, Copy)]
pub struct Http {
    notices: Notices,
}

impl Http {
    /// A client that reports to `notices`.
    pub const fn new(notices: Notices) -> Self {
        Self { notices }
    }

    /// Sends a step, and repeats it when the response is missing.
    pub async fn send_step(self, call: &ApiRequest) -> FetchResult {
        let mut sent = 1;
        loop {
            let exchange = self.send(call).await;
            let Some(pause) = call.repeat_after(&exchange, sent) else { return exchange };
            TimeoutFuture::new(milliseconds(pause)).await;
            sent += 1;
        }
    }

    /// Sends `call` and waits for the whole answer, or for the call's patience to end.
    pub async fn send(self, call: &ApiRequest) -> FetchResult {
        let is_slow = Rc::new(Cell::new(false));
        let slow = Timeout::new(milliseconds(SLOW), {
            let (notices, is_slow) = (self.notices, Rc::clone(&is_slow));
            move || {
                is_slow.set(true);
                notices.slow(true);
            }
        });
        let exchange = fetch(call).await;
        drop(slow);
        if is_slow.get() {
            self.notices.slow(false);
        }
        self.notices.on_result(&exchange);
        exchange
    }
}
