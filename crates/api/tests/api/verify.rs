//! Verifying tokens.

use crate::support::{Database, Proxy, TestApp, TestDb, on_both_databases};
use auth_types::Reason;
use serde_json::{Value, json};
use std::sync::Arc;

on_both_databases![
    valid_tokens_of_both_types_are_verified,
    a_superseded_refresh_token_looks_like_a_revoked_one_and_nothing_changes
];

const ADA: &str = "ada@example.com";

async fn valid_tokens_of_both_types_are_verified(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    let before = app.db().content();
    for token in [&tokens.access, &tokens.refresh] {
        let response = app.verify(token).await;
        response.has_status(200);
        assert_eq!(response.json::<Value>(), json!({}));
    }
    assert_eq!(app.db().content(), before);
}

async fn a_superseded_refresh_token_looks_like_a_revoked_one_and_nothing_changes(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    let first = app.login(ADA).await;
    let second = app.refresh(&first).await.tokens();
    let before = app.db().content();
    app.verify(&first.refresh).await.unauthorized(Reason::SessionRevoked);
    app.clock().advance(app.settings().lifetimes.leeway * 2);
    app.verify(&first.refresh).await.unauthorized(Reason::SessionRevoked);
    assert_eq!(app.db().content(), before, "verifying is not using");
    app.refresh(&second).await.tokens();
}

#[actix_web::test]
async fn an_access_token_is_verified_without_the_database() {
    let db = Arc::new(TestDb::migrated(Database::Postgres));
    let proxy = Proxy::before(db.server_address());
    let builder = TestApp::builder_on(Arc::clone(&db)).set("DATABASE_URL", db.url_through(proxy.address()));
    let app = builder.user(ADA).start().await;
    let tokens = app.login(ADA).await;
    proxy.cut();
    app.verify(&tokens.access).await.has_status(200);
    app.verify(&tokens.refresh).await.problem_of(503, Reason::Unavailable);
    app.get("/healthz").await.has_status(200);
}
