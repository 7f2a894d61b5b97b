//! Passwords: changed with the current one, reset by a mailed link.

use super::body::JsonBody;
use super::extract::{Client, IdempotencyKey, StepAuthentication};
use super::transport::Transport;
use crate::problem::Problem;
use crate::service::Services;
use crate::service::passwords::{change, reset};
use crate::service::steps::StepKind;
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, Responder};
use auth_types::requests::{PasswordChangeRequest, PasswordResetConfirmRequest, PasswordResetRequest};
use auth_types::responses::EmptyResponse;

/// Changes the caller's password, and returns a new session that replaces all others.
pub(super) async fn change(
    services: Data<Services>,
    StepAuthentication(caller): StepAuthentication,
    IdempotencyKey(key): IdempotencyKey,
    transport: Transport,
    Client(client): Client,
    http_request: HttpRequest,
    JsonBody(request): JsonBody<PasswordChangeRequest>,
) -> Result<impl Responder, Problem> {
    let fingerprinted =
        services.steps.fingerprinted(StepKind::PasswordChange, Some(caller.user), key.as_deref(), request);
    let user = caller.user.id;
    let tokens = change::change(&services, caller, fingerprinted, client).await?;
    transport.keeping_other_users_cookies(user, &http_request).tokens(HttpResponse::Ok(), tokens)
}

/// Mails a link to choose a new password. Open to everyone; the response is the same for every address.
pub(super) async fn reset(
    services: Data<Services>,
    Client(client): Client,
    JsonBody(request): JsonBody<PasswordResetRequest>,
) -> Result<impl Responder, Problem> {
    reset::request(&services, &request, &client).await?;
    Ok(HttpResponse::Accepted().json(EmptyResponse {}))
}

/// Sets a new password. Open to anyone who holds a mailed link.
pub(super) async fn confirm_reset(
    services: Data<Services>,
    IdempotencyKey(key): IdempotencyKey,
    Client(client): Client,
    JsonBody(request): JsonBody<PasswordResetConfirmRequest>,
) -> Result<impl Responder, Problem> {
    let fingerprinted = services.steps.fingerprinted(StepKind::PasswordReset, None, key.as_deref(), request);
    reset::confirm(&services, fingerprinted, client).await?;
    Ok(Json(EmptyResponse {}))
}
