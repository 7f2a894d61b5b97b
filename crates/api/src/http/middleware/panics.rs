//! Turns a panic into a 500, so that the connection and the worker survive and the client gets a response.

use crate::problem::Problem;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;

/// Catches a handler's panic. Wraps a resource, not the application: the request that is kept for the response must have been
/// routed already, because the router requires the only reference to it.
pub async fn catch_panics<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let kept = request.request().clone();
    match AssertUnwindSafe(next.call(request)).catch_unwind().await {
        Ok(response) => Ok(response?.map_into_boxed_body()),
        Err(panic) => {
            let message = panic.downcast_ref::<&str>().map(ToString::to_string);
            let message = message.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
            let problem = Problem::internal(format_args!("a handler panicked: {message}"));
            Ok(ServiceResponse::new(kept, HttpResponse::from_error(problem)))
        }
    }
}
