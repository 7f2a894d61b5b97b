//! Trading refresh tokens: the answer table of the contract, row by row.

use crate::support::{Database, TestApp, on_both_databases};
use auth_types::Reason;
use chrono::Duration;

on_both_databases![a_reused_refresh_token_ends_the_session];

async fn a_reused_refresh_token_ends_the_session(database: Database) {
    let app = TestApp::builder(database).user("ada@example.com").start().await;
    let first = app.login("ada@example.com").await;
    let second = app.refresh(&first).await.ok();
    app.clock().advance(app.settings().lifetimes.leeway + Duration::seconds(1));

    app.refresh(&first).await.refused(Reason::RefreshReused);
    app.refresh(&second).await.refused(Reason::SessionRevoked);
    app.me(&second).await.refused(Reason::SessionRevoked);
}
