//! How a session begins.

use super::page::{Cookies, Delivered};
use super::{Farewell, PageSession, Registered, Session, lock, seen};
use crate::http::{Call, milliseconds};
use crate::policy::{Exchange, Failure, Refusal, Renewal, SignIn, TokenAnswer, Tokens, read_empty, read_json};
use auth_types::requests::{DeleteMeRequest, LoginRequest, PasswordChangeRequest, RegisterRequest};
use auth_types::responses::{ConfigResponse, TokenTransport};
use auth_types::{FieldErrors, Reason};
use futures::future::select;
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use std::time::Duration;
use uuid::Uuid;

/// How long a sign-in waits for the answer to the sign-out before it.
const LAST_WORD: Duration = Duration::from_secs(5);

impl PageSession {
    /// Signs in.
    ///
    /// # Errors
    /// What to tell people instead.
    pub async fn login(self, request: &LoginRequest) -> Result<(), Failure> {
        self.sign_in_by(Call::post("/api/auth/login/", request)).await.map(|_| ())
    }

    /// Creates an account and signs in, unless the address must be confirmed first.
    ///
    /// # Errors
    /// What to tell people instead.
    pub async fn register(self, request: &RegisterRequest) -> Result<Registered, Failure> {
        self.sign_in_by(Call::post("/api/auth/register/", request)).await
    }

    /// Changes the password. The answer is a new session in place of this one and of all others.
    ///
    /// # Errors
    /// What to tell people instead.
    pub async fn change_password(self, request: &PasswordChangeRequest) -> Result<(), Failure> {
        let call = Call::post("/api/auth/password/change/", request);
        let Delivered { exchange, turn, .. } = self.deliver_with_cookies(call).await?;
        let adopted = self.adopt(exchange);
        drop(turn);
        adopted
    }

    /// Deletes the account, and forgets the session that went with it.
    ///
    /// # Errors
    /// What to tell people instead.
    pub async fn delete_account(self, request: &DeleteMeRequest) -> Result<(), Failure> {
        let delivered = self.deliver_with_cookies(Call::delete_with("/api/auth/me/", request)).await?;
        self.check()?;
        read_empty(delivered.exchange)?;
        self.forget(Farewell::Deleted);
        Ok(())
    }

    /// Sends a call whose answer gives other cookies or takes them back, where the refresh token is in one. No other
    /// tab refreshes or signs in until the turn is dropped.
    async fn deliver_with_cookies(self, call: Call) -> Result<Delivered, Failure> {
        let renewal = self.session.keeper.with_value(|keeper| keeper.tokens().map(Tokens::renewal));
        match renewal {
            Some(Renewal::Cookie { .. }) => self.deliver(call.with_cookies(), Cookies::Changed).await,
            Some(Renewal::Token(_)) | None => self.deliver(call, Cookies::Untouched).await,
        }
    }

    /// Sends what signs somebody in, in the way that the server asks for: where the refresh token comes in a cookie, the
    /// browser keeps it only from an answer to a request with credentials, and elsewhere it refuses such an answer.
    async fn sign_in_by(self, call: Call) -> Result<Registered, Failure> {
        let http = self.session.http;
        let config: ConfigResponse = read_json(http.send(&Call::get("/api/auth/config/")).await)?;
        let (call, _turn) = match config.token_transport {
            TokenTransport::Body => (call, None),
            TokenTransport::Cookie => {
                // The answer to another tab's request would put the cookie of the session before back, or take ours.
                let turn = lock::acquire(lock::COOKIE_PATIENCE).await;
                self.session.wait_for_the_last_word().await;
                (call.with_cookies(), turn)
            }
        };
        self.check()?;
        let exchange = http.send(&call).await;
        if exchange.as_ref().is_ok_and(|answer| answer.status == 202) {
            return Ok(Registered::ConfirmEmail);
        }
        self.adopt(exchange).map(|()| Registered::SignedIn)
    }

    /// Starts the session that the answer to a sign-in gives. When somebody signed in or out since this page asked for
    /// it, nobody waits for it any more: then it ends here and at the server.
    fn adopt(self, exchange: Exchange) -> Result<(), Failure> {
        let times = exchange.as_ref().map(|answer| (answer.sent, answer.received)).unwrap_or_default();
        let answer: TokenAnswer = read_json(exchange).map_err(|failure| self.check().err().unwrap_or(failure))?;
        let tokens = Tokens::signed_in(&answer, times.0, times.1, Uuid::new_v4()).ok_or_else(not_ours)?;
        let session = self.session;
        match session.keeper.try_update_value(|keeper| keeper.sign_in(self.epoch, &tokens, seen())) {
            Some(SignIn::Store) => {
                session.write(&tokens);
                session.enter(Some(answer.user));
                Ok(())
            }
            Some(SignIn::TooLate(change)) => {
                session.follow(change);
                session.part(&tokens);
                Err(Failure::SignedOut)
            }
            None => Err(Failure::SignedOut),
        }
    }
}

impl Session {
    /// The answer to a sign-out removes cookies: it must not come after those of the next sign-in. Where there are no Web
    /// Locks, that takes a wait, but a server that is not heard of by then has had its time.
    async fn wait_for_the_last_word(self) {
        if let Some(parting) = self.parting.try_update_value(Option::take).flatten() {
            select(parting, TimeoutFuture::new(milliseconds(LAST_WORD))).await;
        }
    }
}

fn not_ours() -> Failure {
    Failure::Refused(Refusal { status: 200, reason: Reason::Unknown, errors: FieldErrors::new() })
}
