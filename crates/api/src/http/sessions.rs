//! The caller's sessions.

use super::extract::{Caller, Client};
use crate::problem::Problem;
use crate::service::Services;
use crate::service::sessions::own_sessions;
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, Responder};
use auth_types::SessionId;

/// Lists the caller's live sessions.
pub(super) async fn list(services: Data<Services>, Caller(caller): Caller) -> Result<impl Responder, Problem> {
    Ok(Json(own_sessions::list(&services, caller).await?))
}

/// Ends one of the caller's sessions. An id that does not parse matches no session.
pub(super) async fn revoke(
    services: Data<Services>,
    Caller(caller): Caller,
    Client(client): Client,
    request: HttpRequest,
) -> Result<impl Responder, Problem> {
    let id = request.match_info().get("id").and_then(|id| id.parse().ok()).ok_or_else(Problem::not_found)?;
    own_sessions::revoke(&services, caller, SessionId(id), client).await?;
    Ok(HttpResponse::NoContent())
}
