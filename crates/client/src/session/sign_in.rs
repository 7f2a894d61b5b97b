//! How a session begins.

use super::page::{Cookies, DeliveredResponse};
use super::storage::storage_snapshot;
use super::{EmailConfirmation, PageSession, RegistrationResult, SignInState, lock};
use crate::http::ApiRequest;
use crate::policy::{
    Effect, EndingAction, FetchResult, IssuedTokens, LINK_SEED, Renewal, RequestFailure, ServerRefusal, SessionMachine,
    SessionTokens, SignOutReason, read_empty, read_json,
};
use crate::tokens;
use auth_types::paths;
use auth_types::requests::{DeleteMeRequest, EmailVerifyRequest, LoginRequest, PasswordChangeRequest, RegisterRequest};
use auth_types::responses::{EmailVerifyResponse, EmptyResponse, PendingRegistrationResponse, TokenTransport};
use auth_types::{FieldErrors, Reason};
use leptos::prelude::*;
use uuid::Uuid;

impl PageSession {
    /// Signs in.
    ///
    /// # Errors
    /// What to tell people instead.
    pub async fn login(self, request: &LoginRequest) -> Result<(), RequestFailure> {
        let (exchange, _turn) = self.send_to_sign_in(ApiRequest::post(paths::LOGIN, request)).await?;
        self.adopt(exchange)
    }

    /// Creates an account and signs in, unless the address must be confirmed first.
    ///
    /// # Errors
    /// What to tell people instead.
    pub async fn register(self, request: &RegisterRequest, seed: Uuid) -> Result<RegistrationResult, RequestFailure> {
        let call = ApiRequest::post(paths::REGISTER, request).once(seed);
        let (exchange, _turn) = self.send_to_sign_in(call).await?;
        if exchange.as_ref().is_ok_and(|answer| answer.status == 202) {
            let pending: PendingRegistrationResponse = read_json(exchange)?;
            tokens::write_registration(&pending.registration);
            return Ok(RegistrationResult::ConfirmEmail);
        }
        self.adopt(exchange).map(|()| RegistrationResult::SignedIn)
    }

    /// Confirms an address by a mailed link's token. The browser that signed up is signed in, unless somebody is already.
    ///
    /// # Errors
    /// What to tell people instead.
    pub async fn confirm_email(self, token: String) -> Result<EmailConfirmation, RequestFailure> {
        let is_free = !matches!(self.session.state.get_untracked(), SignInState::SignedIn(_));
        let registration = tokens::read_registration().filter(|_| is_free);
        let request = EmailVerifyRequest { token, registration: registration.clone(), reject: None };
        let call = ApiRequest::post(paths::EMAIL_VERIFY, &request).once(LINK_SEED);
        let (exchange, _turn) = self.send_to_sign_in(call).await?;
        let signed_in = exchange.as_ref().is_ok_and(|answer| answer.status == 201);
        let EmailVerifyResponse { notice, .. } = read_json(exchange.clone())?;
        if signed_in {
            // Somebody else may have signed up in another tab meanwhile.
            if tokens::read_registration() == registration {
                tokens::clear_registration();
            }
            self.adopt(exchange)?;
        }
        Ok(EmailConfirmation { signed_in, notice })
    }

    /// Changes the password. The answer is a new session in place of this one and of all others.
    ///
    /// # Errors
    /// What to tell people instead.
    pub async fn change_password(self, request: &PasswordChangeRequest, seed: Uuid) -> Result<(), RequestFailure> {
        let call = ApiRequest::post(paths::PASSWORD_CHANGE, request).once(seed);
        let DeliveredResponse { exchange, turn, .. } =
            self.deliver_with_cookies(EndingAction::PasswordChange, call).await?;
        let adopted = self.adopt(exchange);
        drop(turn);
        adopted
    }

    /// Deletes the account, and forgets the session that went with it.
    ///
    /// # Errors
    /// What to tell people instead.
    pub async fn delete_account(self, request: &DeleteMeRequest, seed: Uuid) -> Result<(), RequestFailure> {
        let call = ApiRequest::delete_with(paths::ME, request).once(seed);
        let delivered = self.deliver_with_cookies(EndingAction::AccountDeletion, call).await?;
        self.check()?;
        read_empty(delivered.exchange)?;
        self.forget(SignOutReason::Deleted);
        Ok(())
    }

    /// Signs out on every device, this one included.
    ///
    /// # Errors
    /// What to tell people instead.
    pub async fn logout_everywhere(self) -> Result<(), RequestFailure> {
        let call = ApiRequest::post(paths::LOGOUT_ALL, &EmptyResponse {});
        let delivered = self.deliver_ending(EndingAction::SignOutEverywhere, call, Cookies::Untouched).await?;
        self.check()?;
        read_empty(delivered.exchange)?;
        self.forget(SignOutReason::ByUser);
        Ok(())
    }

    /// Sends a call whose answer gives other cookies or takes them back, where the refresh token is in one. No other
    /// tab refreshes or signs in until the turn is dropped.
    async fn deliver_with_cookies(
        self,
        act: EndingAction,
        call: ApiRequest,
    ) -> Result<DeliveredResponse, RequestFailure> {
        let renewal = self.session.machine.with_value(|machine| machine.tokens().map(SessionTokens::renewal));
        match renewal {
            Some(Renewal::Cookie { .. }) => self.deliver_ending(act, call.with_cookies(), Cookies::Changed).await,
            Some(Renewal::Token(_)) | None => self.deliver_ending(act, call, Cookies::Untouched).await,
        }
    }

    /// Sends what signs somebody in, in the way that the server asks for: where the refresh token comes in a cookie, the
    /// browser keeps it only from an answer to a request with credentials, and elsewhere it refuses such an answer.
    async fn send_to_sign_in(self, call: ApiRequest) -> Result<(FetchResult, Option<lock::TabLock>), RequestFailure> {
        let settings = self.session.server_settings().await?;
        let (call, turn) = match settings.token_transport {
            TokenTransport::Body => (call, None),
            TokenTransport::Cookie => {
                // The last session can be ended as long as its cookie is here.
                self.session.send_pending_sign_outs();
                self.session.wait_for_sign_out().await;
                // The answer to another tab's request would put the cookie of the session before back, or take ours.
                let turn = lock::acquire(lock::COOKIE_WAIT).await;
                (call.with_cookies(), turn)
            }
        };
        self.check()?;
        Ok((self.session.http.send_step(&call).await, turn))
    }

    /// Starts the session that the answer to a sign-in gives. When somebody signed in or out since this page asked for
    /// it, nobody waits for it any more: then it ends here and at the server.
    fn adopt(self, exchange: FetchResult) -> Result<(), RequestFailure> {
        let times = exchange.as_ref().map(|answer| (answer.sent, answer.received)).unwrap_or_default();
        let answer: IssuedTokens = read_json(exchange).map_err(|failure| self.check().err().unwrap_or(failure))?;
        let tokens = SessionTokens::signed_in(&answer, times.0, times.1, Uuid::new_v4()).ok_or_else(not_ours)?;
        let session = self.session;
        let sign_in =
            |machine: &mut SessionMachine| machine.sign_in(self.epoch, &tokens, answer.user, storage_snapshot());
        let effect = session.machine.try_update_value(sign_in).ok_or(RequestFailure::SignedOut)?;
        let begins = matches!(effect, Effect::Begin(..));
        session.execute(effect);
        if begins {
            return Ok(());
        }
        session.send_sign_out(&tokens);
        Err(RequestFailure::SignedOut)
    }
}

fn not_ours() -> RequestFailure {
    let (errors, detail) = (FieldErrors::new(), String::new());
    RequestFailure::Refused(ServerRefusal { status: 200, reason: Reason::Unknown, errors, detail, feature: None })
}
