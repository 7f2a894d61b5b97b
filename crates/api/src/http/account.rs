//! The caller's own account.

use super::body::JsonBody;
use super::extract::{Caller, Client};
use crate::problem::Problem;
use crate::service::{Services, account};
use actix_web::Responder;
use actix_web::web::{Data, Json};
use auth_types::requests::UpdateMeRequest;

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
