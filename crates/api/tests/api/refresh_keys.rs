//! Refreshes with an `Idempotency-Key`: a lost response is repeated for its key, and for no other request.

use crate::support::refresh::{advance_past_the_leeway, generation, signed_in, signed_in_with, stored_generation};
use crate::support::{Database, ONE_SECOND, TestApp, on_both_databases};
use auth_types::Reason;
use chrono::Duration;
use std::sync::Arc;

on_both_databases![
    a_lost_response_is_repeated_for_the_same_key,
    a_key_works_without_leeway_too,
    a_key_works_until_the_successor_is_used,
    a_key_that_is_used_again_repeats_only_the_latest_rotation,
    a_key_does_not_outlive_the_session,
    only_its_key_repeats_a_rotation_with_a_key,
    a_restarted_api_gives_the_same_successor,
    one_hundred_concurrent_refreshes_with_a_key_and_no_leeway_give_one_successor,
];

async fn a_lost_response_is_repeated_for_the_same_key(database: Database) {
    let (app, first) = signed_in(database).await;
    let lost = app.refresh_with_key(&first, "attempt-1").await.tokens();
    for hours in [0, 1, 24] {
        app.clock().advance(Duration::hours(hours));
        let again = app.refresh_with_key(&first, "attempt-1").await.tokens();
        assert_eq!(again.refresh, lost.refresh, "after {hours} hours");
    }
    assert_eq!(stored_generation(&app), 2);

    let third = app.refresh_with_key(&lost, "attempt-2").await.tokens();
    assert_eq!(generation(&third), 3);
}

async fn a_key_works_without_leeway_too(database: Database) {
    let (app, first) = signed_in_with(database, &[("REFRESH_LEEWAY", "0")]).await;
    let lost = app.refresh_with_key(&first, "attempt-1").await.tokens();
    assert_eq!(app.refresh_with_key(&first, "attempt-1").await.tokens().refresh, lost.refresh);
    app.clock().advance(Duration::days(2));
    assert_eq!(app.refresh_with_key(&first, "attempt-1").await.tokens().refresh, lost.refresh);

    app.refresh_with_key(&first, "attempt-2").await.unauthorized(Reason::RefreshReused);
}

async fn a_key_works_until_the_successor_is_used(database: Database) {
    let (app, first) = signed_in(database).await;
    let second = app.refresh_with_key(&first, "attempt-1").await.tokens();
    let third = app.refresh_with_key(&second, "attempt-2").await.tokens();
    advance_past_the_leeway(&app);

    app.refresh_with_key(&first, "attempt-1").await.unauthorized(Reason::RefreshReused);
    app.refresh(&third).await.unauthorized(Reason::SessionRevoked);
}

async fn a_key_that_is_used_again_repeats_only_the_latest_rotation(database: Database) {
    let (app, first) = signed_in(database).await;
    let second = app.refresh_with_key(&first, "always the same").await.tokens();
    let third = app.refresh_with_key(&second, "always the same").await.tokens();
    advance_past_the_leeway(&app);

    assert_eq!(app.refresh_with_key(&second, "always the same").await.tokens().refresh, third.refresh);
    app.refresh_with_key(&first, "always the same").await.unauthorized(Reason::RefreshReused);
}

async fn a_key_does_not_outlive_the_session(database: Database) {
    let (app, first) = signed_in(database).await;
    app.clock().advance(Duration::days(1));
    app.refresh_with_key(&first, "attempt-1").await.tokens();

    app.clock().advance(app.settings().lifetimes.refresh - ONE_SECOND);
    // The repeated token has expired and its session has not; the response is the same for both.
    app.refresh_with_key(&first, "attempt-1").await.unauthorized(Reason::SessionExpired);
    app.clock().advance(ONE_SECOND);
    app.refresh_with_key(&first, "attempt-1").await.unauthorized(Reason::SessionExpired);
    assert_eq!(app.db().value("SELECT revoked_at FROM sessions"), None);
}

/// At once, whatever the leeway: the owner repeats with the key, so a request without it is not the owner's.
async fn only_its_key_repeats_a_rotation_with_a_key(database: Database) {
    for (key, seconds) in [(None, 0), (Some("attempt-2"), 0), (None, 1), (Some("attempt-2"), 11)] {
        let (app, first) = signed_in(database).await;
        let second = app.refresh_with_key(&first, "attempt-1").await.tokens();
        app.clock().advance(Duration::seconds(seconds));
        let response = match key {
            Some(key) => app.refresh_with_key(&first, key).await,
            None => app.refresh(&first).await,
        };
        response.unauthorized(Reason::RefreshReused);
        app.refresh_with_key(&first, "attempt-1").await.unauthorized(Reason::SessionRevoked);
        app.refresh(&second).await.unauthorized(Reason::SessionRevoked);
    }
}

async fn a_restarted_api_gives_the_same_successor(database: Database) {
    let (app, first) = signed_in(database).await;
    let second = app.refresh_with_key(&first, "attempt-1").await.tokens();
    let (db, clock) = (Arc::clone(app.db()), Arc::clone(app.clock()));
    drop(app);
    clock.advance(Duration::hours(3));

    let app = TestApp::builder_on(db).clock(&clock).start().await;
    assert_eq!(app.refresh_with_key(&first, "attempt-1").await.tokens().refresh, second.refresh);
    app.me(&app.refresh(&second).await.tokens()).await.done();
}

async fn one_hundred_concurrent_refreshes_with_a_key_and_no_leeway_give_one_successor(database: Database) {
    let (app, first) = signed_in_with(database, &[("REFRESH_LEEWAY", "0")]).await;
    let attempts = (0..100).map(|_| app.refresh_with_key(&first, "attempt-1"));
    let responses = futures_util::future::join_all(attempts).await;

    let tokens: Vec<_> = responses.into_iter().map(|response| response.tokens().refresh).collect();
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(stored_generation(&app), 2);
}
