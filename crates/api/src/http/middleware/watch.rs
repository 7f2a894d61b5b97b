//! Informs the connection's watch when its requests begin and end.

use crate::http::connection::watch::{ConnectionRequests, RequestInProgress};
use actix_web::Error;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::middleware::Next;
use bytes::Bytes;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A response body that keeps its request in progress: while a file is read and sent in parts, the connection is not idle.
#[derive(Debug)]
pub struct WatchedBody {
    body: BoxBody,
    /// Ends the request when it is dropped.
    in_progress: Option<RequestInProgress>,
}

/// Registers a request until its response has been sent.
pub async fn watch_requests(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<WatchedBody>, Error> {
    let in_progress = request.conn_data::<ConnectionRequests>().map(ConnectionRequests::begin);
    let response = next.call(request).await?;
    if let Some(request) = &in_progress
        && response.response().head().connection_type() == ConnectionType::Close
    {
        request.set_last(); // actix-http would wait for the rest of a body that comes in chunks
    }
    Ok(response.map_body(|_, body| WatchedBody { body, in_progress }))
}

impl MessageBody for WatchedBody {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(cx)
    }

    fn try_into_bytes(self) -> Result<Bytes, Self> {
        let Self { body, in_progress } = self;
        body.try_into_bytes().map_err(|body| Self { body, in_progress })
    }
}
