//! The API requests that need no session.

use super::{ApiRequest, Http};
use crate::policy::{LINK_SEED, RequestFailure, read_empty};
use auth_types::paths;
use auth_types::requests::{EmailResendRequest, EmailVerifyRequest, PasswordResetConfirmRequest, PasswordResetRequest};
use serde::Serialize;

/// The API as a visitor uses it. Every error has the message to show instead (`RequestFailure::message`).
#[derive(Debug, Clone, Copy)]
pub struct PublicApi {
    http: Http,
}

impl PublicApi {
    /// The API, by this client.
    pub const fn new(http: Http) -> Self {
        Self { http }
    }

    /// Asks for a mail with a link to choose a new password.
    pub async fn forgot_password(self, request: &PasswordResetRequest) -> Result<(), RequestFailure> {
        self.post(paths::PASSWORD_RESET, request).await
    }

    /// Sets a new password by such a link.
    pub async fn reset_password(self, request: &PasswordResetConfirmRequest) -> Result<(), RequestFailure> {
        self.follow_link(paths::PASSWORD_RESET_CONFIRM, request).await
    }

    /// Cancels what a mailed link would confirm: the owner of the address did not ask for it.
    pub async fn reject_email(self, token: String) -> Result<(), RequestFailure> {
        let request = EmailVerifyRequest { token, registration: None, reject: Some(true) };
        self.follow_link(paths::EMAIL_VERIFY, &request).await
    }

    /// Asks for the mail with a confirmation link again.
    pub async fn resend_confirmation(self, request: &EmailResendRequest) -> Result<(), RequestFailure> {
        self.post(paths::EMAIL_RESEND, request).await
    }

    async fn follow_link(self, path: &str, request: &impl Serialize) -> Result<(), RequestFailure> {
        read_empty(self.http.send_idempotent(&ApiRequest::post(path, request).once(LINK_SEED)).await)
    }

    async fn post(self, path: &str, request: &impl Serialize) -> Result<(), RequestFailure> {
        read_empty(self.http.send(&ApiRequest::post(path, request)).await)
    }
}
