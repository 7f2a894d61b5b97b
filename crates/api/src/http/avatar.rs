//! The picture of an account: sent and removed by its owner, shown to whoever knows where it is.

use super::body::{self, Pace};
use super::extract::{Caller, Client};
use crate::problem::Problem;
use crate::service::Services;
use crate::service::accounts::avatar;
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

/// What has to come of a picture within [`Timeouts::picture`](crate::config::Timeouts::picture), bytes.
const STEP_BYTES: usize = 64 * 1024;
/// A picture never changes under its key.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// Should a browser ever be led to take it for a page, it is one that can do nothing.
const NOTHING_ALLOWED: &str = "default-src 'none'; sandbox";

/// Gives the caller a picture.
pub(super) async fn save(
    services: Data<Services>,
    Caller(caller): Caller,
    Client(client): Client,
    (request, payload): (HttpRequest, Payload),
) -> Result<impl Responder, Problem> {
    let kind = Kind::ALL[body::content_type(&request, &Kind::ALL.map(Kind::media_type))?];
    avatar::take_attempt(&services, caller, &client).await?;
    let step = services.settings.timeouts.picture;
    let pace = Pace { max_bytes: AVATAR_MAX_BYTES as usize, step_bytes: STEP_BYTES, step };
    let (content, _hold) = body::read(&request, payload.into_inner(), pace).await?;
    Ok(Json(avatar::save(&services, caller, client, (kind, content)).await?))
}

/// Takes the caller's picture away.
pub(super) async fn remove(
    services: Data<Services>,
    Caller(caller): Caller,
    Client(client): Client,
) -> Result<impl Responder, Problem> {
    Ok(Json(avatar::remove(&services, caller, client).await?))
}

/// Shows a picture. Open to whoever knows its key, which is as secret as the user keeps it.
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
        .insert_header((header::CACHE_CONTROL, FOR_EVER))
        .insert_header((header::CONTENT_SECURITY_POLICY, NOTHING_ALLOWED))
        // The client is on another origin, and shows it.
        .insert_header((
            HeaderName::from_static("cross-origin-resource-policy"),
            HeaderValue::from_static("cross-origin"),
        ));
    response
}
