//! An API whose refresh tokens travel in cookies.

use super::{Browser, Builder, Database, PASSWORD, TestApp, forge};
use reqwest::Method;
use serde_json::{Value, json};

pub const ADA: &str = "ada@example.com";
pub const EVE: &str = "eve@example.com";
pub const APP: &str = "https://app.example.com";

pub fn cookie_mode(database: Database) -> Builder {
    TestApp::builder(database).set("TOKEN_TRANSPORT", "cookie").set("CORS_ALLOWED_ORIGINS", APP).user(ADA).user(EVE)
}

pub async fn start(database: Database) -> (TestApp, Browser) {
    (cookie_mode(database).start().await, Browser::default())
}

pub fn session_of(access: &str) -> Value {
    forge::claims(access)["sid"].clone()
}

pub const NEW_PASSWORD: &str = "another lantern in the harbor 7";

pub fn password_change(app: &TestApp, access: &str, cookies: &str) -> reqwest::RequestBuilder {
    let request = app.request(Method::POST, "/api/auth/password/change/").bearer_auth(access).header("Cookie", cookies);
    request.json(&json!({"current_password": PASSWORD, "new_password": NEW_PASSWORD}))
}
