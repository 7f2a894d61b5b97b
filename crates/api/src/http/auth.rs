//! Registration, login, refresh and logout.

use super::body::JsonBody;
use super::extract::{Caller, Client, IdempotencyKey, Language};
use super::transport::{PresentedToken, Transport};
use crate::problem::Problem;
use crate::service::Services;
use crate::service::accounts::register::{self, RegisterOutcome};
use crate::service::sessions::{login, logout, refresh, verify};
use crate::service::steps::StepKind;
use actix_web::http::header;
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, Responder};
use auth_types::Reason;
use auth_types::requests::{LoginRequest, RegisterRequest, VerifyRequest};
use auth_types::responses::{EmptyResponse, PendingRegistrationResponse, RevokedResponse};
use secrecy::ExposeSecret;

/// Creates an account and signs in, or mails a confirmation link first. Open to everyone while registration is open.
pub(super) async fn register(
    services: Data<Services>,
    transport: Transport,
    IdempotencyKey(key): IdempotencyKey,
    Client(client): Client,
    Language(language): Language,
    http_request: HttpRequest,
    JsonBody(request): JsonBody<RegisterRequest>,
) -> Result<impl Responder, Problem> {
    let fingerprinted = services.steps.fingerprinted(StepKind::SignUp, None, key.as_deref(), request);
    match register::register(&services, fingerprinted, language, client).await? {
        RegisterOutcome::SignedIn(tokens) => {
            transport.keeping_later_users_cookies(&tokens, &http_request).tokens(HttpResponse::Created(), *tokens)
        }
        RegisterOutcome::Pending(registration) => {
            let registration = registration.expose_secret().to_owned();
            let mut accepted = HttpResponse::Accepted();
            accepted.insert_header((header::CACHE_CONTROL, "no-store"));
            Ok(accepted.json(PendingRegistrationResponse { registration }))
        }
    }
}

/// Signs in. Open to everyone.
pub(super) async fn login(
    services: Data<Services>,
    transport: Transport,
    Client(client): Client,
    JsonBody(request): JsonBody<LoginRequest>,
) -> Result<impl Responder, Problem> {
    let tokens = login::login(&services, request, client).await?;
    transport.tokens(HttpResponse::Ok(), tokens)
}

/// Exchanges a refresh token for its successor. Open to anyone who holds a live one.
pub(super) async fn refresh(
    services: Data<Services>,
    IdempotencyKey(key): IdempotencyKey,
    Client(client): Client,
    PresentedToken { token, transport }: PresentedToken,
) -> Result<impl Responder, Problem> {
    let refreshed = refresh::refresh(&services, token.expose_secret(), key.as_deref(), client).await;
    let tokens = refreshed.map_err(|error| transport.error(error.into(), Reason::ends_session))?;
    transport.tokens(HttpResponse::Ok(), tokens)
}

/// Checks whether a token is valid. Open to everyone.
pub(super) async fn verify(
    services: Data<Services>,
    Client(client): Client,
    JsonBody(request): JsonBody<VerifyRequest>,
) -> Result<impl Responder, Problem> {
    verify::verify(&services, &request.token, &client).await?;
    Ok(Json(EmptyResponse {}))
}

/// Ends a session. Open to anyone who holds one of its refresh tokens, of any generation. The cookies are removed even when
/// the token is missing or not valid: a browser must be able to get rid of them, unless it may have withheld them. A temporary
/// failure leaves them, because the session is still live and the client needs them to try again.
pub(super) async fn logout(
    services: Data<Services>,
    transport: Transport,
    Client(client): Client,
    http_request: HttpRequest,
    presented: Result<PresentedToken, Problem>,
) -> Result<impl Responder, Problem> {
    let transport = transport.keeping_withheld_cookies(&http_request);
    let is_missing = |reason| reason == Reason::CredentialsMissing;
    let presented = presented.map_err(|problem| transport.error(problem, is_missing))?;
    let ended = logout::logout(&services, presented.token.expose_secret(), client).await;
    ended.map_err(|error| transport.error(error.into(), Reason::ends_session))?;
    Ok(transport.without_tokens(HttpResponse::Ok()).json(EmptyResponse {}))
}

/// Ends all of the caller's sessions.
pub(super) async fn logout_all(
    services: Data<Services>,
    Caller(caller): Caller,
    Client(client): Client,
) -> Result<impl Responder, Problem> {
    let revoked = logout::logout_all(&services, caller, client).await?;
    Ok(Json(RevokedResponse { revoked }))
}
