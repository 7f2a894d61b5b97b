//! What starts a session: a sign-in, a sign-up, a mailed link.

use super::storage::storage_snapshot;
use super::{PageSession, SessionOwner, lock};
use crate::http::ApiRequest;
use crate::local_storage;
use crate::policy::{
    Effect, FetchResult, IssuedTokens, LINK_SEED, RefreshCredential, RequestFailure, SessionMachine, SessionTokens,
    read_json,
};
use auth_types::paths;
use auth_types::requests::{EmailVerifyRequest, LoginRequest, RegisterRequest};
use auth_types::responses::{
    EmailVerifyResponse, PendingRegistrationResponse, TokenTransport, UserResponse, VerifyNotice,
};
use leptos::prelude::*;
use uuid::Uuid;

/// What a sign-up led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignUpResult {
    /// The new user is signed in.
    SignedIn,
    /// The link in a mail must be opened first.
    ConfirmEmail,
}

/// What the confirmation of an address led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmailConfirmation {
    /// This browser signed up, and is signed in now.
    pub signed_in: bool,
    /// What could not be done as requested.
    pub notice: Option<VerifyNotice>,
}

impl SessionOwner {
    /// The request that confirms an address by a mailed link's token, and signs in the browser that signed up, unless a user is
    /// signed in already. It contains this browser's state, so it is made once and sent until it succeeds: after another sign-in
    /// or sign-up, a new one would not repeat it.
    pub fn email_confirmation(self, token: String) -> EmailVerifyRequest {
        let registration = local_storage::read_browser_secret().filter(|_| !self.is_signed_in());
        EmailVerifyRequest { token, registration, reject: None }
    }

    /// Confirms an address. Whoever is signed in by now, or signs in before the response arrives, stays signed in.
    ///
    /// # Errors
    /// Why it failed, with the message for the user.
    pub async fn confirm_email(self, request: &EmailVerifyRequest) -> Result<EmailConfirmation, RequestFailure> {
        let (transport, _lock) = self.prepare_sign_in().await?;
        let may_sign_in = !self.is_signed_in();
        let page = self.page();
        let sent = ApiRequest::post(paths::EMAIL_VERIFY, request).once(LINK_SEED);
        // Without credentials, the response to a repetition does not replace the cookies of the user who is signed in.
        let sent = if may_sign_in { sent.signing_in(transport) } else { sent };
        let result = self.http.send_idempotent(&sent).await;
        let has_tokens = result.as_ref().is_ok_and(|response| response.status == 201);
        let EmailVerifyResponse { notice, .. } = read_json(result.clone())?;
        if !has_tokens {
            return Ok(EmailConfirmation { signed_in: false, notice });
        }
        // Another person may have signed up in another tab meanwhile.
        if local_storage::read_browser_secret() == request.registration {
            local_storage::clear_browser_secret();
        }
        let adopted = if may_sign_in { page.adopt(result) } else { page.decline(result) };
        match adopted {
            Ok(()) => Ok(EmailConfirmation { signed_in: true, notice }),
            // The address is confirmed all the same.
            Err(RequestFailure::SignedOut) => Ok(EmailConfirmation { signed_in: false, notice }),
            Err(failure) => Err(failure),
        }
    }

    /// Whether a user is signed in, in any tab.
    fn is_signed_in(self) -> bool {
        self.sync_from_storage();
        self.machine.with_value(|machine| machine.tokens().is_some())
    }

    /// Whether the session of these tokens is the one that is signed in.
    fn uses(self, tokens: &SessionTokens) -> bool {
        self.sync_from_storage();
        self.machine.with_value(|machine| machine.tokens().is_some_and(|current| current.session() == tokens.session()))
    }

    /// Waits until a request that signs in may be sent, and returns how its response carries the refresh token. Keep the lock until
    /// the response is handled.
    async fn prepare_sign_in(self) -> Result<(TokenTransport, Option<lock::TabLock>), RequestFailure> {
        let transport = self.server_settings().await?.token_transport;
        let lock = match transport {
            TokenTransport::Body => None,
            TokenTransport::Cookie => {
                // The previous session can be ended only while its cookie exists.
                self.send_pending_sign_outs();
                self.wait_for_sign_out().await;
                // The response to another tab's request could restore the previous session's cookie, or remove the new one.
                lock::acquire(lock::COOKIE_WAIT).await
            }
        };
        Ok((transport, lock))
    }
}

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
    pub async fn register(self, request: &RegisterRequest, seed: Uuid) -> Result<SignUpResult, RequestFailure> {
        let request = ApiRequest::post(paths::REGISTER, request).once(seed);
        let (result, _lock) = self.send_to_sign_in(request).await?;
        if result.as_ref().is_ok_and(|response| response.status == 202) {
            let pending: PendingRegistrationResponse = read_json(result)?;
            local_storage::write_browser_secret(&pending.registration);
            return Ok(SignUpResult::ConfirmEmail);
        }
        self.adopt(result).map(|()| SignUpResult::SignedIn)
    }

    /// Sends a request that signs in.
    async fn send_to_sign_in(
        self,
        request: ApiRequest,
    ) -> Result<(FetchResult, Option<lock::TabLock>), RequestFailure> {
        let (transport, lock) = self.session.prepare_sign_in().await?;
        self.check()?;
        Ok((self.session.http.send_idempotent(&request.signing_in(transport)).await, lock))
    }

    /// Starts the session of a sign-in's response. If a user signed in or out since this page sent the request, the new session
    /// is not used: it ends here and at the server, unless another tab has got it by the same request.
    pub(super) fn adopt(self, result: FetchResult) -> Result<(), RequestFailure> {
        let (tokens, user) = self.read_tokens(result)?;
        let session = self.session;
        let sign_in = |machine: &mut SessionMachine| machine.sign_in(self.epoch, &tokens, user, storage_snapshot());
        let effect = session.machine.try_update_value(sign_in).ok_or(RequestFailure::SignedOut)?;
        let begins = matches!(effect, Effect::Begin(..));
        session.execute(effect);
        if begins || session.uses(&tokens) {
            return Ok(());
        }
        session.send_sign_out(&tokens);
        Err(RequestFailure::SignedOut)
    }

    /// Ends the session of a response to a request without credentials, unless another tab has got it by the same request.
    fn decline(self, result: FetchResult) -> Result<(), RequestFailure> {
        let (tokens, _) = self.read_tokens(result)?;
        let session = self.session;
        if session.uses(&tokens) {
            return Ok(());
        }
        match (tokens.refresh_credential(), tokens.access()) {
            // The browser's cookie is another session's.
            (RefreshCredential::Cookie { .. }, Some(_)) => session.end_by_access(&tokens),
            _ => session.send_sign_out(&tokens),
        }
        Err(RequestFailure::SignedOut)
    }

    /// The tokens and the user of a sign-in's response.
    fn read_tokens(self, result: FetchResult) -> Result<(SessionTokens, UserResponse), RequestFailure> {
        let (sent, received) = result.as_ref().map(|response| (response.sent, response.received)).unwrap_or_default();
        let response: IssuedTokens = read_json(result).map_err(|failure| self.check().err().unwrap_or(failure))?;
        let tokens = SessionTokens::from_response(&response, sent, received, Uuid::new_v4());
        let tokens = tokens.ok_or(RequestFailure::ForeignTokens)?;
        Ok((tokens, response.user))
    }
}
