//! Refuses unsafe requests that a foreign page makes a browser send.

use crate::config::Origins;
use crate::problem::Problem;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpResponse};

/// Lets a request pass that is safe, or says no origin, or says the API's own, or one of the two lists.
///
/// # Errors
/// As the handler.
pub async fn check_origin<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if request.method().is_safe() || origin_is_allowed(&request) {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    // `into_response` would forget the problem and keep its status only.
    let refusal = HttpResponse::from_error(Problem::origin_not_allowed());
    Ok(ServiceResponse::new(request.into_parts().0, refusal))
}

fn origin_is_allowed(request: &ServiceRequest) -> bool {
    let mut origins = request.headers().get_all(header::ORIGIN);
    let Some(origin) = origins.next() else { return true };
    // No browser sends two: which of them would be meant?
    let (Ok(origin), None) = (origin.to_str(), origins.next()) else { return false };
    let own = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let is_own =
        own.is_some_and(|host| ["https://", "http://"].iter().any(|scheme| origin.strip_prefix(scheme) == Some(host)));
    is_own
        || request.app_data::<Data<Origins>>().is_some_and(|origins| {
            origins.cors_allowed.iter().chain(&origins.csrf_trusted).any(|allowed| allowed.as_str() == origin)
        })
}
