//! The session as one page sees it.

use super::{SessionOwner, lock};
use crate::clock;
use crate::http::{ApiRequest, milliseconds};
use crate::local_storage;
use crate::policy::{
    AccessToken, BoundRequest, Epoch, FetchResult, RequestFailure, RequestStep, ResponseAction, SessionMachine,
    UnconfirmedAction,
};
use auth_types::responses::UserResponse;
use futures::future::{FutureExt, LocalBoxFuture};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;

/// The session that a page was built for. All requests of the page go through this. After another sign-in or a sign-out, in any
/// tab, none of them is sent, and none of their responses is shown, stored or acted on.
#[derive(Debug, Clone, Copy)]
pub struct PageSession {
    pub(super) session: SessionOwner,
    pub(super) epoch: Epoch,
}

/// The result of a request, and whether the page may still use it.
pub(super) struct DeliveredResponse {
    pub(super) result: FetchResult,
    /// Whether the session that sent the request is still this tab's.
    pub(super) is_current: bool,
    /// The lock that the request was sent under, if any.
    pub(super) lock: Option<lock::TabLock>,
}

/// Whether the response sets or removes cookies. Such a request waits for the lock between tabs, so that its response neither
/// crosses a refresh nor arrives after the next user's sign-in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cookies {
    Untouched,
    Changed,
}

/// A request to send with an access token.
pub(super) struct OutgoingRequest {
    pub(super) request: ApiRequest,
    pub(super) cookies: Cookies,
    /// The action, if it ends the session. It is stored each time the request is sent, and not before, because a refresh that
    /// succeeds meanwhile shows that the action has not been carried out.
    pub(super) ending: Option<UnconfirmedAction>,
}

/// The lock between tabs, as one request needs it.
struct CookieLock {
    cookies: Cookies,
    /// Whether the request was already delayed for the lock, which it may not have got.
    has_waited: bool,
    held: Option<lock::TabLock>,
}

impl CookieLock {
    const fn of(cookies: Cookies) -> Self {
        Self { cookies, has_waited: false, held: None }
    }

    /// Waits for the lock before the first attempt and before the first one after a refresh. Returns whether it waited.
    async fn acquire_if_needed(&mut self) -> bool {
        if self.cookies == Cookies::Untouched || self.has_waited {
            return false;
        }
        self.held = lock::acquire(lock::COOKIE_WAIT).await;
        self.has_waited = true;
        true
    }

    fn release(&mut self) {
        self.held = None;
        self.has_waited = false;
    }
}

impl SessionOwner {
    /// The session for a page of this epoch.
    pub const fn page_of(self, epoch: Epoch) -> PageSession {
        PageSession { session: self, epoch }
    }

    /// The session for a page that is built now.
    pub fn page(self) -> PageSession {
        self.page_of(self.machine.with_value(SessionMachine::epoch))
    }
}

impl PageSession {
    /// Whether this is still the tab's session. Check again after every wait.
    pub fn is_current(self) -> bool {
        self.session.sync_from_storage();
        self.session.machine.with_value(SessionMachine::epoch) == self.epoch
    }

    /// Fails if this is no longer the tab's session.
    pub(super) fn check(self) -> Result<(), RequestFailure> {
        if self.is_current() { Ok(()) } else { Err(RequestFailure::SignedOut) }
    }

    /// Sends a request with the access token; when that is refused, refreshes once and sends the request again.
    ///
    /// # Errors
    /// [`RequestFailure::SignedOut`] if this is no longer the tab's session, before or after the request; and the failure of a
    /// refresh.
    pub fn send(self, request: ApiRequest) -> LocalBoxFuture<'static, Result<FetchResult, RequestFailure>> {
        let outgoing = OutgoingRequest { request, cookies: Cookies::Untouched, ending: None };
        // Boxed, so that the program contains this once and not in the future of every request.
        let delivery = async move {
            let delivered = self.run(BoundRequest::new(self.epoch), outgoing).await?;
            if delivered.is_current { Ok(delivered.result) } else { Err(RequestFailure::SignedOut) }
        };
        delivery.boxed_local()
    }

    /// Takes the steps of a request with an access token. No other function sends one.
    pub(super) async fn run(
        self,
        mut bound: BoundRequest,
        outgoing: OutgoingRequest,
    ) -> Result<DeliveredResponse, RequestFailure> {
        let _action = outgoing.request.is_unsafe().then(|| self.session.begin_action());
        let mut lock = CookieLock::of(outgoing.cookies);
        let mut sent = 0;
        loop {
            match self.next(&mut bound)? {
                RequestStep::Fail(failure) => return Err(self.report(failure)),
                RequestStep::Refresh(refused) => {
                    // A refresh acquires the lock itself.
                    lock.release();
                    self.session.refresh(self.epoch, refused).await;
                }
                RequestStep::Send(access) => {
                    if lock.acquire_if_needed().await {
                        // The next step may be another one after the wait.
                        continue;
                    }
                    match self.attempt(&outgoing, &access, &mut bound).await {
                        ResponseAction::Retry => {}
                        ResponseAction::Deliver(result) => {
                            sent += 1;
                            let Some(pause) = outgoing.request.repeat_after(&result, sent) else {
                                return Ok(DeliveredResponse { result, is_current: true, lock: lock.held });
                            };
                            TimeoutFuture::new(milliseconds(pause)).await;
                            bound.repeat();
                        }
                        ResponseAction::Discard(result) => {
                            return Ok(DeliveredResponse { result, is_current: false, lock: lock.held });
                        }
                    }
                }
            }
        }
    }

    /// Takes the user from a response to this page.
    pub fn set_user(self, user: UserResponse) {
        self.update_user(|_| Some(user));
    }

    /// Changes the known user. `None` changes nothing.
    pub fn update_user(self, change: impl FnOnce(Option<UserResponse>) -> Option<UserResponse>) {
        if self.is_current()
            && let Some(user) = change(self.session.user.get_untracked())
        {
            self.session.set_user(user);
        }
    }

    fn next(self, bound: &mut BoundRequest) -> Result<RequestStep, RequestFailure> {
        self.session.sync_from_storage();
        let machine = self.session.machine;
        machine.try_with_value(|machine| bound.next(machine, clock::now())).ok_or(RequestFailure::SignedOut)
    }

    async fn attempt(
        self,
        outgoing: &OutgoingRequest,
        access: &AccessToken,
        bound: &mut BoundRequest,
    ) -> ResponseAction {
        outgoing.ending.iter().for_each(local_storage::write_unconfirmed_action);
        let result = self.session.http.send(&outgoing.request.with_access(access.as_str())).await;
        self.session.sync_from_storage();
        self.session.machine.with_value(|machine| bound.on_response(machine, result))
    }

    /// Reports the pause again, because another response may have cleared the notice.
    fn report(self, failure: RequestFailure) -> RequestFailure {
        if let RequestFailure::Transient { error, after: Some(after) } = failure {
            self.session.notices.report_error(error, Some(after));
        }
        failure
    }
}
