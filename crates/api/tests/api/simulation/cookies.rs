//! Splits responses into what a tab sees and the refresh cookie, which the browser hides from it. The API of a simulation
//! returns both tokens in the body; its own cookies are tested in `cookies.rs`.

use crate::support::TestResponse;
use auth_types::responses::{CookieTokenResponse, TokenResponse};
use client::policy;

/// Splits a response into the part that a tab sees and the cookie.
pub fn split(response: TokenResponse) -> (CookieTokenResponse, String) {
    let visible = CookieTokenResponse {
        access: response.access,
        csrf_token: "of-the-session".to_owned(),
        access_expires_in: response.access_expires_in,
        refresh_expires_in: response.refresh_expires_in,
        server_time: response.server_time,
        user: response.user,
    };
    (visible, response.refresh)
}

/// The response to a refresh as a tab sees it, and its cookie.
pub fn split_response(response: &TestResponse) -> (policy::ApiResponse, Option<String>) {
    let (status, kind) = (response.status.as_u16(), response.header("content-type"));
    if status != 200 {
        return (policy::ApiResponse::new(status, kind, response.text()), None);
    }
    let (visible, cookie) = split(response.clone().json());
    (policy::ApiResponse::new(status, kind, serde_json::to_string(&visible).unwrap()), Some(cookie))
}

/// The response to a request without a cookie.
pub fn no_cookie() -> policy::ApiResponse {
    problem(401, "credentials_missing")
}

/// The response to a CSRF token that belongs to another session than the cookie.
pub fn not_that_session() -> policy::ApiResponse {
    problem(403, "csrf_failed")
}

fn problem(status: u16, reason: &str) -> policy::ApiResponse {
    policy::ApiResponse::new(status, "application/problem+json", format!(r#"{{"reason":"{reason}"}}"#))
}
