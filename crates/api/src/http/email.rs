//! Addresses: confirmed by who reads mail there.

use super::body::JsonBody;
use super::extract::{Caller, Client};
use super::transport::Transport;
use crate::problem::Problem;
use crate::service::email_verification::Verified;
use crate::service::{Services, email_change, email_verification};
use actix_web::web::Data;
use actix_web::{HttpResponse, Responder};
use auth_types::requests::{EmailChangeRequest, EmailResendRequest, EmailVerifyRequest};
use auth_types::responses::{EmailVerifyResponse, EmptyResponse};

/// Confirms an account's address, makes a new one the account's, or makes a pending registration an account. Open to
/// whoever holds a mailed link; signs in the browser that signed up.
pub(super) async fn verify(
    services: Data<Services>,
    transport: Transport,
    Client(client): Client,
    JsonBody(request): JsonBody<EmailVerifyRequest>,
) -> Result<impl Responder, Problem> {
    match email_verification::verify(&services, &request, client).await? {
        Verified::Done(notice) => Ok(HttpResponse::Ok().json(EmailVerifyResponse::new(notice))),
        Verified::SignedIn(tokens, notice) => {
            transport.tokens_with(HttpResponse::Created(), *tokens, EmailVerifyResponse::new(notice))
        }
    }
}

/// Mails the link that confirms an address again. Open to everyone, and the same for every address.
pub(super) async fn resend(
    services: Data<Services>,
    Client(client): Client,
    JsonBody(request): JsonBody<EmailResendRequest>,
) -> Result<impl Responder, Problem> {
    email_verification::resend(&services, &request, &client).await?;
    Ok(HttpResponse::Accepted().json(EmptyResponse {}))
}

/// Mails a link to the address that the caller wants.
pub(super) async fn change(
    services: Data<Services>,
    Caller(caller): Caller,
    Client(client): Client,
    JsonBody(request): JsonBody<EmailChangeRequest>,
) -> Result<impl Responder, Problem> {
    email_change::request(&services, caller, request, client).await?;
    Ok(HttpResponse::Accepted().json(EmptyResponse {}))
}
