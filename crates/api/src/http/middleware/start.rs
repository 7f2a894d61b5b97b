//! Keeps the application closed until the process knows what it must.

use crate::http::route::route_of;
use crate::problem::Problem;
use crate::service::Services;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpResponse};

/// Refuses what is under `/api/auth/` until the revoked-session feed was read once: before that nobody can say whose
/// access tokens still count, and the database may not even have its tables.
///
/// # Errors
/// As the application.
pub async fn refuse_until_started<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let services = request.app_data::<Data<Services>>();
    let started = services.is_some_and(|services| services.feed.polled_at().is_some());
    if started || !route_of(&request).starts_with("/api/auth/") {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let refusal = HttpResponse::from_error(Problem::unavailable());
    Ok(ServiceResponse::new(request.into_parts().0, refusal))
}
