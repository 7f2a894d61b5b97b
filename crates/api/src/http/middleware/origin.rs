//! Refuses unsafe requests that a foreign page makes a browser send.

use crate::config::Settings;
use crate::problem::Problem;
use crate::service::Services;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpResponse};

/// Lets a request pass that is safe, or comes from no page, or from the API's own, or from one of the two lists.
pub async fn check_origin<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let settings = request.app_data::<Data<Services>>().map(|services| &services.settings);
    if request.method().is_safe() || settings.is_some_and(|settings| is_allowed(request.headers(), settings)) {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    // `into_response` would forget the problem and keep its status only.
    let refusal = HttpResponse::from_error(Problem::origin_not_allowed());
    Ok(ServiceResponse::new(request.into_parts().0, refusal))
}

fn is_allowed(headers: &HeaderMap, settings: &Settings) -> bool {
    let mut origins = headers.get_all(header::ORIGIN);
    let Some(origin) = origins.next() else { return !is_of_another_page(headers) };
    // No browser sends two: which of them would be meant?
    let (Ok(origin), None) = (origin.to_str(), origins.next()) else { return false };
    let listed = &settings.origins;
    is_own(origin, headers, settings)
        || listed.cors_allowed.iter().chain(&listed.csrf_trusted).any(|allowed| allowed.as_str() == origin)
}

/// Whether a browser says that another origin's page sends this, although something on the way has taken the `Origin`
/// away. What is no browser says nothing, and only a page can be made to send what it should not.
fn is_of_another_page(headers: &HeaderMap) -> bool {
    let sites = headers.get_all(header::HeaderName::from_static("sec-fetch-site"));
    sites.map(header::HeaderValue::as_bytes).any(|site| !matches!(site, b"same-origin" | b"none"))
}

/// A page of the API itself, which in production came by HTTPS: one that came in clear anyone may have written.
fn is_own(origin: &str, headers: &HeaderMap, settings: &Settings) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let mut schemes = ["https://", "http://"].iter().take(if settings.environment.is_production() { 1 } else { 2 });
    host.is_some_and(|host| schemes.any(|scheme| origin.strip_prefix(scheme) == Some(host)))
}
