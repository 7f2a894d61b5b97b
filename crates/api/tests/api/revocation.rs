//! The revocation feed: access tokens are refused everywhere, with no database work per request.

use crate::support::deletion::delete;
use crate::support::{
    Database, ManualClock, ONE_SECOND, PASSWORD, TestApp, TestDb, eventually, forge, on_both_databases,
};
use api::app::{App, Product};
use api::clock::Clock;
use api::service::sessions::revocation_poll::record_own_lifetime;
use api::service::upkeep::prune::prune;
use api::service::upkeep::start::start;
use api::store::AnyConnection;
use auth_types::responses::TokenResponse;
use auth_types::{Reason, SessionId};
use chrono::Duration;
use diesel::connection::SimpleConnection;
use std::sync::Arc;

on_both_databases![
    a_process_knows_its_own_revocations_at_once,
    revocations_of_another_process_arrive_with_the_next_poll,
    a_revocation_that_is_older_than_the_last_poll_is_still_found,
    a_starting_process_knows_earlier_revocations,
    a_revocation_is_forgotten_once_its_tokens_have_expired,
    a_clock_that_jumps_forgets_no_revocation_too_early,
    a_revocation_outlasts_a_lower_lifetime,
    a_process_with_a_lower_lifetime_remembers_the_tokens_of_another,
    a_revoked_session_is_kept_as_long_as_its_access_tokens,
    the_lifetime_of_access_tokens_is_recorded_at_the_start_and_by_a_job,
];

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";

/// Two processes on one database and one clock, and a signed-in user.
async fn two_processes(database: Database) -> (TestApp, TestApp, TokenResponse) {
    let db = Arc::new(TestDb::migrated(database));
    let a = TestApp::builder_on(Arc::clone(&db)).user(ADA).start().await;
    let b = TestApp::builder_on(db).clock(a.clock()).start().await;
    let tokens = a.login(ADA).await;
    (a, b, tokens)
}

async fn a_process_knows_its_own_revocations_at_once(database: Database) {
    let (a, _, tokens) = two_processes(database).await;
    a.logout(&tokens).await.done();
    a.verify(&tokens.access).await.unauthorized(Reason::SessionRevoked);
    // A poll that finds it again changes nothing.
    a.poll_revocations().await;
    a.verify(&tokens.access).await.unauthorized(Reason::SessionRevoked);
}

async fn revocations_of_another_process_arrive_with_the_next_poll(database: Database) {
    let (a, b, tokens) = two_processes(database).await;
    let other = a.login(ADA).await;
    a.logout(&tokens).await.done();
    b.verify(&tokens.access).await.done();
    a.clock().advance(ONE_SECOND);
    b.poll_revocations().await;
    b.verify(&tokens.access).await.unauthorized(Reason::SessionRevoked);
    b.me(&tokens).await.unauthorized(Reason::SessionRevoked);
    b.verify(&other.access).await.done();
}

/// A slow transaction: when it commits, polls have already passed the time that it wrote.
async fn a_revocation_that_is_older_than_the_last_poll_is_still_found(database: Database) {
    let (a, b, tokens) = two_processes(database).await;
    let revoked_at = a.clock().now().format("%Y-%m-%d %H:%M:%S%.6f").to_string();
    let change = format!("UPDATE sessions SET revoked_at = '{revoked_at}', revoke_reason = 'logout'");
    let mut slow = a.db().connect();
    let mut run = |sql: &str| match &mut slow {
        AnyConnection::Postgres(postgres) => postgres.batch_execute(sql).unwrap(),
        AnyConnection::Sqlite(sqlite) => sqlite.batch_execute(sql).unwrap(),
    };
    run("BEGIN");
    run(&change);
    for _ in 0..10 {
        a.clock().advance(ONE_SECOND);
        b.poll_revocations().await;
    }
    b.verify(&tokens.access).await.done();
    run("COMMIT");
    a.clock().advance(ONE_SECOND);
    b.poll_revocations().await;
    b.verify(&tokens.access).await.unauthorized(Reason::SessionRevoked);
}

async fn a_starting_process_knows_earlier_revocations(database: Database) {
    let (a, _, tokens) = two_processes(database).await;
    a.logout(&tokens).await.done();
    a.clock().advance(a.settings().lifetimes.access - ONE_SECOND);
    let late = TestApp::builder_on(Arc::clone(a.db())).clock(a.clock()).start().await;
    late.verify(&tokens.access).await.unauthorized(Reason::SessionRevoked);
}

async fn a_revocation_is_forgotten_once_its_tokens_have_expired(database: Database) {
    let (a, b, tokens) = two_processes(database).await;
    a.logout(&tokens).await.done();
    b.poll_revocations().await;
    let session: SessionId = serde_json::from_value(forge::claims(&tokens.access)["sid"].clone()).unwrap();
    for process in [&a, &b] {
        assert!(process.services().feed.is_revoked(session));
    }
    a.clock().advance(a.settings().lifetimes.access * 3);
    for process in [&a, &b] {
        process.poll_revocations().await;
        assert!(!process.services().feed.is_revoked(session));
        process.verify(&tokens.access).await.unauthorized(Reason::TokenExpired);
    }
}

async fn a_clock_that_jumps_forgets_no_revocation_too_early(database: Database) {
    let (a, b, tokens) = two_processes(database).await;
    a.logout(&tokens).await.done();
    b.poll_revocations().await;
    // Ahead for four seconds, and back.
    for hours in [1, 3, 24 * 400] {
        a.clock().advance(Duration::minutes(2));
        a.clock().advance(Duration::hours(hours));
        for _ in 0..4 {
            a.clock().advance(ONE_SECOND);
            a.poll_revocations().await;
            b.poll_revocations().await;
        }
        a.clock().advance(Duration::hours(-hours));
        for process in [&a, &b] {
            process.poll_revocations().await;
            process.verify(&tokens.access).await.unauthorized(Reason::SessionRevoked);
            process.me(&tokens).await.unauthorized(Reason::SessionRevoked);
        }
    }

    // A revocation after the clock was set back is found, too.
    let next = a.login(ADA).await;
    a.logout(&next).await.done();
    b.poll_revocations().await;
    b.verify(&next.access).await.unauthorized(Reason::SessionRevoked);
}

/// A second API on the database and the clock of `app`, whose access tokens live for `seconds`.
async fn with_lifetime(app: &TestApp, seconds: &str) -> TestApp {
    let builder = TestApp::builder_on(Arc::clone(app.db())).clock(app.clock());
    builder.set("ACCESS_TOKEN_LIFETIME", seconds).set("REFRESH_TOKEN_LIFETIME", "5184000").start().await
}

/// As after an incident: the operator lowers the setting, and restarts.
async fn a_revocation_outlasts_a_lower_lifetime(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    app.logout(&tokens).await.done();
    let lowered = with_lifetime(&app, "5").await;
    for _ in 0..5 {
        app.clock().advance(Duration::minutes(11));
        record_own_lifetime(lowered.services()).await;
        lowered.poll_revocations().await;
        let restarted = with_lifetime(&app, "5").await;
        for process in [&lowered, &restarted] {
            process.verify(&tokens.access).await.unauthorized(Reason::SessionRevoked);
        }
    }
    // It is forgotten in the end.
    app.clock().advance(Duration::hours(3));
    lowered.poll_revocations().await;
    let session: SessionId = serde_json::from_value(forge::claims(&tokens.access)["sid"].clone()).unwrap();
    assert!(!lowered.services().feed.is_revoked(session));
}

/// While a higher setting is rolled out, some processes still have the lower one.
async fn a_process_with_a_lower_lifetime_remembers_the_tokens_of_another(database: Database) {
    let low = TestApp::builder(database).user(ADA).set("ACCESS_TOKEN_LIFETIME", "60").start().await;
    let raised = with_lifetime(&low, "3600").await;
    let tokens = raised.login(ADA).await;
    raised.logout(&tokens).await.done();
    for _ in 0..5 {
        low.clock().advance(Duration::minutes(11));
        record_own_lifetime(low.services()).await;
        low.poll_revocations().await;
        low.verify(&tokens.access).await.unauthorized(Reason::SessionRevoked);
    }

    // What was forgotten is read again.
    let tokens = raised.login(ADA).await;
    raised.logout(&tokens).await.done();
    low.db().execute("DELETE FROM access_lifetimes WHERE seconds = 3600");
    low.poll_revocations().await;
    low.clock().advance(Duration::minutes(4));
    low.poll_revocations().await;
    low.verify(&tokens.access).await.done();
    record_own_lifetime(raised.services()).await;
    low.poll_revocations().await;
    low.verify(&tokens.access).await.unauthorized(Reason::SessionRevoked);
}

async fn a_revoked_session_is_kept_as_long_as_its_access_tokens(database: Database) {
    let month =
        || TestApp::builder(database).set("ACCESS_TOKEN_LIFETIME", "2592000").set("REFRESH_TOKEN_LIFETIME", "5184000");
    let app = month().user(ADA).user(BOB).start().await;
    let (signed_out, deleted) = (app.login(ADA).await, app.login(BOB).await);
    app.logout(&signed_out).await.done();
    delete(&app, &deleted, PASSWORD).await.done();
    for seconds in ["2592000", "300"] {
        app.clock().advance(Duration::days(8));
        let process = with_lifetime(&app, seconds).await;
        prune(process.services()).await.unwrap();
        let restarted = with_lifetime(&app, seconds).await;
        for tokens in [&signed_out, &deleted] {
            restarted.verify(&tokens.access).await.unauthorized(Reason::SessionRevoked);
        }
    }
    app.clock().advance(Duration::days(61));
    prune(with_lifetime(&app, "300").await.services()).await.unwrap();
    assert_eq!(app.db().number("SELECT count(*) FROM sessions"), 0);
}

/// Polls go on, each second, also while the database takes no writes.
async fn the_lifetime_of_access_tokens_is_recorded_at_the_start_and_by_a_job(database: Database) {
    const RECORDED: &str = "SELECT count(*) FROM access_lifetimes";
    let app = TestApp::builder(database).start().await;
    let forget = || app.db().execute("DELETE FROM access_lifetimes");
    forget();
    app.poll_revocations().await;
    assert_eq!(app.db().number(RECORDED), 0, "a poll writes nothing");
    start(app.services()).await.unwrap();
    assert_eq!(app.db().number(RECORDED), 1);
    forget();
    let product: Product = App::new().assemble().unwrap();
    tokio::select! {
        () = eventually("a job records it", async || (app.db().number(RECORDED) == 1).then_some(())) => {}
        _ = product.run_background_tasks(app.services().clone()) => unreachable!("it never ends"),
    }
}

#[test]
fn the_manual_clock_stands_still() {
    let clock = ManualClock::new();
    assert_eq!(clock.now(), clock.now());
}
