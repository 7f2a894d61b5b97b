//! What a browser keeps from its tabs where the refresh token is in a cookie. The API of a simulation answers with both
//! tokens; that its own cookies hold the same is tested where cookies are.

use crate::support::TestResponse;
use auth_types::responses::{CookieTokenResponse, TokenResponse};
use client::policy;

/// Parts an answer into what a tab sees and what becomes the cookie.
pub fn part(response: TokenResponse) -> (CookieTokenResponse, String) {
    let seen = CookieTokenResponse {
        access: response.access,
        csrf_token: "of-the-session".to_owned(),
        access_expires_in: response.access_expires_in,
        refresh_expires_in: response.refresh_expires_in,
        server_time: response.server_time,
        user: response.user,
    };
    (seen, response.refresh)
}

/// An answer to a refresh as a tab sees it, and the cookie that came with it.
pub fn part_answer(answer: &TestResponse) -> (policy::ApiResponse, Option<String>) {
    let (status, kind) = (answer.status.as_u16(), answer.header("content-type"));
    if status != 200 {
        return (policy::ApiResponse::new(status, kind, answer.text()), None);
    }
    let (seen, cookie) = part(answer.clone().json());
    (policy::ApiResponse::new(status, kind, serde_json::to_string(&seen).unwrap()), Some(cookie))
}

/// The answer to a request without a cookie.
pub fn no_cookie() -> policy::ApiResponse {
    problem(401, "credentials_missing")
}

/// The answer to a CSRF token of another session than the cookie's.
pub fn not_that_session() -> policy::ApiResponse {
    problem(403, "csrf_failed")
}

fn problem(status: u16, reason: &str) -> policy::ApiResponse {
    policy::ApiResponse::new(status, "application/problem+json", format!(r#"{{"reason":"{reason}"}}"#))
}
