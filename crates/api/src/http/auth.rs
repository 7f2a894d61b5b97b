//! Signing up, in and out.

use super::body::JsonBody;
use super::extract::{Caller, Client, RotationKey};
use crate::problem::Problem;
use crate::service::register::Registered;
use crate::service::{self, Services};
use actix_web::http::header;
use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, HttpResponseBuilder, Responder};
use auth_types::requests::{LoginRequest, RefreshRequest, RegisterRequest, VerifyRequest};
use auth_types::responses::{EmptyResponse, RevokedResponse, TokenResponse};

/// An answer with tokens: nothing on the way may keep it.
pub(super) fn tokens(mut response: HttpResponseBuilder, tokens: &TokenResponse) -> HttpResponse {
    response.insert_header((header::CACHE_CONTROL, "no-store")).json(tokens)
}

/// Makes an account and signs in, or mails a link first. Open to everyone while registration is.
pub(super) async fn register(
    services: Data<Services>,
    Client(client): Client,
    JsonBody(request): JsonBody<RegisterRequest>,
) -> Result<impl Responder, Problem> {
    Ok(match service::register::register(&services, &request, client).await? {
        Registered::SignedIn(response) => tokens(HttpResponse::Created(), &response),
        Registered::Mailed => HttpResponse::Accepted().json(EmptyResponse {}),
    })
}

/// Signs in. Open to everyone.
pub(super) async fn login(
    services: Data<Services>,
    Client(client): Client,
    JsonBody(request): JsonBody<LoginRequest>,
) -> Result<impl Responder, Problem> {
    let response = service::login::login(&services, request, client).await?;
    Ok(tokens(HttpResponse::Ok(), &response))
}

/// Trades a refresh token for its successor. Open to whoever holds a live one.
pub(super) async fn refresh(
    services: Data<Services>,
    RotationKey(key): RotationKey,
    Client(client): Client,
    JsonBody(request): JsonBody<RefreshRequest>,
) -> Result<impl Responder, Problem> {
    let response = service::refresh::refresh(&services, &request.refresh, key.as_deref(), client).await?;
    Ok(tokens(HttpResponse::Ok(), &response))
}

/// Tells whether a token is valid. Open to everyone.
pub(super) async fn verify(
    services: Data<Services>,
    JsonBody(request): JsonBody<VerifyRequest>,
) -> Result<impl Responder, Problem> {
    service::verify::verify(&services, &request.token).await?;
    Ok(Json(EmptyResponse {}))
}

/// Ends a session. Open to whoever holds a refresh token of it, of any age.
pub(super) async fn logout(
    services: Data<Services>,
    Client(client): Client,
    JsonBody(request): JsonBody<RefreshRequest>,
) -> Result<impl Responder, Problem> {
    service::logout::logout(&services, &request.refresh, client).await?;
    Ok(Json(EmptyResponse {}))
}

/// Ends all of the caller's sessions.
pub(super) async fn logout_all(
    services: Data<Services>,
    Caller(caller): Caller,
    Client(client): Client,
) -> Result<impl Responder, Problem> {
    let revoked = service::logout::logout_all(&services, caller, client).await?;
    Ok(Json(RevokedResponse { revoked }))
}
