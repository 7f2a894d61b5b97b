//! Telling the server that a session has ended here: at once, or when it can be reached.

use super::{Session, lock};
use crate::clock;
use crate::http::{ApiRequest, milliseconds, send_keepalive};
use crate::notices::SLOW;
use crate::policy::{FetchResult, PendingSignOut, PendingSignOuts, Renewal, SessionTokens, wait};
use crate::tokens;
use futures::FutureExt;
use futures::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::pin::pin;
use std::time::Duration;

/// How long a sign-in waits for the answer to the sign-out before it.
const SIGN_OUT_WAIT: Duration = Duration::from_secs(5);

impl Session {
    /// Tells the server that the session of these tokens is over here.
    ///
    /// With cookies, the answer takes cookies away. They must not be those of the next sign-in, which waits for this turn.
    pub(super) fn send_sign_out(self, tokens: &SessionTokens) {
        let late = PendingSignOut::of(tokens, clock::now());
        let turn = match tokens.renewal() {
            Renewal::Cookie { .. } => lock::queue_up(),
            Renewal::Token(_) => None,
        };
        let answer = send_keepalive(&ApiRequest::logout(&late));
        self.begin(async move {
            let exchange = self.await_acknowledgement(late, answer).await;
            drop(turn);
            self.schedule_retry(&exchange, 1);
        });
    }

    /// Tells the server of the sign-outs that it has not heard of, in any tab: when the page is opened or looked at again, when
    /// the network is back, before the next sign-in, and by itself.
    pub(super) fn send_pending_sign_outs(self) {
        self.send_pending_after_attempts(1);
    }

    /// The answer to a sign-out removes cookies: it must not come after those of the next sign-in. Where there are no Web
    /// Locks, that takes a wait, but a server that is not heard of by then has had its time.
    pub(super) async fn wait_for_sign_out(self) {
        if let Some(sign_out_task) = self.sign_out_task.with_value(Clone::clone) {
            select(sign_out_task, TimeoutFuture::new(milliseconds(SIGN_OUT_WAIT))).await;
        }
    }

    /// Takes in what other tabs have kept or sent.
    pub(super) fn sync_pending_sign_outs(self) {
        self.update_pending(|_| ());
    }

    /// Forgets the sign-outs that need the cookie of their session: another session's has taken its place.
    pub(super) fn forget_pending_cookies(self) {
        self.update_pending(PendingSignOuts::forget_cookies);
    }

    fn send_pending_after_attempts(self, attempt: u32) {
        self.sync_pending_sign_outs();
        let is_under_way = self.sign_out_task.with_value(|sign_out_task| {
            sign_out_task.as_ref().is_some_and(|sign_out_task| sign_out_task.peek().is_none())
        });
        if is_under_way || self.pending().is_empty() {
            return;
        }
        self.begin(async move {
            // An answer that takes cookies away must not cross a sign-in's. Without a turn, the next occasion has to do.
            let Some(_turn) = lock::acquire(lock::COOKIE_WAIT).await else { return };
            while let Some(late) = self.next_pending() {
                let answer = send_keepalive(&ApiRequest::logout(&late));
                let exchange = self.await_acknowledgement(late, answer).await;
                if !PendingSignOut::is_acknowledged(&exchange) {
                    return self.schedule_retry(&exchange, attempt);
                }
            }
        });
    }

    /// Waits for the answer. While there is none, the sign-out is kept; when there is one, it is forgotten.
    async fn await_acknowledgement(
        self,
        late: PendingSignOut,
        answer: impl Future<Output = FetchResult>,
    ) -> FetchResult {
        let exchange = match select(pin!(answer), TimeoutFuture::new(milliseconds(SLOW))).await {
            Either::Left((exchange, _)) => exchange,
            Either::Right(((), answer)) => {
                // The page may be closed before.
                self.update_pending(|all| all.keep(late.clone()));
                answer.await
            }
        };
        let is_acknowledged = PendingSignOut::is_acknowledged(&exchange);
        self.update_pending(|all| if is_acknowledged { all.forget(late.session()) } else { all.keep(late) });
        exchange
    }

    /// Plans another attempt after one without success.
    fn schedule_retry(self, exchange: &FetchResult, attempt: u32) {
        if PendingSignOut::is_acknowledged(exchange) {
            return;
        }
        let asked = exchange.as_ref().ok().and_then(|answer| answer.retry_after);
        let number = self.sign_out_tasks.try_get_value();
        let again = move || {
            // What began since plans its own.
            if self.sign_out_tasks.try_get_value() == number {
                self.send_pending_after_attempts(attempt.saturating_add(1));
            }
        };
        set_timeout(again, wait(attempt, asked, clock::jitter()));
    }

    fn begin(self, sign_out_task: impl Future<Output = ()> + 'static) {
        self.sign_out_tasks.update_value(|sign_out_tasks| *sign_out_tasks = sign_out_tasks.wrapping_add(1));
        let sign_out_task = sign_out_task.boxed_local().shared();
        spawn_local(sign_out_task.clone());
        self.sign_out_task.set_value(Some(sign_out_task));
    }

    fn next_pending(self) -> Option<PendingSignOut> {
        self.sync_pending_sign_outs();
        self.pending().first().cloned()
    }

    fn pending(self) -> PendingSignOuts {
        self.pending_in_memory.get_value().unwrap_or_else(tokens::read_pending_sign_outs)
    }

    /// Changes what is kept: in storage, and in memory where that is not possible.
    fn update_pending(self, change: impl FnOnce(&mut PendingSignOuts)) {
        let mut all = self.pending();
        all.expire(clock::now());
        change(&mut all);
        self.notices.sign_out_pending(!all.is_empty());
        let stored = tokens::write_pending_sign_outs(&all);
        self.pending_in_memory.set_value((!stored).then_some(all));
    }
}
