//! Sign-ins, and the actions that replace or end the session.

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
    /// Why it failed, with the message for the user.
    pub async fn login(self, request: &LoginRequest) -> Result<(), RequestFailure> {
        let (result, _lock) = self.send_to_sign_in(ApiRequest::post(paths::LOGIN, request)).await?;
        self.adopt(result)
    }

    /// Creates an account and signs in, unless the address must be confirmed first.
    ///
    /// # Errors
    /// Why it failed, with the message for the user.
    pub async fn register(self, request: &RegisterRequest, seed: Uuid) -> Result<RegistrationResult, RequestFailure> {
        let request = ApiRequest::post(paths::REGISTER, request).once(seed);
        let (result, _lock) = self.send_to_sign_in(request).await?;
        if result.as_ref().is_ok_and(|response| response.status == 202) {
            let pending: PendingRegistrationResponse = read_json(result)?;
            tokens::write_registration(&pending.registration);
            return Ok(RegistrationResult::ConfirmEmail);
        }
        self.adopt(result).map(|()| RegistrationResult::SignedIn)
    }

    /// Confirms an address by a mailed link's token. The browser that signed up is signed in, unless a user is already.
    ///
    /// # Errors
    /// Why it failed, with the message for the user.
    pub async fn confirm_email(self, token: String) -> Result<EmailConfirmation, RequestFailure> {
        let is_free = !matches!(self.session.state.get_untracked(), SignInState::SignedIn(_));
        let registration = tokens::read_registration().filter(|_| is_free);
        let request = EmailVerifyRequest { token, registration: registration.clone(), reject: None };
        let request = ApiRequest::post(paths::EMAIL_VERIFY, &request).once(LINK_SEED);
        let (result, _lock) = self.send_to_sign_in(request).await?;
        let signed_in = result.as_ref().is_ok_and(|response| response.status == 201);
        let EmailVerifyResponse { notice, .. } = read_json(result.clone())?;
        if signed_in {
            // Another person may have signed up in another tab meanwhile.
            if tokens::read_registration() == registration {
                tokens::clear_registration();
            }
            self.adopt(result)?;
        }
        Ok(EmailConfirmation { signed_in, notice })
    }

    /// Changes the password. The response starts a new session, which replaces this one and all others.
    ///
    /// # Errors
    /// Why it failed, with the message for the user.
    pub async fn change_password(self, request: &PasswordChangeRequest, seed: Uuid) -> Result<(), RequestFailure> {
        let request = ApiRequest::post(paths::PASSWORD_CHANGE, request).once(seed);
        let DeliveredResponse { result, lock, .. } =
            self.deliver_with_cookies(EndingAction::PasswordChange, request).await?;
        let adopted = self.adopt(result);
        drop(lock);
        adopted
    }

    /// Deletes the account, and clears its session in this browser.
    ///
    /// # Errors
    /// Why it failed, with the message for the user.
    pub async fn delete_account(self, request: &DeleteMeRequest, seed: Uuid) -> Result<(), RequestFailure> {
        let request = ApiRequest::delete_with(paths::ME, request).once(seed);
        let delivered = self.deliver_with_cookies(EndingAction::AccountDeletion, request).await?;
        self.check()?;
        read_empty(delivered.result)?;
        self.forget(SignOutReason::Deleted);
        Ok(())
    }

    /// Signs out on every device, this one included.
    ///
    /// # Errors
    /// Why it failed, with the message for the user.
    pub async fn logout_everywhere(self) -> Result<(), RequestFailure> {
        let request = ApiRequest::post(paths::LOGOUT_ALL, &EmptyResponse {});
        let delivered = self.deliver_ending(EndingAction::SignOutEverywhere, request, Cookies::Untouched).await?;
        self.check()?;
        read_empty(delivered.result)?;
        self.forget(SignOutReason::ByUser);
        Ok(())
    }

    /// Sends a request whose response sets or removes cookies, if the refresh token is in a cookie. No other tab refreshes or
    /// signs in until the lock is dropped.
    async fn deliver_with_cookies(
        self,
        act: EndingAction,
        request: ApiRequest,
    ) -> Result<DeliveredResponse, RequestFailure> {
        let renewal = self.session.machine.with_value(|machine| machine.tokens().map(SessionTokens::renewal));
        match renewal {
            Some(Renewal::Cookie { .. }) => self.deliver_ending(act, request.with_cookies(), Cookies::Changed).await,
            Some(Renewal::Token(_)) | None => self.deliver_ending(act, request, Cookies::Untouched).await,
        }
    }

    /// Sends a request that signs in, with or without credentials as the server's transport requires: the browser stores a
    /// cookie only from a response to a request with credentials, and refuses such a response from other servers.
    async fn send_to_sign_in(
        self,
        request: ApiRequest,
    ) -> Result<(FetchResult, Option<lock::TabLock>), RequestFailure> {
        let settings = self.session.server_settings().await?;
        let (request, lock) = match settings.token_transport {
            TokenTransport::Body => (request, None),
            TokenTransport::Cookie => {
                // The previous session can be ended only while its cookie exists.
                self.session.send_pending_sign_outs();
                self.session.wait_for_sign_out().await;
                // The response to another tab's request could restore the previous session's cookie, or remove the new one.
                let lock = lock::acquire(lock::COOKIE_WAIT).await;
                (request.with_cookies(), lock)
            }
        };
        self.check()?;
        Ok((self.session.http.send_idempotent(&request).await, lock))
    }

    /// Starts the session of a sign-in's response. If a user signed in or out since this page sent the request, the new session
    /// is not used: it ends here and at the server.
    fn adopt(self, result: FetchResult) -> Result<(), RequestFailure> {
        let (sent, received) = result.as_ref().map(|response| (response.sent, response.received)).unwrap_or_default();
        let response: IssuedTokens = read_json(result).map_err(|failure| self.check().err().unwrap_or(failure))?;
        let tokens = SessionTokens::signed_in(&response, sent, received, Uuid::new_v4()).ok_or_else(foreign_tokens)?;
        let session = self.session;
        let sign_in =
            |machine: &mut SessionMachine| machine.sign_in(self.epoch, &tokens, response.user, storage_snapshot());
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

/// The failure when a response has tokens of another service.
fn foreign_tokens() -> RequestFailure {
    RequestFailure::Refused(ServerRefusal {
        status: 200,
        reason: Reason::Unknown,
        errors: FieldErrors::new(),
        detail: String::new(),
        feature: None,
    })
}
