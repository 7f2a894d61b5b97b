//! Which web pages may read responses (Fetch, section 3.3).

use super::limits::{RATE_LIMIT, RATE_LIMIT_POLICY};
use crate::config::Settings;
use crate::http::cookies::CSRF_HEADER;
use actix_cors::Cors;
use actix_web::http::header::{self, ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, RETRY_AFTER};
use auth_types::responses::TokenTransport;

/// How long a browser may cache the response to a preflight, seconds.
const PREFLIGHT_SECONDS: usize = 3600;

/// The exact allow-list. A page of another origin is not refused here: its browser does not let it read the response, and
/// [`check_origin`](super::check_origin) prevents it from changing anything.
pub fn cors(settings: &Settings) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers([ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName::from_static("idempotency-key")])
        .expose_headers([RETRY_AFTER, RATE_LIMIT, RATE_LIMIT_POLICY, HeaderName::from_static("x-request-id")])
        .block_on_origin_mismatch(false)
        .max_age(PREFLIGHT_SECONDS);
    let cors = match settings.transport.tokens {
        TokenTransport::Body => cors,
        TokenTransport::Cookie => cors.supports_credentials().allowed_header(CSRF_HEADER),
    };
    settings.origins.cors_allowed.iter().fold(cors, |cors, origin| cors.allowed_origin(origin.as_str()))
}

/// Removes the other CORS headers where no origin is allowed: no page may read the response, so they allow nothing.
pub(super) fn remove_without_origin(headers: &mut HeaderMap) {
    if !headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
        headers.remove(header::ACCESS_CONTROL_ALLOW_CREDENTIALS);
        headers.remove(header::ACCESS_CONTROL_EXPOSE_HEADERS);
    }
}
