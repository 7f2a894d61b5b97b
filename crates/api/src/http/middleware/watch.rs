//! Tells a connection's watch when its requests begin and end.

use crate::http::watch::Requests;
use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;

/// Notes a request for as long as it is being answered.
///
/// # Errors
/// As the application.
pub async fn watch_requests<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let _begun = request.conn_data::<Requests>().map(Requests::begin);
    next.call(request).await
}
