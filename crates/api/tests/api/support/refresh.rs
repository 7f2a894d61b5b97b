//! A user whose session is refreshed.

use super::{Database, ONE_SECOND, TestApp, forge};
use auth_types::responses::TokenResponse;

pub const ADA: &str = "ada@example.com";

pub async fn signed_in(database: Database) -> (TestApp, TokenResponse) {
    signed_in_with(database, &[]).await
}

pub async fn signed_in_with(database: Database, variables: &[(&str, &str)]) -> (TestApp, TokenResponse) {
    let builder = TestApp::builder(database).user(ADA);
    let builder = variables.iter().fold(builder, |builder, (name, value)| builder.set(name, *value));
    let app = builder.start().await;
    let tokens = app.login(ADA).await;
    (app, tokens)
}

pub fn generation(tokens: &TokenResponse) -> i64 {
    forge::claims(&tokens.refresh)["gen"].as_i64().unwrap()
}

pub fn stored_generation(app: &TestApp) -> i64 {
    app.db().number("SELECT generation FROM sessions")
}

pub fn advance_past_the_leeway(app: &TestApp) {
    app.clock().advance(app.settings().lifetimes.leeway + ONE_SECOND);
}
