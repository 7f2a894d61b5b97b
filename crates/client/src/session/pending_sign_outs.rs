//! Sends sign-outs to the server: at once, or when it can be reached.

use super::{SessionOwner, lock};
use crate::clock;
use crate::http::{ApiRequest, milliseconds, send_keepalive};
use crate::local_storage;
use crate::notices::SLOW;
use crate::policy::{FetchResult, PendingSignOut, PendingSignOuts, RefreshCredential, SessionTokens, backoff_delay};
use auth_types::paths;
use futures::FutureExt;
use futures::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::pin::pin;
use std::time::Duration;

/// How long a sign-in waits for the response to the previous sign-out.
const SIGN_OUT_WAIT: Duration = Duration::from_secs(5);

impl SessionOwner {
    /// Signs out the session of these tokens at the server.
    ///
    /// With cookies, the response removes cookies. It must not remove those of the next sign-in, which waits for the lock.
    pub(super) fn send_sign_out(self, tokens: &SessionTokens) {
        let sign_out = PendingSignOut::of(tokens, clock::now());
        let guard = match tokens.refresh_credential() {
            RefreshCredential::Cookie { .. } => lock::announce_sign_out(),
            RefreshCredential::Token(_) => None,
        };
        let by_access = access_sign_out(tokens);
        let response = send_keepalive(&ApiRequest::sign_out(&sign_out));
        self.start_task(async move {
            let result = self.await_acknowledgement(sign_out, response).await;
            drop(guard);
            if let Some(by_access) = by_access.filter(|_| PendingSignOut::lacked_its_cookie(&result)) {
                drop(self.http.send(&by_access).await);
            }
            self.schedule_retry(&result, 1);
        });
    }

    /// Ends the session of these tokens at the server by its access token, because the browser's cookie is another session's.
    pub(super) fn end_by_access(self, tokens: &SessionTokens) {
        if let Some(by_access) = access_sign_out(tokens) {
            spawn_local(async move { drop(self.http.send(&by_access).await) });
        }
    }

    /// Sends the pending sign-outs of all tabs: when the page is opened or visible again, when the network is back, before the
    /// next sign-in, and by a timer.
    pub(super) fn send_pending_sign_outs(self) {
        self.send_pending(1);
    }

    /// Waits for the running sign-out, but not for long. Its response removes cookies, and must not arrive after the next
    /// sign-in has set its own; where there are no Web Locks, only this wait prevents that.
    pub(super) async fn wait_for_sign_out(self) {
        if let Some(task) = self.sign_out_task.with_value(Clone::clone) {
            select(task, TimeoutFuture::new(milliseconds(SIGN_OUT_WAIT))).await;
        }
    }

    /// Reads the pending sign-outs that other tabs have stored or sent.
    pub(super) fn sync_pending_sign_outs(self) {
        self.update_pending(|_| ());
    }

    /// Removes the sign-outs that need the cookie of their session, because another session's cookie has replaced it.
    pub(super) fn forget_pending_cookies(self) {
        self.update_pending(PendingSignOuts::forget_cookies);
    }

    fn send_pending(self, attempt: u32) {
        self.sync_pending_sign_outs();
        let is_running = self.sign_out_task.with_value(|task| task.as_ref().is_some_and(|task| task.peek().is_none()));
        if is_running || self.pending().is_empty() {
            return;
        }
        self.start_task(async move {
            // A response that removes cookies must not cross a sign-in's. Without the lock, leave it to the next occasion.
            let Some(_guard) = lock::acquire(lock::COOKIE_WAIT).await else { return };
            while let Some(sign_out) = self.next_pending() {
                let response = send_keepalive(&ApiRequest::sign_out(&sign_out));
                let result = self.await_acknowledgement(sign_out, response).await;
                if !PendingSignOut::is_acknowledged(&result) {
                    return self.schedule_retry(&result, attempt);
                }
            }
        });
    }

    /// Waits for the response. The sign-out stays pending until the server has acknowledged it.
    async fn await_acknowledgement(
        self,
        sign_out: PendingSignOut,
        response: impl Future<Output = FetchResult>,
    ) -> FetchResult {
        let result = match select(pin!(response), TimeoutFuture::new(milliseconds(SLOW))).await {
            Either::Left((result, _)) => result,
            Either::Right(((), response)) => {
                // The page may be closed before the response arrives.
                self.update_pending(|all| all.keep(sign_out.clone()));
                response.await
            }
        };
        let is_acknowledged = PendingSignOut::is_acknowledged(&result);
        self.update_pending(|all| if is_acknowledged { all.forget(sign_out.session()) } else { all.keep(sign_out) });
        result
    }

    /// Schedules the next attempt after a failed one.
    fn schedule_retry(self, result: &FetchResult, attempt: u32) {
        if PendingSignOut::is_acknowledged(result) {
            return;
        }
        let retry_after = result.as_ref().ok().and_then(|response| response.retry_after);
        let started = self.sign_out_task_count.try_get_value();
        let retry = move || {
            // A task that was started since schedules its own.
            if self.sign_out_task_count.try_get_value() == started {
                self.send_pending(attempt.saturating_add(1));
            }
        };
        set_timeout(retry, backoff_delay(attempt, retry_after, clock::jitter()));
    }

    fn start_task(self, task: impl Future<Output = ()> + 'static) {
        self.sign_out_task_count.update_value(|count| *count = count.wrapping_add(1));
        let task = task.boxed_local().shared();
        spawn_local(task.clone());
        self.sign_out_task.set_value(Some(task));
    }

    fn next_pending(self) -> Option<PendingSignOut> {
        self.sync_pending_sign_outs();
        self.pending().first().cloned()
    }

    fn pending(self) -> PendingSignOuts {
        self.pending_in_memory.get_value().unwrap_or_else(local_storage::read_pending_sign_outs)
    }

    /// Changes the pending sign-outs: in storage, or in memory where storage is unavailable.
    fn update_pending(self, change: impl FnOnce(&mut PendingSignOuts)) {
        let mut all = self.pending();
        all.expire(clock::now());
        change(&mut all);
        self.notices.sign_out_pending(!all.is_empty());
        let stored = local_storage::write_pending_sign_outs(&all);
        self.pending_in_memory.set_value((!stored).then_some(all));
    }
}

/// The request that ends the session of these tokens by its access token, if there is one.
fn access_sign_out(tokens: &SessionTokens) -> Option<ApiRequest> {
    let path = paths::SESSION.replace("{id}", &tokens.session().to_string());
    Some(ApiRequest::delete(path).with_access(tokens.access()?))
}
