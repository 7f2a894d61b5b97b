//! The session as one page knows it.

use super::{Farewell, Session, lock, seen};
use crate::clock;
use crate::http::{Call, milliseconds, send_parting};
use crate::policy::{
    AccessToken, Act, Answered, BoundRequest, Epoch, Exchange, Failure, Keeper, Renewal, SignOut, Step, Tokens,
    Unsettled,
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
pub(super) struct Delivered {
    pub(super) exchange: Exchange,
    /// Whether the session that asked is still this tab's.
    pub(super) is_current: bool,
    /// The turn that the call took among tabs, if it took one.
    pub(super) turn: Option<lock::Turn>,
}

/// A call whose answer gives other cookies or takes them back waits for its turn among tabs, so that it neither crosses a
/// refresh nor arrives after the next person's sign-in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cookies {
    Untouched,
    Changed,
}

impl PageSession {
    /// Whether this is still the tab's session. Ask again after every wait.
    #[must_use]
    pub fn is_current(self) -> bool {
        self.session.look();
        self.session.keeper.with_value(Keeper::epoch) == self.epoch
    }

    /// Fails once this is not the tab's session any more.
    pub(super) fn check(self) -> Result<(), Failure> {
        if self.is_current() { Ok(()) } else { Err(Failure::SignedOut) }
    }

    /// Sends a call with the access token; when that is refused, refreshes once and sends again.
    ///
    /// # Errors
    /// [`Failure::SignedOut`] when this is not the tab's session any more, before or after; and what keeps a refresh from
    /// succeeding.
    pub async fn send(self, call: Call) -> Result<Exchange, Failure> {
        let delivered = self.deliver(call).await?;
        if delivered.is_current { Ok(delivered.exchange) } else { Err(Failure::SignedOut) }
    }

    /// Delivers what ends this session. Until its response is there, the end of the session is told as what it may be.
    pub(super) async fn deliver_ending(self, act: Act, call: Call, cookies: Cookies) -> Result<Delivered, Failure> {
        let mut request = BoundRequest::new(self.epoch);
        let session = self.session.keeper.with_value(|keeper| keeper.tokens().map(Tokens::session));
        if let Some(session) = session.filter(|_| self.is_current()) {
            let unsettled = Unsettled { session, act };
            if tokens::read_unsettled() == Some(unsettled) {
                request.repeat();
            }
            tokens::write_unsettled(&unsettled);
        }
        let delivered = self.deliver_request(request, call, cookies).await?;
        if Act::is_settled_by(&delivered.exchange) {
            tokens::clear_unsettled();
        }
        Ok(delivered)
    }

    /// Delivers anything else.
    async fn deliver(self, call: Call) -> Result<Delivered, Failure> {
        self.deliver_request(BoundRequest::new(self.epoch), call, Cookies::Untouched).await
    }

    /// The one way in which a call gets an access token.
    async fn deliver_request(
        self,
        mut request: BoundRequest,
        call: Call,
        cookies: Cookies,
    ) -> Result<Delivered, Failure> {
        let (mut turn, mut sent) = (None, 0);
        let mut waits = cookies == Cookies::Changed;
        loop {
            match self.next(&mut request)? {
                Step::Fail(failure) => return Err(self.report(failure)),
                Step::Refresh(refused) => {
                    // A refresh takes a turn of its own.
                    turn = None;
                    waits = cookies == Cookies::Changed;
                    self.session.refresh(self.epoch, refused).await;
                }
                Step::Send(_) if waits => {
                    turn = lock::acquire(lock::COOKIE_PATIENCE).await;
                    waits = false;
                }
                Step::Send(access) => match self.exchange(&call, &access, &mut request).await {
                    Answered::Again => {}
                    Answered::Take(exchange) => {
                        sent += 1;
                        let Some(pause) = call.repeat_after(&exchange, sent) else {
                            return Ok(Delivered { exchange, is_current: true, turn });
                        };
                        TimeoutFuture::new(milliseconds(pause)).await;
                        request.repeat();
                    }
                    Answered::Dropped(exchange) => return Ok(Delivered { exchange, is_current: false, turn }),
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

    /// Signs out on this device. It is done when this returns, network or not; the server is told on the way.
    pub fn logout(self) {
        if let Some(tokens) = self.forget(Farewell::ByUser) {
            self.session.part(&tokens);
        }
    }

    /// Clears everything this tab knows and has stored of the page's session, and gives the tokens back.
    pub(super) fn forget(self, farewell: Farewell) -> Option<Tokens> {
        let session = self.session;
        match session.keeper.try_update_value(|keeper| keeper.sign_out(self.epoch, seen()))? {
            SignOut::Clear(gone) => {
                tokens::clear();
                tokens::clear_registration();
                tokens::clear_unsettled();
                super::caches::clear();
                session.leave(farewell);
                Some(*gone)
            }
            SignOut::NotOurs(change) => {
                session.follow(change);
                None
            }
        }
    }

    fn next(self, request: &mut BoundRequest) -> Result<Step, Failure> {
        self.session.look();
        let keeper = self.session.keeper;
        keeper.try_with_value(|keeper| request.next(keeper, clock::now())).ok_or(Failure::SignedOut)
    }

    async fn exchange(self, call: &Call, access: &AccessToken, request: &mut BoundRequest) -> Answered {
        let exchange = self.session.http.send(&call.with_access(access.as_str())).await;
        self.session.look();
        self.session.keeper.with_value(|keeper| request.answered(keeper, exchange))
    }

    /// Another answer may have taken the notice away.
    fn report(self, failure: Failure) -> Failure {
        if let Failure::Passing { trouble, after: Some(after) } = failure {
            self.session.notices.trouble(trouble, Some(after));
        }
        failure
    }
}

impl Session {
    /// Tells the server that the session of these tokens is over here.
    ///
    /// With cookies, the answer takes cookies away. They must not be those of the next sign-in, which waits for this turn.
    pub(super) fn part(self, tokens: &Tokens) {
        let turn = match tokens.renewal() {
            Renewal::Cookie { .. } => lock::queue_up(),
            Renewal::Token(_) => None,
        };
        self.parting.set_value(Some(send_parting(&Call::logout(tokens), turn)));
    }
}
