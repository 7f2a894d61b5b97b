//! Ended sessions are deleted a week after their end, and events after 400 days.

use crate::support::{Database, ONE_SECOND, TestApp, on_both_databases};
use api::clock::{Clock, SystemClock, WrongClock};
use api::service::upkeep::prune::{Pruned, compare_clocks_and_prune, prune};
use auth_types::Reason;
use chrono::Duration;

on_both_databases![
    a_wrong_clock_deletes_nothing,
    a_session_is_deleted_a_week_after_it_was_ended,
    a_session_is_deleted_a_week_after_it_expired,
    more_sessions_than_a_batch_are_deleted_in_one_prune,
    an_event_is_deleted_after_400_days,
    an_event_in_the_future_does_not_keep_older_ones,
    thousands_of_old_networks_are_forgotten_in_one_prune,
];

const ADA: &str = "ada@example.com";
const SESSIONS: &str = "SELECT count(*) FROM sessions";
const EVENTS: &str = "SELECT count(*) FROM auth_events";

async fn a_session_is_deleted_a_week_after_it_was_ended(database: Database) {
    let app = TestApp::builder(database).user(ADA).set("REFRESH_TOKEN_LIFETIME", "2592000").start().await;
    let (ended, live) = (app.login(ADA).await, app.login(ADA).await);
    app.logout(&ended).await.done();
    app.clock().advance(Duration::days(7));
    assert_eq!(prune(app.services()).await.unwrap(), 0);
    app.clock().advance(ONE_SECOND);
    let events = app.db().number(EVENTS);

    assert_eq!(prune(app.services()).await.unwrap(), 1);
    assert_eq!(app.db().number(SESSIONS), 1);
    assert_eq!(app.db().number("SELECT count(*) FROM users"), 1);
    assert_eq!(app.db().number(EVENTS), events);
    app.refresh(&live).await.tokens();
    app.refresh(&ended).await.unauthorized(Reason::SessionRevoked);
}

async fn a_session_is_deleted_a_week_after_it_expired(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    app.login(ADA).await;
    app.clock().advance(app.settings().lifetimes.refresh + Duration::days(7));
    assert_eq!(prune(app.services()).await.unwrap(), 0);
    let live = app.login(ADA).await;
    app.clock().advance(ONE_SECOND);
    assert_eq!(prune(app.services()).await.unwrap(), 1);
    app.me(&live).await.done();
}

async fn more_sessions_than_a_batch_are_deleted_in_one_prune(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    let live = app.login(ADA).await;
    let id = match database {
        Database::Sqlite => "printf('00000000-0000-7000-8000-%012d', n)",
        Database::Postgres => "CAST('00000000-0000-7000-8000-' || lpad(CAST(n AS text), 12, '0') AS uuid)",
    };
    let columns = "user_id, generation, jti, created_at, rotated_at, expires_at, absolute_expires_at";
    let old = match database {
        Database::Sqlite => "'2020-01-01 00:00:00.000000'",
        Database::Postgres => "CAST('2020-01-01 00:00:00+00' AS timestamptz)",
    };
    app.db().execute(&format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 2500)
         INSERT INTO sessions (id, {columns})
         SELECT {id}, (SELECT id FROM users), 1, 'j', {old}, {old}, {old}, {old} FROM numbers"
    ));
    assert_eq!(app.db().number(SESSIONS), 2501);
    assert_eq!(prune(app.services()).await.unwrap(), 2500);
    assert_eq!(prune(app.services()).await.unwrap(), 0);
    app.me(&live).await.done();
}

async fn an_event_is_deleted_after_400_days(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    app.login(ADA).await;
    app.clock().advance(Duration::days(400));
    app.login(ADA).await;
    prune(app.services()).await.unwrap();
    assert_eq!(app.db().number(EVENTS), 2);
    app.clock().advance(ONE_SECOND);
    prune(app.services()).await.unwrap();
    assert_eq!(app.db().number(EVENTS), 1);
}

/// An event that was written while the clock was wrong.
async fn an_event_in_the_future_does_not_keep_older_ones(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    app.login(ADA).await;
    app.db().execute("UPDATE auth_events SET at = '2100-01-01 00:00:00.000000'");
    app.login(ADA).await;
    app.clock().advance(Duration::days(401));
    prune(app.services()).await.unwrap();
    assert_eq!(app.db().number(EVENTS), 1);
}

async fn thousands_of_old_networks_are_forgotten_in_one_prune(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    let seen = app.db().instant(app.clock().now());
    app.db().add("known_networks (user_id, network, seen_at)", &format!("1, 'net' || n, {seen}"), 2_500);
    app.clock().advance(app.settings().lifetimes.session + ONE_SECOND);
    app.login(ADA).await;
    prune(app.services()).await.unwrap();
    assert_eq!(app.db().number("SELECT count(*) FROM known_networks"), 1);
}

async fn a_wrong_clock_deletes_nothing(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    app.clock().set(SystemClock.now()); // as the database's
    let tokens = app.login(ADA).await;
    let (start, events) = (app.clock().now(), app.db().number(EVENTS));
    for days in [100, 500, -1] {
        app.clock().set(start + Duration::days(days));
        let pruned = compare_clocks_and_prune(app.services()).await.unwrap();
        assert!(matches!(pruned, Pruned::ClockIsWrong(WrongClock(seconds)) if seconds > 80_000), "{pruned:?}");
    }
    app.clock().set(start);
    assert_eq!(app.db().number(EVENTS), events);
    app.refresh(&tokens).await.tokens();
    assert_eq!(compare_clocks_and_prune(app.services()).await.unwrap(), Pruned::Sessions(0));
}
