//! How a session begins.

use super::{Farewell, Registered, Session, lock};
use crate::clock;
use crate::http::{Call, milliseconds};
use crate::policy::{Answer, Failure, Refusal, Renewal, Silence, TokenAnswer, Tokens, read_empty, read_json};
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

impl Session {
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
        let (exchange, _turn) = self.send_for_cookies(call).await?;
        self.adopt(exchange)
    }

    /// Deletes the account, and forgets the session that went with it.
    ///
    /// # Errors
    /// What to tell people instead.
    pub async fn delete_account(self, request: &DeleteMeRequest) -> Result<(), Failure> {
        let (exchange, _turn) = self.send_for_cookies(Call::delete_with("/api/auth/me/", request)).await?;
        read_empty(exchange)?;
        self.forget(Farewell::Deleted);
        Ok(())
    }

    /// Sends a call whose answer gives other cookies or takes them back, where the refresh token is in one. No other
    /// tab refreshes until the turn is dropped.
    async fn send_for_cookies(self, call: Call) -> Result<(Result<Answer, Silence>, Option<lock::Turn>), Failure> {
        let renewal = self.keeper.with_value(|keeper| keeper.tokens().map(Tokens::renewal));
        match renewal {
            Some(Renewal::Cookie { .. }) => {
                // Whatever refresh is due comes first: it takes a turn of its own.
                let (access, _) = self.usable(None).await?;
                let turn = lock::acquire(lock::COOKIE_PATIENCE).await;
                Ok((self.http.send(&call.with_cookies().with_access(&access)).await, turn))
            }
            Some(Renewal::Token(_)) | None => Ok((self.send(call).await?, None)),
        }
    }

    /// Sends what signs somebody in, in the way that the server asks for: where the refresh token comes in a cookie, the
    /// browser keeps it only from an answer to a request with credentials, and elsewhere it refuses such an answer.
    async fn sign_in_by(self, call: Call) -> Result<Registered, Failure> {
        let config: ConfigResponse = read_json(self.http.send(&Call::get("/api/auth/config/")).await)?;
        let (call, _turn) = match config.token_transport {
            TokenTransport::Body => (call, None),
            TokenTransport::Cookie => {
                // The answer to another tab's refresh would put the cookie of the session before back.
                let turn = lock::acquire(lock::COOKIE_PATIENCE).await;
                self.wait_for_the_last_word().await;
                (call.with_cookies(), turn)
            }
        };
        let exchange = self.http.send(&call).await;
        if exchange.as_ref().is_ok_and(|answer| answer.status == 202) {
            return Ok(Registered::ConfirmEmail);
        }
        self.adopt(exchange).map(|()| Registered::SignedIn)
    }

    /// The answer to a sign-out removes cookies: it must not come after those of the next sign-in. A server that is not
    /// heard of by then has had its time.
    async fn wait_for_the_last_word(self) {
        if let Some(parting) = self.parting.try_update_value(Option::take).flatten() {
            select(parting, TimeoutFuture::new(milliseconds(LAST_WORD))).await;
        }
    }

    /// Starts the session that the answer to a sign-in gives.
    fn adopt(self, exchange: Result<Answer, Silence>) -> Result<(), Failure> {
        let times = exchange.as_ref().map(|answer| (answer.sent, answer.received)).unwrap_or_default();
        let answer: TokenAnswer = read_json(exchange)?;
        let tokens = Tokens::signed_in(&answer, times.0, times.1, Uuid::new_v4()).ok_or_else(not_ours)?;
        self.keeper.update_value(|keeper| keeper.sign_in(tokens.clone(), clock::now()));
        self.write(&tokens);
        self.enter(Some(answer.user));
        Ok(())
    }
}

fn not_ours() -> Failure {
    Failure::Refused(Refusal { status: 200, reason: Reason::Unknown, errors: FieldErrors::new() })
}
