//! Which web pages may read our answers (Fetch, section 3.3).

use super::limits::{RATE_LIMIT, RATE_LIMIT_POLICY};
use crate::config::Settings;
use crate::http::cookies::CSRF_HEADER;
use actix_cors::Cors;
use actix_web::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, RETRY_AFTER};
use auth_types::responses::TokenTransport;

/// How long a browser may remember a preflight's answer, seconds.
const PREFLIGHT_SECONDS: usize = 3600;

/// The allow-list, exact. A page of another origin is not refused here: its browser does not let it read the answer, and
/// [`check_origin`](super::check_origin) keeps it from changing anything.
pub fn cors(settings: &Settings) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers([ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName::from_static("idempotency-key")])
        .expose_headers([RETRY_AFTER, RATE_LIMIT, RATE_LIMIT_POLICY, HeaderName::from_static("x-request-id")])
        .block_on_origin_mismatch(false)
        .max_age(PREFLIGHT_SECONDS);
    let cors = match settings.transport.transport {
        TokenTransport::Body => cors,
        TokenTransport::Cookie => cors.supports_credentials().allowed_header(CSRF_HEADER),
    };
    settings.origins.cors_allowed.iter().fold(cors, |cors, origin| cors.allowed_origin(origin.as_str()))
}
