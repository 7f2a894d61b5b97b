//! Clocks that differ, and clocks that jump.

use crate::support::{Answer, Database, ManualClock, TestApp, TestDb, on_both_databases};
use api::clock::Clock;
use auth_types::Reason;
use auth_types::responses::TokenResponse;
use chrono::Duration;
use std::sync::Arc;

on_both_databases![
    two_processes_whose_clocks_differ_by_half_a_minute_take_each_others_tokens,
    a_clock_that_jumps_gives_clean_answers_and_loses_nothing,
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
async fn ask_everything(app: &TestApp, tokens: &TokenResponse) -> Vec<Answer> {
    let answers = vec![
        app.me(tokens).await,
        app.verify(&tokens.access).await,
        app.sessions(tokens).await,
        app.verify(&tokens.refresh).await,
        app.get("/healthz").await,
        app.get("/api/auth/config/").await,
    ];
    for answer in &answers {
        assert!(matches!(answer.status.as_u16(), 200 | 401), "{} {}", answer.status, answer.text());
    }
    app.get("/readyz").await.has_status(503); // the clock differs from the database's
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
