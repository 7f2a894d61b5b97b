//! Tells a connection's watch when its requests begin and end.

use crate::http::connection::watch::{Begun, Requests};
use actix_web::Error;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::middleware::Next;
use bytes::Bytes;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The body of a response whose request ends with it: while a file is read and sent part by part, its connection is not
/// idle.
#[derive(Debug)]
pub struct WatchedBody {
    body: BoxBody,
    /// Ends the request when it is dropped.
    begun: Option<Begun>,
}

/// Notes a request for as long as it is being answered.
pub async fn watch_requests(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<WatchedBody>, Error> {
    let begun = request.conn_data::<Requests>().map(Requests::begin);
    let response = next.call(request).await?;
    if let Some(begun) = &begun
        && response.response().head().connection_type() == ConnectionType::Close
    {
        begun.is_last(); // actix-http would wait for the rest of a body that comes in chunks
    }
    Ok(response.map_body(|_, body| WatchedBody { body, begun }))
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
        let Self { body, begun } = self;
        body.try_into_bytes().map_err(|body| Self { body, begun })
    }
}
