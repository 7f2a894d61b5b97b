//! Tells a connection's watch when its requests begin and end.

use crate::http::watch::Requests;
use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::middleware::Next;

/// Notes a request for as long as it is being answered.
///
/// # Errors
/// As the application.
pub async fn watch_requests<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let begun = request.conn_data::<Requests>().map(Requests::begin);
    let response = next.call(request).await?;
    if let Some(begun) = begun
        && response.response().head().connection_type() == ConnectionType::Close
    {
        begun.is_last(); // actix-http would wait for the rest of a body that comes in chunks
    }
    Ok(response)
}
