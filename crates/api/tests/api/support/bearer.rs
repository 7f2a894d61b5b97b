//! Requests with access tokens that are not valid.

use super::{Database, TestApp, TestResponse, send};
use auth_types::Reason;
use auth_types::responses::TokenResponse;
use reqwest::Method;
use reqwest::header::HeaderValue;

pub const ADA: &str = "ada@example.com";

pub async fn signed_in() -> (TestApp, TokenResponse) {
    let app = TestApp::builder(Database::Sqlite).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    (app, tokens)
}

pub async fn bearer(app: &TestApp, token: &str) -> Option<TestResponse> {
    // Blanks before a token belong to the header.
    if token.starts_with(' ') {
        return None;
    }
    // An invalid header value cannot be sent.
    let value = HeaderValue::from_bytes(format!("Bearer {token}").as_bytes()).ok()?;
    Some(send(app.request(Method::GET, "/api/auth/me/").header("Authorization", value)).await)
}

#[track_caller]
pub fn assert_refused(response: &TestResponse, what: &str) {
    assert_eq!(response.status, 401, "{what}: {}", response.text());
    let problem = response.problem(401);
    let reasons = [Reason::TokenMalformed, Reason::KeyUnknown, Reason::SessionExpired, Reason::TokenExpired];
    assert!(reasons.contains(&problem.reason), "{what}: {problem:?}");
    assert_eq!(response.header("www-authenticate"), r#"Bearer realm="api", error="invalid_token""#, "{what}");
}
