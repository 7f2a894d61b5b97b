//! The caller's own account.

use super::body::JsonBody;
use super::extract::{Caller, Client};
use super::transport::Transport;
use crate::problem::Problem;
use crate::service::{Services, account, account_deletion};
use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, Responder};
use auth_types::requests::{DeleteMeRequest, UpdateMeRequest};

/// Shows the caller.
pub(super) async fn show(services: Data<Services>, Caller(caller): Caller) -> Result<impl Responder, Problem> {
    Ok(Json(account::show(&services, caller).await?))
}

/// Changes what the caller may change about themselves.
pub(super) async fn update(
    services: Data<Services>,
    Caller(caller): Caller,
    Client(client): Client,
    JsonBody(request): JsonBody<UpdateMeRequest>,
) -> Result<impl Responder, Problem> {
    Ok(Json(account::update(&services, caller, &request, client).await?))
}

/// Deletes the caller's account.
pub(super) async fn delete(
    services: Data<Services>,
    Caller(caller): Caller,
    transport: Transport,
    Client(client): Client,
    JsonBody(request): JsonBody<DeleteMeRequest>,
) -> Result<impl Responder, Problem> {
    account_deletion::delete(&services, caller, request, client).await?;
    Ok(transport.without_tokens(HttpResponse::NoContent()).finish())
}
