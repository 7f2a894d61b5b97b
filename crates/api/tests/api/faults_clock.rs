//! Clocks that differ, and clocks that jump.

use crate::support::{Database, ManualClock, PASSWORD, TestApp, TestDb, TestResponse, forge, on_both_databases, send};
use api::clock::Clock;
use auth_types::Reason;
use auth_types::responses::TokenResponse;
use chrono::Duration;
use reqwest::Method;
use serde_json::json;
use std::sync::Arc;

on_both_databases![
    ending_all_sessions_includes_those_that_have_expired_by_a_clock_ahead,
    two_processes_whose_clocks_differ_by_half_a_minute_accept_each_others_tokens,
    a_clock_that_jumps_causes_no_failures_and_loses_nothing,
    a_valid_token_from_the_future_is_refused_temporarily,
    a_token_from_the_future_signs_its_user_out,
    a_clock_that_is_set_back_does_not_lengthen_the_leeway,
    a_feed_that_was_read_by_a_clock_ahead_is_not_taken_for_fresh,
    mail_that_a_clock_ahead_has_written_or_postponed_is_sent_at_once,
    mail_that_a_clock_slightly_ahead_has_written_is_sent_at_once,
    mail_sent_by_a_clock_ahead_does_not_use_up_the_limit_of_an_address,
];

const ADA: &str = "ada@example.com";

async fn two_processes_whose_clocks_differ_by_half_a_minute_accept_each_others_tokens(database: Database) {
    for seconds in [-30, 30] {
        let db = Arc::new(TestDb::migrated(database));
        let a = TestApp::builder_on(Arc::clone(&db)).user(ADA).start().await;
        let other_clock = Arc::new(ManualClock::new());
        other_clock.advance(Duration::seconds(seconds));
        let b = TestApp::builder_on(db).clock(&other_clock).start().await;
        let mut tokens = a.login(ADA).await;
        for process in [&b, &a, &b, &a] {
            process.verify(&tokens.access).await.done();
            process.me(&tokens).await.done();
            tokens = process.refresh(&tokens).await.tokens();
        }
        b.logout(&tokens).await.done();
        a.poll_revocations().await;
        a.verify(&tokens.access).await.unauthorized(Reason::SessionRevoked);
        a.refresh(&tokens).await.unauthorized(Reason::SessionRevoked);
    }
}

/// Sends every request that takes tokens; each is served, or refused with a 401 or a 503.
async fn ask_everything(app: &TestApp, tokens: &TokenResponse) -> Vec<TestResponse> {
    let responses = vec![
        app.me(tokens).await,
        app.verify(&tokens.access).await,
        app.sessions(tokens).await,
        app.verify(&tokens.refresh).await,
        app.get("/healthz").await,
        app.get("/api/auth/config/").await,
    ];
    for response in &responses {
        assert!(matches!(response.status.as_u16(), 200 | 401 | 503), "{} {}", response.status, response.text());
    }
    responses
}

async fn a_clock_that_jumps_causes_no_failures_and_loses_nothing(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    let start = app.clock().now();
    for jump in [Duration::hours(-1), Duration::days(8), Duration::days(-400), Duration::days(40_000)] {
        app.clock().set(start + jump);
        app.poll_revocations().await;
        ask_everything(&app, &tokens).await;
        // A session that is opened now lives by this clock.
        let now = app.login(ADA).await;
        app.me(&now).await.done();
        app.clock().set(start);
        app.poll_revocations().await;
        ask_everything(&app, &now).await;
    }
    // Back in time, nothing has been lost.
    app.me(&tokens).await.done();
    app.refresh(&tokens).await.tokens();
    app.login(ADA).await;
}

async fn a_valid_token_from_the_future_is_refused_temporarily(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    let now = app.clock().now();
    for seconds in [62, 100, 3_600] {
        app.clock().set(now - Duration::seconds(seconds));
        for response in [
            app.refresh(&tokens).await,
            app.refresh_with_key(&tokens, "one").await,
            app.verify(&tokens.refresh).await,
            app.verify(&tokens.access).await,
            app.me(&tokens).await,
        ] {
            response.problem_of(503, Reason::Unavailable);
        }
    }
    let nbf = forge::sign_claims(&forge::claims_with(&tokens.refresh, "nbf", json!(tokens.server_time + 61)));
    app.clock().set(now);
    app.refresh(&nbf).await.problem_of(503, Reason::Unavailable);
    // A token with a foreign signature says nothing about the clock.
    let claims = forge::claims_with(&tokens.refresh, "iat", json!(tokens.server_time + 100)).to_string();
    let foreign = forge::sign(r#"{"alg":"HS256","typ":"JWT"}"#, claims, "another key");
    app.refresh(&foreign).await.unauthorized(Reason::TokenMalformed);
    app.refresh(&tokens).await.tokens();
}

async fn a_token_from_the_future_signs_its_user_out(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    app.clock().advance(Duration::seconds(-100));
    app.logout(&tokens).await.done();
    app.clock().advance(Duration::seconds(100));
    app.refresh(&tokens).await.unauthorized(Reason::SessionRevoked);
}

async fn a_clock_that_is_set_back_does_not_lengthen_the_leeway(database: Database) {
    for back in [1, 50] {
        let app = TestApp::builder(database).user(ADA).start().await;
        let first = app.login(ADA).await;
        app.clock().advance(Duration::seconds(60));
        app.refresh(&first).await.tokens();
        app.clock().advance(Duration::seconds(-back));
        app.refresh(&first).await.unauthorized(Reason::RefreshReused);
    }
}

async fn ask_for_reset(app: &TestApp) {
    let request = app.request(Method::POST, "/api/auth/password/reset/").header("X-Forwarded-For", "198.51.100.7");
    send(request.json(&json!({"email": ADA}))).await.has_status(202);
}

async fn mail_that_a_clock_ahead_has_written_or_postponed_is_sent_at_once(database: Database) {
    for ahead in [Duration::hours(2), Duration::days(1), Duration::days(2 * 365)] {
        let app = TestApp::builder(database).user(ADA).start().await;
        app.clock().advance(ahead);
        ask_for_reset(&app).await;
        app.clock().advance(-ahead);
        assert_eq!(app.deliver_mail().await.len(), 1, "written {ahead} ahead");

        // A process took it, and postponed it or died.
        ask_for_reset(&app).await;
        let due = format!("'{}'", (app.clock().now() + ahead).format("%Y-%m-%d %H:%M:%S%.6f"));
        app.db().execute(&format!("UPDATE mail_outbox SET attempts = 1, turn_at = {due}, due_at = {due}"));
        assert_eq!(app.deliver_mail().await.len(), 1, "postponed {ahead} ahead");

        // The longest pause is an hour.
        ask_for_reset(&app).await;
        let due = app.clock().now() + Duration::hours(1);
        let due = format!("'{}'", due.format("%Y-%m-%d %H:%M:%S%.6f"));
        app.db().execute(&format!("UPDATE mail_outbox SET attempts = 1, due_at = {due}"));
        assert_eq!(app.deliver_mail().await.len(), 0);
    }
}

async fn mail_that_a_clock_slightly_ahead_has_written_is_sent_at_once(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    for ahead in [Duration::seconds(30), Duration::minutes(30), Duration::minutes(64)] {
        app.clock().advance(ahead);
        ask_for_reset(&app).await;
        app.clock().advance(-ahead);
        assert_eq!(app.deliver_mail().await.len(), 1, "written {ahead} ahead");
    }
}

async fn mail_sent_by_a_clock_ahead_does_not_use_up_the_limit_of_an_address(database: Database) {
    let app = TestApp::builder(database).user(ADA).limited().start().await;
    let ahead = Duration::days(30);
    app.clock().advance(ahead);
    for _ in 0..5 {
        ask_for_reset(&app).await;
        assert_eq!(app.deliver_mail().await.len(), 1);
    }
    // An unsent mail of the same client has a turn in the future.
    ask_for_reset(&app).await;
    app.clock().advance(-ahead);
    ask_for_reset(&app).await;
    let before = "SELECT id FROM mail_outbox ORDER BY turn_at LIMIT 1";
    let newest = app.db().number("SELECT max(id) FROM mail_outbox");
    assert_eq!(app.db().number(before), newest, "its turn is now, not behind that one's");
    assert!(!app.deliver_mail().await.is_empty());
}

async fn a_feed_that_was_read_by_a_clock_ahead_is_not_taken_for_fresh(database: Database) {
    let app = TestApp::builder(database).start().await;
    app.clock().advance(Duration::hours(3));
    app.poll_revocations().await;
    app.clock().advance(Duration::hours(-3));
    assert!(app.get("/readyz").await.text().contains("older than 10 s"));
    app.poll_revocations().await;
    assert!(!app.get("/readyz").await.text().contains("older than 10 s"));
}

/// The owner changes or resets the password, or signs out everywhere, while the clock is ahead. The session of a thief, which
/// has expired by that clock, must not become valid again when the clock is right.
async fn ending_all_sessions_includes_those_that_have_expired_by_a_clock_ahead(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    let start = app.clock().now();
    let mut password = PASSWORD;
    for step in ["logout all", "change", "reset"] {
        app.clock().set(start);
        let stolen = app.sign_in(ADA, password).await.tokens();
        app.clock().set(start + app.settings().lifetimes.refresh + Duration::days(1));
        let own = app.sign_in(ADA, password).await.tokens();
        match step {
            "logout all" => {
                let response = app.logout_all(&own).await;
                assert_eq!(response.json::<serde_json::Value>(), json!({"revoked": 1}), "one was live by this clock");
            }
            "change" => {
                let new = json!({"current_password": password, "new_password": "amber lighthouse window 17"});
                let change = app.request_as(&own, Method::POST, "/api/auth/password/change/");
                send(change.json(&new)).await.done();
                app.deliver_mail().await; // the notice
                password = "amber lighthouse window 17";
            }
            _ => {
                app.post("/api/auth/password/reset/", &json!({"email": ADA})).await.has_status(202);
                let token = app.deliver_one_mail().await.token();
                let new = json!({"token": token, "new_password": PASSWORD});
                app.post("/api/auth/password/reset/confirm/", &new).await.done();
            }
        }
        app.clock().set(start);
        app.refresh(&stolen).await.unauthorized(Reason::SessionRevoked);
    }
}
