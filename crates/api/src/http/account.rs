//! The caller's own account.

use super::body::JsonBody;
use super::extract::{Caller, Client, Cursor, IdempotencyKey, StepAuthentication};
use super::transport::Transport;
use crate::gate;
use crate::problem::Problem;
use crate::service::Services;
use crate::service::accounts::export::{self, ExportError};
use crate::service::accounts::{deletion, profile};
use crate::service::events::history;
use crate::service::steps::StepKind;
use actix_web::http::Method;
use actix_web::http::header::{self, ContentType};
use actix_web::web::{Bytes, Data, Json};
use actix_web::{HttpRequest, HttpResponse, Responder};
use auth_types::requests::{DeleteMeRequest, UpdateMeRequest};
use futures_util::stream;
use std::sync::Arc;

/// Returns the caller's profile.
pub(super) async fn show(services: Data<Services>, Caller(caller): Caller) -> Result<impl Responder, Problem> {
    Ok(Json(profile::show(&services, caller).await?))
}

/// Updates the caller's profile.
pub(super) async fn update(
    services: Data<Services>,
    Caller(caller): Caller,
    Client(client): Client,
    JsonBody(request): JsonBody<UpdateMeRequest>,
) -> Result<impl Responder, Problem> {
    Ok(Json(profile::update(&services, caller, &request, client).await?))
}

/// Returns everything that is stored about the caller, as a file that is streamed while it is written.
pub(super) async fn export(
    request: HttpRequest,
    services: Data<Services>,
    Caller(caller): Caller,
    Client(client): Client,
) -> Result<impl Responder, Problem> {
    let file = (header::CONTENT_DISPOSITION, "attachment; filename=\"latchkey-export.json\"");
    let mut response = HttpResponse::Ok();
    response.content_type(ContentType::json()).insert_header(file);
    // HEAD gets the headers alone: nothing is exported, and no budget of exports is spent.
    if request.method() == Method::HEAD {
        return Ok(response.streaming(stream::empty::<Result<Bytes, ExportError>>()));
    }
    let export = export::begin(&services, caller, client).await?;
    // The parts are read after the handler has returned, and still count for its requester.
    let services = services.into_inner();
    let requester = gate::current_requester();
    let parts = stream::try_unfold(export, move |mut export| {
        let services = Arc::clone(&services);
        let next = async move { Ok::<_, ExportError>(export.next(&services).await?.map(|part| (part, export))) };
        gate::on_behalf_of(requester, next)
    });
    Ok(response.streaming(parts))
}

/// Lists the security events of the caller's account.
pub(super) async fn events(
    services: Data<Services>,
    Caller(caller): Caller,
    Cursor(cursor): Cursor,
) -> Result<impl Responder, Problem> {
    Ok(Json(history::list(&services, caller, &cursor).await?))
}

/// Deletes the caller's account.
pub(super) async fn delete(
    services: Data<Services>,
    StepAuthentication(caller): StepAuthentication,
    IdempotencyKey(key): IdempotencyKey,
    transport: Transport,
    Client(client): Client,
    http_request: HttpRequest,
    JsonBody(request): JsonBody<DeleteMeRequest>,
) -> Result<impl Responder, Problem> {
    let fingerprinted =
        services.steps.fingerprinted(StepKind::AccountDeletion, Some(caller.user), key.as_deref(), request);
    let user = caller.user.id;
    deletion::delete(&services, caller, fingerprinted, client).await?;
    Ok(transport.keeping_other_users_cookies(user, &http_request).without_tokens(HttpResponse::NoContent()).finish())
}
