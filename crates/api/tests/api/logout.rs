//! Signing out: here and everywhere.

use crate::support::{Database, ONE_SECOND, TestApp, forge, on_both_databases};
use auth_types::Reason;
use serde_json::{Value, json};

on_both_databases![
    signing_out_ends_the_session_at_once,
    signing_out_twice_succeeds,
    an_older_generation_signs_out_too,
    a_token_of_a_deleted_session_signs_out_too,
    a_token_that_we_did_not_issue_is_refused,
    signing_out_leaves_other_sessions_alone,
    signing_out_everywhere_returns_the_number_of_ended_sessions,
    signing_out_everywhere_ends_only_the_callers_sessions,
];

const ADA: &str = "ada@example.com";
const EVE: &str = "eve@example.com";

async fn start(database: Database) -> TestApp {
    TestApp::builder(database).user(ADA).user(EVE).start().await
}

async fn signing_out_ends_the_session_at_once(database: Database) {
    let app = start(database).await;
    let tokens = app.login(ADA).await;
    let response = app.logout(&tokens).await;
    response.has_status(200);
    assert_eq!(response.json::<Value>(), json!({}));

    app.me(&tokens).await.unauthorized(Reason::SessionRevoked);
    app.refresh(&tokens).await.unauthorized(Reason::SessionRevoked);
    app.verify(&tokens.access).await.unauthorized(Reason::SessionRevoked);
    app.verify(&tokens.refresh).await.unauthorized(Reason::SessionRevoked);
    app.logout_all(&tokens).await.unauthorized(Reason::SessionRevoked);
    assert_eq!(app.db().value("SELECT revoke_reason FROM sessions").as_deref(), Some("logout"));
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE kind = 'logged_out'"), 1);
}

async fn signing_out_twice_succeeds(database: Database) {
    let app = start(database).await;
    let tokens = app.login(ADA).await;
    app.logout(&tokens).await.done();
    let before = app.db().content();
    app.clock().advance(ONE_SECOND);
    app.logout(&tokens).await.has_status(200);
    assert_eq!(app.db().content(), before, "the time and the reason of the revocation stay");
}

async fn an_older_generation_signs_out_too(database: Database) {
    let app = start(database).await;
    let first = app.login(ADA).await;
    let second = app.refresh(&first).await.tokens();
    app.clock().advance(app.settings().lifetimes.leeway * 2);

    app.logout(&first).await.has_status(200);
    app.refresh(&second).await.unauthorized(Reason::SessionRevoked);
    app.me(&second).await.unauthorized(Reason::SessionRevoked);
}

async fn a_token_of_a_deleted_session_signs_out_too(database: Database) {
    let app = start(database).await;
    let tokens = app.login(ADA).await;
    app.db().execute("DELETE FROM sessions");
    app.logout(&tokens).await.has_status(200);
}

async fn a_token_that_we_did_not_issue_is_refused(database: Database) {
    let app = start(database).await;
    let tokens = app.login(ADA).await;
    let forged = forge::sign(forge::HEADER, forge::claims(&tokens.refresh).to_string(), "another key");
    for token in ["", "rubbish", &forged, &tokens.access] {
        app.logout(token).await.unauthorized(Reason::TokenMalformed);
    }
    app.me(&tokens).await.done();
}

async fn signing_out_leaves_other_sessions_alone(database: Database) {
    let app = start(database).await;
    let (laptop, phone, eve) = (app.login(ADA).await, app.login(ADA).await, app.login(EVE).await);
    app.logout(&laptop).await.done();
    for tokens in [&phone, &eve] {
        app.me(tokens).await.done();
        app.refresh(tokens).await.tokens();
    }
}

async fn signing_out_everywhere_returns_the_number_of_ended_sessions(database: Database) {
    let app = start(database).await;
    let old = app.login(ADA).await;
    app.clock().advance(app.settings().lifetimes.refresh); // `old` expires
    let (laptop, phone, ended) = (app.login(ADA).await, app.login(ADA).await, app.login(ADA).await);
    app.logout(&ended).await.done();

    let response = app.logout_all(&laptop).await;
    response.has_status(200);
    assert_eq!(response.json::<Value>(), json!({"revoked": 2}));
    for tokens in [&laptop, &phone] {
        app.me(tokens).await.unauthorized(Reason::SessionRevoked);
        app.refresh(tokens).await.unauthorized(Reason::SessionRevoked);
    }
    app.refresh(&old).await.unauthorized(Reason::SessionExpired);
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE kind = 'logged_out_everywhere'"), 1);
}

async fn signing_out_everywhere_ends_only_the_callers_sessions(database: Database) {
    let app = start(database).await;
    let (ada, eve) = (app.login(ADA).await, app.login(EVE).await);
    app.logout_all(&ada).await.done();
    app.me(&eve).await.done();
    app.refresh(&eve).await.tokens();
    app.me(&app.login(ADA).await).await.done();
}
