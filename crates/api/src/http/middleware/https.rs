//! In production no secret travels in plaintext (ASVS 4.1.2, 12.2.1). TLS ends at the platform's proxy, which reports in
//! `X-Forwarded-Proto` what the client used; a request without the header is served.

use crate::config::Settings;
use crate::http::extract::proxy_chain_of;
use crate::http::route::route_of;
use crate::problem::Problem;
use crate::service::Services;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpResponse};
use std::net::SocketAddr;
use url::Url;

/// The platform's health checks call these from inside, past the proxy.
const HEALTH_CHECKS: [&str; 2] = ["/healthz", "/readyz"];

/// Redirects a browser that follows a link to HTTPS, and refuses every other plaintext request: a client that sends tokens in
/// plaintext must notice, and a redirect would only hide it.
pub async fn require_https<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if !is_plaintext(&request) {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let response = match secure_location(&request).filter(|_| may_be_redirected(&request)) {
        Some(location) => HttpResponse::PermanentRedirect().insert_header((header::LOCATION, location)).finish(),
        None => HttpResponse::from_error(Problem::https_required()),
    };
    Ok(ServiceResponse::new(request.into_parts().0, response))
}

/// The same for preflights, to which the CORS middleware responds before any other sees them: a browser whose preflight is
/// refused does not send the tokens at all.
pub async fn refuse_plaintext_preflight<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if request.method() == Method::OPTIONS && is_plaintext(&request) {
        let refusal = HttpResponse::from_error(Problem::https_required());
        return Ok(ServiceResponse::new(request.into_parts().0, refusal));
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

fn is_plaintext(request: &ServiceRequest) -> bool {
    let Some(settings) = request.app_data::<Data<Services>>().map(|services| &services.settings) else { return false };
    settings.environment.is_production()
        && forwarded_proto(request.headers(), request.peer_addr(), settings)
            .is_some_and(|proto| proto.eq_ignore_ascii_case("http"))
        && !HEALTH_CHECKS.contains(&route_of(request).trim_end_matches('/'))
}

/// The scheme with which the client reached the outermost trusted proxy that the request passed. Some proxies append to the
/// header and some replace it, so there may be fewer entries than proxies. Without a trusted proxy the last entry counts: in
/// production there is one even if it is not configured, and a client that forges it harms only itself.
pub(in crate::http) fn forwarded_proto<'h>(
    headers: &'h HeaderMap,
    peer: Option<SocketAddr>,
    settings: &Settings,
) -> Option<&'h str> {
    let values = headers.get_all(header::X_FORWARDED_PROTO).filter_map(|value| value.to_str().ok());
    let entries: Vec<_> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    let proxies = proxy_chain_of(headers, peer, settings).proxies;
    entries.get(entries.len().saturating_sub(proxies.max(1))).copied()
}

/// Whether a request only reads and carries no credentials.
fn may_be_redirected(request: &ServiceRequest) -> bool {
    let carries = |name| request.headers().contains_key(name);
    matches!(*request.method(), Method::GET | Method::HEAD)
        && !carries(header::AUTHORIZATION)
        && !carries(header::COOKIE)
}

/// The same host, path and query by HTTPS; `None` when the request does not name exactly one valid host.
fn secure_location(request: &ServiceRequest) -> Option<HeaderValue> {
    let mut hosts = request.headers().get_all(header::HOST);
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return None };
    let host = valid_host(host.to_str().ok()?)?;
    let target = request.uri().path_and_query()?.as_str();
    let location = HeaderValue::from_str(&format!("https://{host}{target}")).ok()?;
    target.starts_with('/').then_some(location)
}

/// A host with an optional port, as in a URL: if the URL parser reads anything else in the text, it returns another text.
/// Port 80 is dropped, because HTTPS is not served there.
fn valid_host(host: &str) -> Option<String> {
    if !host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte)) {
        return None;
    }
    let origin = Url::parse(&format!("http://{host}")).ok()?.origin().ascii_serialization();
    let parsed = origin.strip_prefix("http://")?;
    parsed.eq_ignore_ascii_case(host.strip_suffix(":80").unwrap_or(host)).then(|| parsed.to_owned())
}
