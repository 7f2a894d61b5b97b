//! Sign-ups whose address has to be confirmed.

use super::{Database, Mail, PASSWORD, TestApp, TestResponse};
use auth_types::requests::RegisterRequest;
use auth_types::responses::PendingRegistrationResponse;
use serde_json::{Value, json};

pub const ADA: &str = "ada@example.com";
pub const EVE: &str = "eve@example.com";

pub fn request(email: &str) -> RegisterRequest {
    RegisterRequest { email: email.to_owned(), password: PASSWORD.to_owned(), ..Default::default() }
}

pub async fn mandatory(database: Database) -> TestApp {
    TestApp::builder(database).set("EMAIL_VERIFICATION", "mandatory").user(ADA).start().await
}

/// Signs up, and returns the secret that the browser keeps.
pub async fn sign_up(app: &TestApp, request: &RegisterRequest) -> String {
    let response = app.register(request).await;
    response.has_status(202);
    assert_eq!(response.header("cache-control"), "no-store");
    response.json::<PendingRegistrationResponse>().registration
}

pub async fn verify(app: &TestApp, body: &Value) -> TestResponse {
    app.post("/api/auth/email/verify/", body).await
}

pub async fn click(app: &TestApp, mail: &Mail) -> TestResponse {
    verify(app, &json!({"token": mail.token()})).await
}

pub fn users(app: &TestApp) -> i64 {
    app.db().number("SELECT count(*) FROM users WHERE deleted_at IS NULL")
}

pub fn pending(app: &TestApp) -> i64 {
    app.db().number("SELECT count(*) FROM pending_registrations")
}
