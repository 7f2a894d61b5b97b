//! Parse, call, shape.

use super::rules;
use super::types::{
    FixturePollChange, FixturePollCount, FixturePollKind, FixturePollRemoval, FixturePollRequest, FixturePollsSince,
};
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, Responder};
use api::prelude::{Admin, Caller, Client, Cursor, JsonBody, Problem, Query, Services};

pub(super) async fn list(
    services: Data<Services>,
    Caller(caller): Caller,
    cursor: Cursor,
) -> Result<impl Responder, Problem> {
    Ok(Json(rules::list(&services, caller, cursor.after()?).await?))
}

pub(super) async fn create(
    services: Data<Services>,
    Caller(caller): Caller,
    JsonBody(request): JsonBody<FixturePollRequest>,
) -> Result<impl Responder, Problem> {
    Ok(HttpResponse::Created().json(rules::create(&services, caller, request).await?))
}

pub(super) async fn show(
    services: Data<Services>,
    Caller(caller): Caller,
    id: Path<i64>,
) -> Result<impl Responder, Problem> {
    Ok(Json(rules::show(&services, caller, Some(*id)).await?))
}

pub(super) async fn change(
    services: Data<Services>,
    Caller(caller): Caller,
    id: Path<i64>,
    JsonBody(request): JsonBody<FixturePollChange>,
) -> Result<impl Responder, Problem> {
    Ok(Json(rules::change(&services, caller, *id, request).await?))
}

pub(super) async fn close(
    services: Data<Services>,
    Caller(caller): Caller,
    Client(client): Client,
    id: Path<i64>,
) -> Result<impl Responder, Problem> {
    rules::close(&services, caller, *id, client).await?;
    Ok(HttpResponse::NoContent())
}

pub(super) async fn newest(services: Data<Services>, Caller(caller): Caller) -> Result<impl Responder, Problem> {
    Ok(Json(rules::show(&services, caller, None).await?))
}

pub(super) async fn remove_choice(
    services: Data<Services>,
    Caller(caller): Caller,
    choice: Path<(i64, i64)>,
) -> Result<impl Responder, Problem> {
    let (poll, choice) = choice.into_inner();
    rules::remove_choice(&services, caller, poll, choice).await?;
    Ok(HttpResponse::NoContent())
}

pub(super) async fn choices() -> impl Responder {
    Json([FixturePollKind::Secret, FixturePollKind::ByName].map(FixturePollKind::name))
}

pub(super) async fn count(services: Data<Services>, Admin(admin): Admin) -> Result<impl Responder, Problem> {
    Ok(Json(FixturePollCount { polls: rules::count(&services, admin).await? }))
}

pub(super) async fn count_since(
    services: Data<Services>,
    Caller(caller): Caller,
    Query(FixturePollsSince { since }): Query<FixturePollsSince>,
) -> Result<impl Responder, Problem> {
    Ok(Json(FixturePollCount { polls: rules::count_since(&services, caller, since).await? }))
}

pub(super) async fn remove(
    services: Data<Services>,
    Admin(admin): Admin,
    JsonBody(FixturePollRemoval { ids }): JsonBody<FixturePollRemoval>,
) -> Result<impl Responder, Problem> {
    Ok(Json(FixturePollCount { polls: rules::remove(&services, admin, ids).await? }))
}
