//! Refuses unsafe requests that a page of another origin makes a browser send (CSRF).

use crate::config::Settings;
use crate::problem::Problem;
use crate::service::Services;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpResponse};

/// Passes a request that is safe, does not come from a page, or comes from a page of the API itself or of a listed origin.
pub async fn check_origin<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let settings = request.app_data::<Data<Services>>().map(|services| &services.settings);
    if request.method().is_safe() || settings.is_some_and(|settings| is_allowed(request.headers(), settings)) {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    // `into_response` would drop the problem and keep only its status.
    let refusal = HttpResponse::from_error(Problem::origin_not_allowed());
    Ok(ServiceResponse::new(request.into_parts().0, refusal))
}

fn is_allowed(headers: &HeaderMap, settings: &Settings) -> bool {
    let mut origins = headers.get_all(header::ORIGIN);
    let Some(origin) = origins.next() else { return !is_of_another_page(headers) };
    // No browser sends two, and it is unclear which one would count.
    let (Ok(origin), None) = (origin.to_str(), origins.next()) else { return false };
    let listed = &settings.origins;
    is_own(origin, headers, settings)
        || listed.cors_allowed.iter().chain(&listed.csrf_trusted).any(|allowed| allowed.as_str() == origin)
}

/// Whether `Sec-Fetch-Site` says that a page of another origin sends this, if something on the way has removed the `Origin`.
/// Clients other than browsers do not send it, and CSRF only works through a browser.
fn is_of_another_page(headers: &HeaderMap) -> bool {
    let sites = headers.get_all(header::HeaderName::from_static("sec-fetch-site"));
    sites.map(header::HeaderValue::as_bytes).any(|site| !matches!(site, b"same-origin" | b"none"))
}

/// Whether it is a page of the API itself, in production by HTTPS only: an attacker can rewrite one that came in plaintext.
fn is_own(origin: &str, headers: &HeaderMap, settings: &Settings) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let mut schemes = ["https://", "http://"].iter().take(if settings.environment.is_production() { 1 } else { 2 });
    host.is_some_and(|host| schemes.any(|scheme| origin.strip_prefix(scheme) == Some(host)))
}
