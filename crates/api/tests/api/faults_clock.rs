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
    what_ends_all_sessions_ends_those_that_a_clock_ahead_takes_for_expired,
    two_processes_whose_clocks_differ_by_half_a_minute_take_each_others_tokens,
    a_clock_that_jumps_gives_clean_answers_and_loses_nothing,
    a_token_of_ours_from_the_future_is_no_final_refusal,
    whoever_signs_out_with_a_token_from_the_future_is_signed_out,
    a_clock_that_is_set_back_does_not_lengthen_the_leeway,
    a_feed_that_was_read_by_a_clock_ahead_is_not_taken_for_fresh,
    mail_that_a_clock_ahead_has_written_or_postponed_leaves_at_once,
    what_a_clock_ahead_has_sent_does_not_use_up_an_address,
];

const ADA: &str = "ada@example.com";

async fn two_processes_whose_clocks_differ_by_half_a_minute_take_each_others_tokens(database: Database) {
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
            tokens = process.refresh(&tokens).await.ok();
        }
        b.logout(&tokens).await.done();
        a.poll_revocations().await;
        a.verify(&tokens.access).await.refused(Reason::SessionRevoked);
        a.refresh(&tokens).await.refused(Reason::SessionRevoked);
    }
}

/// Asks whatever can be asked with tokens, and none of it is the server's fault.
async fn ask_everything(app: &TestApp, tokens: &TokenResponse) -> Vec<TestResponse> {
    let answers = vec![
        app.me(tokens).await,
        app.verify(&tokens.access).await,
        app.sessions(tokens).await,
        app.verify(&tokens.refresh).await,
        app.get("/healthz").await,
        app.get("/api/auth/config/").await,
    ];
    for answer in &answers {
        assert!(matches!(answer.status.as_u16(), 200 | 401 | 503), "{} {}", answer.status, answer.text());
    }
    answers
}

async fn a_clock_that_jumps_gives_clean_answers_and_loses_nothing(database: Database) {
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
    app.refresh(&tokens).await.ok();
    app.login(ADA).await;
}

async fn a_token_of_ours_from_the_future_is_no_final_refusal(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    let now = app.clock().now();
    for seconds in [62, 100, 3_600] {
        app.clock().set(now - Duration::seconds(seconds));
        for answer in [
            app.refresh(&tokens).await,
            app.refresh_with_key(&tokens, "one").await,
            app.verify(&tokens.refresh).await,
            app.verify(&tokens.access).await,
            app.me(&tokens).await,
        ] {
            answer.failed(503, Reason::Unavailable);
        }
    }
    let nbf = forge::sign_claims(&forge::claims_with(&tokens.refresh, "nbf", json!(tokens.server_time + 61)));
    app.clock().set(now);
    app.refresh(&nbf).await.failed(503, Reason::Unavailable);
    // Somebody else's token says nothing about our clock.
    let claims = forge::claims_with(&tokens.refresh, "iat", json!(tokens.server_time + 100)).to_string();
    let foreign = forge::sign(r#"{"alg":"HS256","typ":"JWT"}"#, claims, "another key");
    app.refresh(&foreign).await.refused(Reason::TokenMalformed);
    app.refresh(&tokens).await.ok();
}

async fn whoever_signs_out_with_a_token_from_the_future_is_signed_out(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    app.clock().advance(Duration::seconds(-100));
    app.logout(&tokens).await.done();
    app.clock().advance(Duration::seconds(100));
    app.refresh(&tokens).await.refused(Reason::SessionRevoked);
}

async fn a_clock_that_is_set_back_does_not_lengthen_the_leeway(database: Database) {
    for back in [1, 50] {
        let app = TestApp::builder(database).user(ADA).start().await;
        let first = app.login(ADA).await;
        app.clock().advance(Duration::seconds(60));
        app.refresh(&first).await.ok();
        app.clock().advance(Duration::seconds(-back));
        app.refresh(&first).await.refused(Reason::RefreshReused);
    }
}

async fn ask_for_reset(app: &TestApp) {
    let request = app.request(Method::POST, "/api/auth/password/reset/").header("X-Forwarded-For", "198.51.100.7");
    send(request.json(&json!({"email": ADA}))).await.has_status(202);
}

async fn mail_that_a_clock_ahead_has_written_or_postponed_leaves_at_once(database: Database) {
    for ahead in [Duration::hours(2), Duration::days(1), Duration::days(2 * 365)] {
        let app = TestApp::builder(database).user(ADA).start().await;
        app.clock().advance(ahead);
        ask_for_reset(&app).await;
        app.clock().advance(-ahead);
        assert_eq!(app.deliver_mail().await.len(), 1, "written {ahead} ahead");

        // A process took it, put it off or died with it.
        ask_for_reset(&app).await;
        let due = format!("'{}'", (app.clock().now() + ahead).format("%Y-%m-%d %H:%M:%S%.6f"));
        app.db().execute(&format!("UPDATE mail_outbox SET attempts = 1, turn_at = {due}, due_at = {due}"));
        assert_eq!(app.deliver_mail().await.len(), 1, "postponed {ahead} ahead");

        // An hour is what the longest pause is.
        ask_for_reset(&app).await;
        let due = app.clock().now() + Duration::hours(1);
        let due = format!("'{}'", due.format("%Y-%m-%d %H:%M:%S%.6f"));
        app.db().execute(&format!("UPDATE mail_outbox SET attempts = 1, due_at = {due}"));
        assert_eq!(app.deliver_mail().await.len(), 0);
    }
}

async fn what_a_clock_ahead_has_sent_does_not_use_up_an_address(database: Database) {
    let app = TestApp::builder(database).user(ADA).limited().start().await;
    let ahead = Duration::days(30);
    app.clock().advance(ahead);
    for _ in 0..5 {
        ask_for_reset(&app).await;
        assert_eq!(app.deliver_mail().await.len(), 1);
    }
    // A mail of the same client that has not left has a turn ahead of all others.
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

/// The owner's password is changed, reset, or they sign out everywhere while the clock is ahead; a thief's session, which is
/// over by that clock, must not be back when it is right again.
async fn what_ends_all_sessions_ends_those_that_a_clock_ahead_takes_for_expired(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    let start = app.clock().now();
    let mut password = PASSWORD;
    for step in ["logout all", "change", "reset"] {
        app.clock().set(start);
        let stolen = app.sign_in(ADA, password).await.ok();
        app.clock().set(start + app.settings().lifetimes.refresh + Duration::days(1));
        let own = app.sign_in(ADA, password).await.ok();
        match step {
            "logout all" => {
                let answer = app.logout_all(&own).await;
                assert_eq!(answer.json::<serde_json::Value>(), json!({"revoked": 1}), "one was live by this clock");
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
        app.refresh(&stolen).await.refused(Reason::SessionRevoked);
    }
}
