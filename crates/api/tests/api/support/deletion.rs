//! An account with rows in every table, which is deleted.

use super::{Database, PASSWORD, TestApp, TestDb, TestResponse, send};
use auth_types::requests::RegisterRequest;
use auth_types::responses::TokenResponse;
use auth_types::{Reason, UserId};
use reqwest::Method;
use serde_json::json;

pub const ADA: &str = "ada@example.com";
pub const EVE: &str = "eve@example.com";
pub const BROWSER: &str = "marker-browser/1.0";

pub fn ada() -> RegisterRequest {
    let username = Some("Marker-Countess".to_owned());
    let display_name = Some("Marker Lovelace".to_owned());
    RegisterRequest { email: ADA.to_owned(), password: PASSWORD.to_owned(), username, display_name }
}

/// A user with a name, a browser, a revoked session, a link, a failed sign-in and queued mail.
pub async fn start(database: Database) -> (TestApp, TokenResponse) {
    let app = TestApp::builder(database).user(EVE).start().await;
    app.register(&ada()).await.created();
    app.sign_in(ADA, "violet harbor lantern 43").await.unauthorized(Reason::CredentialsWrong);
    let ended = app.login(ADA).await;
    app.logout(&ended).await.done();
    app.post("/api/auth/password/reset/", &json!({"email": ADA})).await.done();
    app.deliver_mail().await;
    app.post("/api/auth/password/reset/", &json!({"email": ADA})).await.done();
    let body = json!({"email": ADA, "password": PASSWORD});
    let login = app.request(Method::POST, "/api/auth/login/").header("User-Agent", BROWSER).json(&body);
    let tokens = send(login).await.tokens();
    let body = json!({"new_email": "countess@example.org", "password": PASSWORD});
    send(app.request_as(&tokens, Method::POST, "/api/auth/email/change/").json(&body)).await.done();
    (app, tokens)
}

pub async fn delete(app: &TestApp, tokens: &TokenResponse, password: &str) -> TestResponse {
    let request = app.request_as(tokens, Method::DELETE, "/api/auth/me/");
    send(request.json(&json!({"password": password}))).await
}

/// Asserts that no row holds personal data of the deleted user.
pub fn assert_erased(db: &TestDb) {
    for line in db.content().iter().map(|line| line.to_lowercase()) {
        let found = [ADA, "marker", "countess", "127.0.0.1", "bcrypt_sha256$$2b$04$"].iter().find(|text| {
            // Eve's rows hold an address and a password, too.
            line.contains(**text) && !line.contains(EVE)
        });
        assert_eq!(found, None, "{line}");
    }
}

/// The number of rows in each table that refer to the user.
pub fn rows_of(db: &TestDb, user: UserId) -> Vec<(String, i64)> {
    let tables = db.tables().into_iter().filter(|table| db.columns(table).contains(&"user_id".to_owned()));
    let count = |table: &String| db.number(&format!("SELECT count(*) FROM {table} WHERE user_id = {user}"));
    tables.map(|table| (table.clone(), count(&table))).collect()
}
