//! What anybody can ask the API for.

use super::{ApiRequest, Http};
use crate::policy::{LINK_SEED, RequestFailure, read_empty};
use auth_types::paths;
use auth_types::requests::{EmailResendRequest, EmailVerifyRequest, PasswordResetConfirmRequest, PasswordResetRequest};
use serde::Serialize;

/// What anybody can ask for. Errors are what to tell them instead.
#[derive(Debug, Clone, Copy)]
pub struct Visitor {
    http: Http,
}

impl Visitor {
    /// The API as a visitor sees it.
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

    /// Undoes what a mailed link is for: it was somebody else who asked.
    pub async fn reject_email(self, token: String) -> Result<(), RequestFailure> {
        let request = EmailVerifyRequest { token, registration: None, reject: Some(true) };
        self.follow_link(paths::EMAIL_VERIFY, &request).await
    }

    /// Asks for the mail with that link again.
    pub async fn resend_confirmation(self, request: &EmailResendRequest) -> Result<(), RequestFailure> {
        self.post(paths::EMAIL_RESEND, request).await
    }

    async fn follow_link(self, path: &str, request: &impl Serialize) -> Result<(), RequestFailure> {
        read_empty(self.http.send_step(&ApiRequest::post(path, request).once(LINK_SEED)).await)
    }

    async fn post(self, path: &str, request: &impl Serialize) -> Result<(), RequestFailure> {
        read_empty(self.http.send(&ApiRequest::post(path, request)).await)
    }
}
