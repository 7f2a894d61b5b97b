//! Parse, call, shape. An id that does not parse, and another user's note, are 404.

use super::metrics::NoteMetrics;
use super::rules;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, Responder};
use api::prelude::{Caller, Client, Cursor, JsonBody, Problem, Services};
use notes_types::NoteRequest;

/// Lists a page of the caller's notes.
pub(super) async fn list(
    services: Data<Services>,
    Caller(caller): Caller,
    cursor: Cursor,
) -> Result<impl Responder, Problem> {
    Ok(Json(rules::list(&services, caller, cursor.after()?).await?))
}

/// Writes a note.
pub(super) async fn create(
    services: Data<Services>,
    metrics: Data<NoteMetrics>,
    Caller(caller): Caller,
    JsonBody(NoteRequest { text }): JsonBody<NoteRequest>,
) -> Result<impl Responder, Problem> {
    let note = rules::create(&services, caller, text).await?;
    metrics.created.inc();
    Ok(HttpResponse::Created().json(note))
}

/// Shows one of the caller's notes.
pub(super) async fn show(
    services: Data<Services>,
    Caller(caller): Caller,
    id: Path<i64>,
) -> Result<impl Responder, Problem> {
    Ok(Json(rules::show(&services, caller, *id).await?))
}

/// Changes one of the caller's notes.
pub(super) async fn change(
    services: Data<Services>,
    Caller(caller): Caller,
    id: Path<i64>,
    JsonBody(NoteRequest { text }): JsonBody<NoteRequest>,
) -> Result<impl Responder, Problem> {
    Ok(Json(rules::change(&services, caller, *id, text).await?))
}

/// Deletes one of the caller's notes.
pub(super) async fn delete(
    services: Data<Services>,
    Caller(caller): Caller,
    Client(client): Client,
    id: Path<i64>,
) -> Result<impl Responder, Problem> {
    rules::delete(&services, caller, *id, client).await?;
    Ok(HttpResponse::NoContent())
}
