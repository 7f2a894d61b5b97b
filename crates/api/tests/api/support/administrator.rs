//! An administrator who is signed in.

use super::{Database, TestApp};
use auth_types::responses::TokenResponse;

pub const ADA: &str = "ada@example.com";

/// An API and a signed-in administrator, for the endpoints that require one.
pub async fn start(database: Database) -> (TestApp, TokenResponse) {
    let app = TestApp::builder(database).with_features().administrator(ADA).start().await;
    let tokens = app.login(ADA).await;
    (app, tokens)
}
