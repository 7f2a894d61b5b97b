//! What ends the session of a page: a sign-out, a new password, the deletion of the account.

use super::PageSession;
use super::page::{Cookies, DeliveredResponse, OutgoingRequest};
use super::storage::storage_snapshot;
use crate::http::ApiRequest;
use crate::local_storage;
use crate::policy::{
    BoundRequest, Effect, EndingAction, RefreshCredential, RequestFailure, SessionTokens, SignOutReason,
    UnconfirmedAction, is_conclusive, read_empty,
};
use auth_types::paths;
use auth_types::requests::{DeleteMeRequest, PasswordChangeRequest};
use auth_types::responses::EmptyResponse;
use leptos::prelude::*;
use uuid::Uuid;

impl PageSession {
    /// Changes the password. The response starts a new session, which replaces this one and all others.
    ///
    /// # Errors
    /// Why it failed, with the message for the user.
    pub async fn change_password(self, request: &PasswordChangeRequest, seed: Uuid) -> Result<(), RequestFailure> {
        let request = ApiRequest::post(paths::PASSWORD_CHANGE, request).once(seed);
        let DeliveredResponse { result, lock, .. } =
            self.send_ending_with_cookies(EndingAction::PasswordChange, request).await?;
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
        let delivered = self.send_ending_with_cookies(EndingAction::AccountDeletion, request).await?;
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
        let delivered = self.send_ending(EndingAction::SignOutEverywhere, request, Cookies::Untouched).await?;
        self.check()?;
        read_empty(delivered.result)?;
        self.forget(SignOutReason::ByUser);
        Ok(())
    }

    /// Signs out on this device. It is complete when this returns, with or without a network; the server receives the sign-out
    /// at once, or as soon as it can be reached.
    pub fn logout(self) {
        if let Some(tokens) = self.forget(SignOutReason::ByUser) {
            self.session.send_sign_out(&tokens);
        }
    }

    /// Deletes everything that this tab has in memory and in storage of the page's session, and returns the tokens.
    fn forget(self, reason: SignOutReason) -> Option<SessionTokens> {
        let session = self.session;
        let effect =
            session.machine.try_update_value(|machine| machine.sign_out(self.epoch, reason, storage_snapshot()))?;
        let ended = if let Effect::SignOut(tokens, _) = &effect { Some(SessionTokens::clone(tokens)) } else { None };
        session.execute(effect);
        ended
    }

    /// Sends a request that ends this session. If the session ends before the response arrives, the message to the user names
    /// `action` as the reason.
    async fn send_ending(
        self,
        action: EndingAction,
        request: ApiRequest,
        cookies: Cookies,
    ) -> Result<DeliveredResponse, RequestFailure> {
        let mut bound = BoundRequest::new(self.epoch);
        let session = self.session.machine.with_value(|machine| machine.tokens().map(SessionTokens::session));
        let ending = session.filter(|_| self.is_current()).map(|session| UnconfirmedAction { session, action });
        if ending.is_some() && local_storage::read_unconfirmed_action() == ending {
            bound.repeat();
        }
        let delivered = self.run(bound, OutgoingRequest { request, cookies, ending }).await?;
        if is_conclusive(&delivered.result) {
            local_storage::clear_unconfirmed_action();
        }
        Ok(delivered)
    }

    /// Sends a request that ends this session, and whose response sets or removes cookies if the refresh token is in a cookie. No
    /// other tab refreshes or signs in until the lock is dropped.
    async fn send_ending_with_cookies(
        self,
        action: EndingAction,
        request: ApiRequest,
    ) -> Result<DeliveredResponse, RequestFailure> {
        let refresh_credential =
            self.session.machine.with_value(|machine| machine.tokens().map(SessionTokens::refresh_credential));
        match refresh_credential {
            Some(RefreshCredential::Cookie { .. }) => {
                self.send_ending(action, request.with_cookies(), Cookies::Changed).await
            }
            Some(RefreshCredential::Token(_)) | None => self.send_ending(action, request, Cookies::Untouched).await,
        }
    }
}
