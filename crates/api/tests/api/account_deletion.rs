//! Deleting an account: all personal data is removed, and the tokens of the account are no longer valid.

use crate::support::deletion::{ADA, EVE, ada, assert_erased, delete, rows_of, start};
use crate::support::{Browser, Database, Mail, ONE_SECOND, PASSWORD, TestApp, on_both_databases, send};
use api::clock::Clock;
use api::service::upkeep::erasures::finish_recent;
use api::service::upkeep::prune::prune;
use auth_types::Reason;
use auth_types::responses::CookieTokenResponse;
use chrono::Duration;
use reqwest::Method;
use serde_json::json;
use std::sync::Arc;

on_both_databases![
    a_deleted_account_frees_its_names_at_once,
    no_personal_data_remains,
    only_revoked_sessions_still_refer_to_the_user,
    the_address_gets_a_last_mail_and_none_that_was_queued,
    a_wrong_password_is_named_and_recorded_and_deletes_nothing,
    a_revoked_session_deletes_nothing,
    other_processes_refuse_the_tokens_after_the_next_poll,
    the_remaining_rows_are_deleted_after_a_week,
    a_large_account_is_disabled_at_once_and_erased_in_batches,
    other_users_are_not_affected_by_a_deletion,
];

async fn a_deleted_account_frees_its_names_at_once(database: Database) {
    let (app, tokens) = start(database).await;
    let other = app.login(ADA).await;
    let response = delete(&app, &tokens, PASSWORD).await;
    response.has_status(204);
    assert!(response.body.is_empty());

    for tokens in [&tokens, &other] {
        app.me(tokens).await.unauthorized(Reason::SessionRevoked);
        app.verify(&tokens.access).await.unauthorized(Reason::SessionRevoked);
        app.refresh(tokens).await.unauthorized(Reason::SessionRevoked);
    }
    app.sign_in(ADA, PASSWORD).await.unauthorized(Reason::CredentialsWrong);
    app.sign_in("marker-countess", PASSWORD).await.unauthorized(Reason::CredentialsWrong);

    let again = app.register(&ada()).await.created();
    assert_ne!(again.user.id, tokens.user.id);
    app.me(&again).await.done();
}

async fn no_personal_data_remains(database: Database) {
    let (app, tokens) = start(database).await;
    app.db().execute("UPDATE users SET avatar_key = 'marker-picture.webp'");
    app.db().execute("DELETE FROM auth_events WHERE user_id IS NULL");
    delete(&app, &tokens, PASSWORD).await.done();
    // The last mail holds the address until it has been sent.
    app.deliver_mail().await;
    assert_erased(app.db());

    let event = "kind = 'account_deleted' AND user_id IS NULL AND ip_address IS NULL AND user_agent IS NULL";
    let detail = app.db().value(&format!("SELECT detail FROM auth_events WHERE {event}"));
    assert_eq!(detail.unwrap(), json!({"user": tokens.user.id}).to_string());
}

/// A new table with a `user_id` column fails this test until the deletion covers it.
async fn only_revoked_sessions_still_refer_to_the_user(database: Database) {
    let (app, tokens) = start(database).await;
    let (db, user) = (app.db(), tokens.user.id);
    let empty: Vec<_> = rows_of(db, user).into_iter().filter(|(_, rows)| *rows == 0).collect();
    assert_eq!(empty, [], "the test has rows in every table");
    delete(&app, &tokens, PASSWORD).await.done();
    let left: Vec<_> = rows_of(db, user).into_iter().filter(|(_, rows)| *rows > 0).map(|(table, _)| table).collect();
    assert_eq!(left, ["sessions"]);
    let left =
        "ip_address IS NOT NULL OR user_agent IS NOT NULL OR rotation_key_hash IS NOT NULL OR revoked_at IS NULL";
    assert_eq!(db.number(&format!("SELECT count(*) FROM sessions WHERE {left}")), 0);
}

async fn the_address_gets_a_last_mail_and_none_that_was_queued(database: Database) {
    let (app, tokens) = start(database).await;
    delete(&app, &tokens, PASSWORD).await.done();
    let Mail { to, subject, text, html, .. } = app.deliver_one_mail().await;
    assert_eq!((to.as_str(), subject.as_str()), (ADA, "Your account was deleted"));
    for body in [text, html] {
        assert!(body.contains("127.0.0.1:8080 was deleted") && body.contains("change it everywhere else"), "{body}");
        assert!(!body.contains("#token="), "{body}");
    }
}

async fn a_wrong_password_is_named_and_recorded_and_deletes_nothing(database: Database) {
    let (app, tokens) = start(database).await;
    delete(&app, &tokens, "violet harbor lantern 43").await.invalid_fields(&["password"]);
    delete(&app, &tokens, "").await.invalid_fields(&["password"]);
    let none = app.request_as(&tokens, Method::DELETE, "/api/auth/me/").json(&json!({}));
    send(none).await.invalid_fields(&["password"]);
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE kind = 'reauthentication_failed'"), 1);
    app.me(&tokens).await.done();
    app.login(ADA).await;
}

async fn a_revoked_session_deletes_nothing(database: Database) {
    let (app, tokens) = start(database).await;
    // Revoked by another process, and not polled here yet.
    app.db().execute("UPDATE sessions SET revoked_at = created_at, revoke_reason = 'logout'");
    delete(&app, &tokens, PASSWORD).await.unauthorized(Reason::SessionRevoked);
    app.login(ADA).await;
}

async fn other_processes_refuse_the_tokens_after_the_next_poll(database: Database) {
    let (app, tokens) = start(database).await;
    let other = TestApp::builder_on(Arc::clone(app.db())).clock(app.clock()).start().await;
    other.verify(&tokens.access).await.done();
    delete(&app, &tokens, PASSWORD).await.done();
    // Routes that ask the database refuse at once.
    other.me(&tokens).await.unauthorized(Reason::SessionRevoked);
    other.refresh(&tokens).await.unauthorized(Reason::SessionRevoked);

    app.clock().advance(ONE_SECOND);
    other.poll_revocations().await;
    other.verify(&tokens.access).await.unauthorized(Reason::SessionRevoked);
    let late = TestApp::builder_on(Arc::clone(app.db())).clock(app.clock()).start().await;
    late.verify(&tokens.access).await.unauthorized(Reason::SessionRevoked);
}

async fn the_remaining_rows_are_deleted_after_a_week(database: Database) {
    let (app, tokens) = start(database).await;
    delete(&app, &tokens, PASSWORD).await.done();
    let rows = || app.db().number("SELECT count(*) FROM users");
    app.clock().advance(Duration::days(7));
    prune(app.services()).await.unwrap();
    assert_eq!(rows(), 2);
    app.clock().advance(ONE_SECOND);
    prune(app.services()).await.unwrap();
    assert_eq!(rows(), 1);
    assert_eq!(app.db().number("SELECT count(*) FROM sessions"), 0);
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE kind = 'account_deleted'"), 1);
    app.login(EVE).await;
}

/// The request does a bounded part of the work, whatever the size of the account. If the process ends in between, a job
/// finishes the rest from what the database holds.
async fn a_large_account_is_disabled_at_once_and_erased_in_batches(database: Database) {
    for hourly in [false, true] {
        let (app, tokens) = start(database).await;
        let (user, db) = (tokens.user.id, app.db());
        db.add_events(Some(user), app.clock().now(), 30_000);
        db.add_sessions(user, app.clock().now(), 6_000);
        let eve = app.login(EVE).await;
        let events = || db.number(&format!("SELECT count(*) FROM auth_events WHERE user_id = {user}"));
        let before = events();
        delete(&app, &tokens, PASSWORD).await.has_status(204);
        assert_eq!(before - events(), 1_000, "one batch goes with the account");
        app.me(&tokens).await.unauthorized(Reason::SessionRevoked);
        assert_eq!(db.number("SELECT count(*) FROM sessions WHERE user_id <> 1 AND revoked_at IS NULL"), 0);
        app.register(&ada()).await.created();

        if hourly {
            app.clock().advance(Duration::days(3));
            prune(app.services()).await.unwrap();
        } else {
            finish_recent(app.services()).await.unwrap();
        }
        assert_eq!(events(), 0);
        let identifying = "ip_address IS NOT NULL OR user_agent IS NOT NULL OR rotation_key_hash IS NOT NULL";
        assert_eq!(db.number(&format!("SELECT count(*) FROM sessions WHERE user_id = {user} AND ({identifying})")), 0);
        assert_eq!(db.number(&format!("SELECT count(*) FROM auth_events WHERE user_id = {}", eve.user.id)), 1);
    }
}

async fn other_users_are_not_affected_by_a_deletion(database: Database) {
    let (app, tokens) = start(database).await;
    let eve = app.login(EVE).await;
    app.post("/api/auth/password/reset/", &json!({"email": EVE})).await.done();
    let rows = || rows_of(app.db(), eve.user.id);
    let before = rows();
    delete(&app, &tokens, PASSWORD).await.done();
    assert_eq!(rows(), before);
    app.refresh(&eve).await.tokens();
}

#[actix_web::test]
async fn a_deletion_clears_the_cookies() {
    let app = TestApp::builder(Database::Sqlite).set("TOKEN_TRANSPORT", "cookie").user(ADA).start().await;
    let mut browser = Browser::default();
    let login: CookieTokenResponse = browser.login(&app, ADA).await.json();
    let request = app.request(Method::DELETE, "/api/auth/me/").bearer_auth(&login.access);
    let wrong = send(request.try_clone().unwrap().json(&json!({"password": "wrong"}))).await;
    assert_eq!(wrong.header("set-cookie"), "");
    let response = send(request.json(&json!({"password": PASSWORD}))).await;
    response.has_status(204);
    browser.keep(&response);
    assert!(browser.is_empty(), "{browser:?}");
}

/// A stolen access token must not be a way to guess passwords.
#[actix_web::test]
async fn ten_wrong_passwords_end_the_attempts_at_deletion_for_a_while() {
    let app = TestApp::builder(Database::Sqlite).set("RATE_LIMITS", "on").user(ADA).start().await;
    let tokens = app.login(ADA).await;
    for _ in 0..10 {
        delete(&app, &tokens, "violet harbor lantern 43").await.invalid_fields(&["password"]);
    }
    delete(&app, &tokens, PASSWORD).await.problem_of(429, Reason::RateLimited);
    app.clock().advance(Duration::minutes(15));
    delete(&app, &tokens, PASSWORD).await.has_status(204);
}
