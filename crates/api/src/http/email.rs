//! Email addresses: confirmed by a link that is mailed there.

use super::body::JsonBody;
use super::extract::{Caller, Client, IdempotencyKey};
use super::transport::Transport;
use crate::problem::Problem;
use crate::service::Services;
use crate::service::accounts::email_verification::LinkOutcome;
use crate::service::accounts::{email_change, email_verification};
use crate::service::steps::StepKind;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, Responder};
use auth_types::requests::{EmailChangeRequest, EmailResendRequest, EmailVerifyRequest};
use auth_types::responses::{EmailVerifyResponse, EmptyResponse};

/// Confirms an account's address or its change, or turns a pending registration into an account. Open to anyone who holds a
/// mailed link; signs in the browser that signed up.
pub(super) async fn verify(
    services: Data<Services>,
    transport: Transport,
    IdempotencyKey(key): IdempotencyKey,
    Client(client): Client,
    http_request: HttpRequest,
    JsonBody(request): JsonBody<EmailVerifyRequest>,
) -> Result<impl Responder, Problem> {
    let fingerprinted = services.steps.fingerprinted(StepKind::EmailVerification, None, key.as_deref(), request);
    match email_verification::verify(&services, fingerprinted, client).await? {
        LinkOutcome::Done(notice) => Ok(HttpResponse::Ok().json(EmailVerifyResponse::new(notice))),
        LinkOutcome::SignedIn(tokens, notice) => {
            let transport = transport.keeping_later_users_cookies(&tokens, &http_request);
            transport.tokens_with(HttpResponse::Created(), *tokens, EmailVerifyResponse::new(notice))
        }
    }
}

/// Mails the confirmation link of an address again. Open to everyone; the response is the same for every address.
pub(super) async fn resend(
    services: Data<Services>,
    Client(client): Client,
    JsonBody(request): JsonBody<EmailResendRequest>,
) -> Result<impl Responder, Problem> {
    email_verification::resend(&services, &request, &client).await?;
    Ok(HttpResponse::Accepted().json(EmptyResponse {}))
}

/// Mails a confirmation link to the caller's new address.
pub(super) async fn change(
    services: Data<Services>,
    Caller(caller): Caller,
    IdempotencyKey(key): IdempotencyKey,
    Client(client): Client,
    JsonBody(request): JsonBody<EmailChangeRequest>,
) -> Result<impl Responder, Problem> {
    let fingerprinted = services.steps.fingerprinted(StepKind::EmailChange, Some(caller), key.as_deref(), request);
    email_change::request(&services, caller, fingerprinted, client).await?;
    Ok(HttpResponse::Accepted().json(EmptyResponse {}))
}
