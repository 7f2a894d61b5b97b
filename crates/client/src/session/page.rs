//! The session as one page knows it.

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

/// The session that a page was built for. Whatever the page asks for goes through this: once somebody else has signed in
/// or anybody has signed out, in any tab, nothing of it is sent, shown, stored or deleted any more.
#[derive(Debug, Clone, Copy)]
pub struct PageSession {
    pub(super) session: Session,
    pub(super) epoch: Epoch,
}

/// The answer to a call, and whose it is.
pub(super) struct DeliveredResponse {
    pub(super) exchange: FetchResult,
    /// Whether the session that asked is still this tab's.
    pub(super) is_current: bool,
    /// The turn that the call took among tabs, if it took one.
    pub(super) turn: Option<lock::TabLock>,
}

/// A call whose answer gives other cookies or takes them back waits for its turn among tabs, so that it neither crosses a
/// refresh nor arrives after the next person's sign-in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cookies {
    Untouched,
    Changed,
}

/// A call to be delivered.
struct OutgoingRequest {
    call: ApiRequest,
    cookies: Cookies,
    /// What it may do to the session: written down whenever it is sent, and not before, because a refresh that succeeds meanwhile
    /// shows that nothing has been done.
    ending: Option<UnconfirmedAction>,
}

impl Session {
    /// The session as a page of this epoch knows it.
    pub const fn page_of(self, epoch: Epoch) -> PageSession {
        PageSession { session: self, epoch }
    }

    /// The session as a page knows it that is built now.
    pub fn page(self) -> PageSession {
        self.page_of(self.machine.with_value(SessionMachine::epoch))
    }
}

impl PageSession {
    /// Whether this is still the tab's session. Ask again after every wait.
    pub fn is_current(self) -> bool {
        self.session.sync_from_storage();
        self.session.machine.with_value(SessionMachine::epoch) == self.epoch
    }

    /// Fails once this is not the tab's session any more.
    pub(super) fn check(self) -> Result<(), RequestFailure> {
        if self.is_current() { Ok(()) } else { Err(RequestFailure::SignedOut) }
    }

    /// Sends a call with the access token; when that is refused, refreshes once and sends again.
    ///
    /// # Errors
    /// [`RequestFailure::SignedOut`] when this is not the tab's session any more, before or after; and what keeps a refresh from
    /// succeeding.
    pub async fn send(self, call: ApiRequest) -> Result<FetchResult, RequestFailure> {
        let delivered = self.deliver(call).await?;
        if delivered.is_current { Ok(delivered.exchange) } else { Err(RequestFailure::SignedOut) }
    }

    /// Delivers what ends this session. Until its response is there, the end of the session is told as what it may be.
    pub(super) async fn deliver_ending(
        self,
        act: EndingAction,
        call: ApiRequest,
        cookies: Cookies,
    ) -> Result<DeliveredResponse, RequestFailure> {
        let mut request = BoundRequest::new(self.epoch);
        let session = self.session.machine.with_value(|machine| machine.tokens().map(SessionTokens::session));
        let ending = session.filter(|_| self.is_current()).map(|session| UnconfirmedAction { session, act });
        if ending.is_some() && tokens::read_unconfirmed_action() == ending {
            request.repeat();
        }
        let delivered = self.deliver_request(request, OutgoingRequest { call, cookies, ending }).await?;
        if is_conclusive(&delivered.exchange) {
            tokens::clear_unconfirmed_action();
        }
        Ok(delivered)
    }

    /// Delivers anything else.
    async fn deliver(self, call: ApiRequest) -> Result<DeliveredResponse, RequestFailure> {
        let delivery = OutgoingRequest { call, cookies: Cookies::Untouched, ending: None };
        self.deliver_request(BoundRequest::new(self.epoch), delivery).await
    }

    /// The one way in which a call gets an access token.
    async fn deliver_request(
        self,
        mut request: BoundRequest,
        delivery: OutgoingRequest,
    ) -> Result<DeliveredResponse, RequestFailure> {
        let _acting = delivery.call.changes_something().then(|| self.session.act());
        let (mut turn, mut sent) = (None, 0);
        let mut waits = delivery.cookies == Cookies::Changed;
        loop {
            match self.next(&mut request)? {
                RequestStep::Fail(failure) => return Err(self.report(failure)),
                RequestStep::Refresh(refused) => {
                    // A refresh takes a turn of its own.
                    turn = None;
                    waits = delivery.cookies == Cookies::Changed;
                    self.session.refresh(self.epoch, refused).await;
                }
                RequestStep::Send(_) if waits => {
                    turn = lock::acquire(lock::COOKIE_WAIT).await;
                    waits = false;
                }
                RequestStep::Send(access) => match self.exchange(&delivery, &access, &mut request).await {
                    ResponseAction::Retry => {}
                    ResponseAction::Deliver(exchange) => {
                        sent += 1;
                        let Some(pause) = delivery.call.repeat_after(&exchange, sent) else {
                            return Ok(DeliveredResponse { exchange, is_current: true, turn });
                        };
                        TimeoutFuture::new(milliseconds(pause)).await;
                        request.repeat();
                    }
                    ResponseAction::Discard(exchange) => {
                        return Ok(DeliveredResponse { exchange, is_current: false, turn });
                    }
                },
            }
        }
    }

    /// Takes in what the server said about the user when this page asked.
    pub fn set_user(self, user: UserResponse) {
        self.update_user(|_| Some(user));
    }

    /// Changes what is known of the user. `None` changes nothing.
    pub fn update_user(self, change: impl FnOnce(Option<UserResponse>) -> Option<UserResponse>) {
        if self.is_current()
            && let Some(user) = change(self.session.user.get_untracked())
        {
            self.session.set_user(user);
        }
    }

    /// Signs out on this device. It is done when this returns, network or not; the server is told on the way, or
    /// as soon as it can be reached.
    pub fn logout(self) {
        if let Some(tokens) = self.forget(SignOutReason::ByUser) {
            self.session.send_sign_out(&tokens);
        }
    }

    /// Clears everything this tab knows and has stored of the page's session, and gives the tokens back.
    pub(super) fn forget(self, reason: SignOutReason) -> Option<SessionTokens> {
        let session = self.session;
        let effect =
            session.machine.try_update_value(|machine| machine.sign_out(self.epoch, reason, storage_snapshot()))?;
        let gone = if let Effect::Forget(tokens, _) = &effect { Some(SessionTokens::clone(tokens)) } else { None };
        session.execute(effect);
        gone
    }

    fn next(self, request: &mut BoundRequest) -> Result<RequestStep, RequestFailure> {
        self.session.sync_from_storage();
        let machine = self.session.machine;
        machine.try_with_value(|machine| request.next(machine, clock::now())).ok_or(RequestFailure::SignedOut)
    }

    async fn exchange(
        self,
        delivery: &OutgoingRequest,
        access: &AccessToken,
        request: &mut BoundRequest,
    ) -> ResponseAction {
        delivery.ending.iter().for_each(tokens::write_unconfirmed_action);
        let exchange = self.session.http.send(&delivery.call.with_access(access.as_str())).await;
        self.session.sync_from_storage();
        self.session.machine.with_value(|machine| request.on_response(machine, exchange))
    }

    /// Another answer may have taken the notice away.
    fn report(self, failure: RequestFailure) -> RequestFailure {
        if let RequestFailure::Transient { error, after: Some(after) } = failure {
            self.session.notices.report_error(error, Some(after));
        }
        failure
    }
}
