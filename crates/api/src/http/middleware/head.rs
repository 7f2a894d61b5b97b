//! Limits the size of a request's head. Some headers hold lists that are read entry by entry; an honest client's head is far
//! shorter than the limit, and proxies refuse at half of it.

use crate::problem::Problem;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse};

/// Path, query and headers together.
const HEAD_MAX_BYTES: usize = 16 * 1024;

/// Refuses a head that is too long, before anything reads it.
pub async fn bound_head<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    let headers: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if target + headers <= HEAD_MAX_BYTES {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let refusal = HttpResponse::from_error(Problem::from_status(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE));
    Ok(ServiceResponse::new(request.into_parts().0, refusal))
}
