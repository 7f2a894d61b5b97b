//! Reads a response, by whichever library it was received.

use crate::policy::{ApiResponse, retry_after};

/// `header` returns the value of a header.
pub(super) fn api_response(status: u16, body: String, header: impl Fn(&str) -> Option<String>) -> ApiResponse {
    ApiResponse::new(status, &header("Content-Type").unwrap_or_default(), body)
        .retry_after(header("Retry-After").and_then(|value| retry_after(&value)))
}
