//! The session as one page sees it.

use super::storage::storage_snapshot;
use super::{Session, lock};
use crate::clock;
use crate::http::{ApiRequest, milliseconds};
use crate::policy::{
    AccessToken, BoundRequest, Effect, EndingAction, Epoch, FetchResult, RequestFailure, RequestStep, ResponseAction,
    SessionMachine, SessionTokens, SignOutReason, UnconfirmedAction, is_conclusive,
};
use crate::tokens;
use auth_types::responses::UserResponse;
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;

/// The session that a page was built for. All requests of the page go through this. After another sign-in or a sign-out, in any
/// tab, none of them is sent, and none of their responses is shown, stored or acted on.
#[derive(Debug, Clone, Copy)]
pub struct PageSession {
    pub(super) session: Session,
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
struct OutgoingRequest {
    request: ApiRequest,
    cookies: Cookies,
    /// The action, if it ends the session. It is stored each time the request is sent, and not before, because a refresh that
    /// succeeds meanwhile shows that the action has not been carried out.
    ending: Option<UnconfirmedAction>,
}

impl Session {
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
    pub async fn send(self, request: ApiRequest) -> Result<FetchResult, RequestFailure> {
        let delivered = self.deliver(request).await?;
        if delivered.is_current { Ok(delivered.result) } else { Err(RequestFailure::SignedOut) }
    }

    /// Sends a request that ends this session. If the session ends before the response
    /// arrives, the message to the user names `action` as the reason.
    pub(super) async fn deliver_ending(
        self,
        action: EndingAction,
        request: ApiRequest,
        cookies: Cookies,
    ) -> Result<DeliveredResponse, RequestFailure> {
        let mut bound = BoundRequest::new(self.epoch);
        let session = self.session.machine.with_value(|machine| machine.tokens().map(SessionTokens::session));
        let ending = session.filter(|_| self.is_current()).map(|session| UnconfirmedAction { session, action });
        if ending.is_some() && tokens::read_unconfirmed_action() == ending {
            bound.repeat();
        }
        let delivered = self.deliver_request(bound, OutgoingRequest { request, cookies, ending }).await?;
        if is_conclusive(&delivered.result) {
            tokens::clear_unconfirmed_action();
        }
        Ok(delivered)
    }

    /// Sends a request that does not end the session.
    async fn deliver(self, request: ApiRequest) -> Result<DeliveredResponse, RequestFailure> {
        let outgoing = OutgoingRequest { request, cookies: Cookies::Untouched, ending: None };
        self.deliver_request(BoundRequest::new(self.epoch), outgoing).await
    }

    /// Sends a request with an access token. No other function does.
    async fn deliver_request(
        self,
        mut bound: BoundRequest,
        outgoing: OutgoingRequest,
    ) -> Result<DeliveredResponse, RequestFailure> {
        let _action = outgoing.request.is_unsafe().then(|| self.session.begin_action());
        let mut lock = None;
        let mut sent = 0;
        let mut waits = outgoing.cookies == Cookies::Changed;
        loop {
            match self.next(&mut bound)? {
                RequestStep::Fail(failure) => return Err(self.report(failure)),
                RequestStep::Refresh(refused) => {
                    // A refresh acquires the lock itself.
                    lock = None;
                    waits = outgoing.cookies == Cookies::Changed;
                    self.session.refresh(self.epoch, refused).await;
                }
                RequestStep::Send(_) if waits => {
                    lock = lock::acquire(lock::COOKIE_WAIT).await;
                    waits = false;
                }
                RequestStep::Send(access) => match self.send_once(&outgoing, &access, &mut bound).await {
                    ResponseAction::Retry => {}
                    ResponseAction::Deliver(result) => {
                        sent += 1;
                        let Some(pause) = outgoing.request.repeat_after(&result, sent) else {
                            return Ok(DeliveredResponse { result, is_current: true, lock });
                        };
                        TimeoutFuture::new(milliseconds(pause)).await;
                        bound.repeat();
                    }
                    ResponseAction::Discard(result) => {
                        return Ok(DeliveredResponse { result, is_current: false, lock });
                    }
                },
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

    /// Signs out on this device. It is complete when this returns, with or without a network; the server receives the sign-out
    /// at once, or as soon as it can be reached.
    pub fn logout(self) {
        if let Some(tokens) = self.forget(SignOutReason::ByUser) {
            self.session.send_sign_out(&tokens);
        }
    }

    /// Deletes everything that this tab has in memory and in storage of the page's session, and returns the tokens.
    pub(super) fn forget(self, reason: SignOutReason) -> Option<SessionTokens> {
        let session = self.session;
        let effect =
            session.machine.try_update_value(|machine| machine.sign_out(self.epoch, reason, storage_snapshot()))?;
        let ended = if let Effect::SignOut(tokens, _) = &effect { Some(SessionTokens::clone(tokens)) } else { None };
        session.execute(effect);
        ended
    }

    fn next(self, bound: &mut BoundRequest) -> Result<RequestStep, RequestFailure> {
        self.session.sync_from_storage();
        let machine = self.session.machine;
        machine.try_with_value(|machine| bound.next(machine, clock::now())).ok_or(RequestFailure::SignedOut)
    }

    async fn send_once(
        self,
        outgoing: &OutgoingRequest,
        access: &AccessToken,
        bound: &mut BoundRequest,
    ) -> ResponseAction {
        outgoing.ending.iter().for_each(tokens::write_unconfirmed_action);
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
