//! The picture of an account: uploaded and removed by its owner, served to anyone who knows its key.

use super::body::{self, Pace};
use super::extract::{Caller, Client};
use crate::problem::Problem;
use crate::service::Services;
use crate::service::accounts::avatar::{self, UploadedPicture};
use crate::service::accounts::avatar_key::AvatarKey;
use crate::service::accounts::picture::Kind;
use actix_web::body::SizedStream;
use actix_web::http::header::{self, EntityTag, Header, HeaderName, HeaderValue, IfNoneMatch};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{Data, Json, Path, Payload};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, Responder};
use auth_types::limits::AVATAR_MAX_BYTES;
use futures_util::stream;
use std::convert::Infallible;

/// How much of a picture has to arrive within [`Timeouts::picture`](crate::config::Timeouts::picture), bytes.
const WINDOW_BYTES: usize = 64 * 1024;
/// A picture never changes under its key.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";
/// If a browser is ever tricked into showing it as a page, that page can do nothing.
const NOTHING_ALLOWED: &str = "default-src 'none'; sandbox";

/// Sets the caller's picture.
pub(super) async fn save(
    services: Data<Services>,
    Caller(caller): Caller,
    Client(client): Client,
    request: HttpRequest,
    payload: Payload,
) -> Result<impl Responder, Problem> {
    let kind = Kind::ALL[body::media_type_of(&request, &Kind::ALL.map(Kind::media_type))?];
    avatar::charge_upload(&services, caller, &client).await?;
    let window = services.settings.timeouts.picture;
    let pace = Pace { max_bytes: AVATAR_MAX_BYTES as usize, window_bytes: WINDOW_BYTES, window };
    let (content, _reservation) = body::read(&request, payload.into_inner(), pace).await?;
    Ok(Json(avatar::save(&services, caller, client, UploadedPicture { kind, content }).await?))
}

/// Removes the caller's picture.
pub(super) async fn remove(
    services: Data<Services>,
    Caller(caller): Caller,
    Client(client): Client,
) -> Result<impl Responder, Problem> {
    Ok(Json(avatar::remove(&services, caller, client).await?))
}

/// Returns a picture. Open to anyone who knows its key, which is as secret as its owner keeps it.
pub(super) async fn show(
    services: Data<Services>,
    key: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let key = AvatarKey::parse(&key).ok_or_else(Problem::not_found)?;
    if is_known(&request, &key) {
        avatar::info(&services, &key).await?.ok_or_else(Problem::not_found)?;
        return Ok(head(StatusCode::NOT_MODIFIED, &key).finish());
    }
    if request.method() == Method::HEAD {
        let info = avatar::info(&services, &key).await?.ok_or_else(Problem::not_found)?;
        let nothing = stream::empty::<Result<_, Infallible>>();
        return Ok(head(StatusCode::OK, &key).body(SizedStream::new(info.size, nothing)));
    }
    let found = avatar::find(&services, &key).await?.ok_or_else(Problem::not_found)?;
    Ok(head(StatusCode::OK, &key).body(SizedStream::new(found.size, found.content)))
}

fn is_known(request: &HttpRequest, key: &AvatarKey) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|tag| tag.weak_eq(&tag_of(key))),
        Err(_) => false,
    }
}

fn tag_of(key: &AvatarKey) -> EntityTag {
    EntityTag::new_strong(key.to_string())
}

fn head(status: StatusCode, key: &AvatarKey) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response
        .content_type(key.kind().media_type())
        .insert_header(header::ETag(tag_of(key)))
        .insert_header((header::CACHE_CONTROL, IMMUTABLE))
        .insert_header((header::CONTENT_SECURITY_POLICY, NOTHING_ALLOWED))
        // The client shows it on a page of another origin.
        .insert_header((
            HeaderName::from_static("cross-origin-resource-policy"),
            HeaderValue::from_static("cross-origin"),
        ));
    response
}
