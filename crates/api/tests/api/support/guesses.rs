//! An account whose password is guessed, with the rate limits on.

use super::{Database, TestApp};
use auth_types::{Reason, Role};

pub const ADA: &str = "ada@example.com";
pub const WRONG: &str = "violet harbor lantern 43";
pub const OWNER: &str = "198.51.100.1";
pub const UNKNOWN_NETWORK: &str = "203.0.113.9";

pub async fn start(database: Database) -> TestApp {
    TestApp::builder(database).account(ADA, Some("countess"), Role::User).limited().start().await
}

/// Guesses, each from another address, so that only the name counts.
pub async fn guess(app: &TestApp, name: &str, times: u8) {
    for number in 0..times {
        app.sign_in_from(&format!("203.0.113.{number}"), name, WRONG).await.unauthorized(Reason::CredentialsWrong);
    }
}
