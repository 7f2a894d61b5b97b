//! Exchanging refresh tokens: each row of the table of responses.

use crate::support::{
    Database, ONE_SECOND, Proxy, TestApp, TestDb, TestResponse, eventually, forge, on_both_databases, send,
};
use api::store::AnyConnection;
use auth_types::responses::TokenResponse;
use auth_types::{Reason, Role};
use chrono::Duration;
use diesel::connection::SimpleConnection;
use reqwest::Method;
use serde_json::json;
use std::sync::Arc;

on_both_databases![
    a_live_token_is_exchanged_for_the_next_generation,
    a_new_generation_lives_a_whole_idle_lifetime,
    a_token_of_an_unknown_session_is_refused,
    a_token_of_a_revoked_session_is_refused,
    a_session_that_was_idle_for_its_idle_lifetime_has_expired,
    a_session_whose_row_ends_earlier_has_expired,
    a_session_never_outlives_its_absolute_end,
    an_access_token_never_outlives_the_session,
    an_access_token_never_outlives_the_idle_end_of_its_session,
    an_inactive_user_gets_no_tokens_and_an_active_one_again,
    a_deleted_user_gets_no_tokens,
    the_role_is_read_at_every_refresh,
    a_lost_response_is_repeated_for_the_same_key,
    a_key_works_without_leeway_too,
    a_key_works_until_the_successor_is_used,
    a_key_that_is_used_again_repeats_only_the_latest_rotation,
    a_key_does_not_outlive_the_session,
    only_its_key_repeats_a_rotation_with_a_key,
    a_request_with_a_key_has_no_leeway,
    racing_tabs_within_the_leeway_get_the_live_successor,
    the_last_two_generations_have_leeway,
    leeway_needs_every_rotation_since_to_have_no_key,
    the_leeway_is_for_the_network_and_the_browser_of_the_rotation,
    each_rotation_has_a_network_and_a_browser_of_its_own,
    an_unknown_client_has_no_leeway,
    the_leeway_of_a_generation_starts_when_it_was_superseded,
    a_clock_that_goes_back_does_not_extend_the_leeway,
    three_generations_back_is_reuse_even_within_the_leeway,
    the_leeway_ends_on_time,
    without_leeway_each_token_works_once,
    a_reused_refresh_token_ends_the_session,
    reuse_is_committed_and_recorded,
    reuse_leaves_the_users_other_sessions_alone,
    the_live_generation_with_another_jti_is_reuse,
    a_generation_ahead_of_the_row_ends_the_session_and_is_recorded,
    a_restarted_api_gives_the_same_successor,
    one_hundred_concurrent_refreshes_give_one_successor,
    one_hundred_concurrent_refreshes_with_a_key_and_no_leeway_give_one_successor,
];

const ADA: &str = "ada@example.com";

async fn signed_in(database: Database) -> (TestApp, TokenResponse) {
    signed_in_with(database, &[]).await
}

async fn signed_in_with(database: Database, variables: &[(&str, &str)]) -> (TestApp, TokenResponse) {
    let builder = TestApp::builder(database).user(ADA);
    let builder = variables.iter().fold(builder, |builder, (name, value)| builder.set(name, *value));
    let app = builder.start().await;
    let tokens = app.login(ADA).await;
    (app, tokens)
}

fn generation(tokens: &TokenResponse) -> i64 {
    forge::claims(&tokens.refresh)["gen"].as_i64().unwrap()
}

fn stored_generation(app: &TestApp) -> i64 {
    app.db().number("SELECT generation FROM sessions")
}

fn past_the_leeway(app: &TestApp) {
    app.clock().advance(app.settings().lifetimes.leeway + ONE_SECOND);
}

async fn a_live_token_is_exchanged_for_the_next_generation(database: Database) {
    let (app, first) = signed_in(database).await;
    app.clock().advance(Duration::minutes(5));

    let second = app.refresh(&first).await.ok();

    let (old, new) = (forge::claims(&first.refresh), forge::claims(&second.refresh));
    assert_eq!((old["gen"].as_i64(), new["gen"].as_i64()), (Some(1), Some(2)));
    assert_eq!(old["sid"], new["sid"]);
    assert_ne!(old["jti"], new["jti"]);
    assert_eq!(second.user, first.user);
    assert_eq!(second.server_time, first.server_time + 300);
    assert_eq!(new["exp"].as_i64().unwrap() - second.server_time, second.refresh_expires_in);
    app.me(&second).await.done();
    app.me(&first).await.done(); // the older access token belongs to the same session
}

async fn a_new_generation_lives_a_whole_idle_lifetime(database: Database) {
    let (app, mut tokens) = signed_in(database).await;
    for _ in 0..3 {
        assert_eq!(tokens.refresh_expires_in, app.settings().lifetimes.refresh.num_seconds());
        assert_eq!(tokens.access_expires_in, app.settings().lifetimes.access.num_seconds());
        app.clock().advance(app.settings().lifetimes.refresh - ONE_SECOND);
        tokens = app.refresh(&tokens).await.ok();
    }
    assert_eq!(generation(&tokens), 4);
}

async fn a_token_of_an_unknown_session_is_refused(database: Database) {
    let (app, first) = signed_in(database).await;
    let stranger = json!("0198a2b4-7c1e-7000-8000-000000000001");
    let token = forge::sign_claims(&forge::claims_with(&first.refresh, "sid", stranger));

    app.refresh(&token).await.refused(Reason::SessionRevoked);
    app.refresh(&first).await.ok();
}

async fn a_token_of_a_revoked_session_is_refused(database: Database) {
    let (app, first) = signed_in(database).await;
    app.logout(&first).await.done();

    app.refresh(&first).await.refused(Reason::SessionRevoked);
    app.refresh_with_key(&first, "any").await.refused(Reason::SessionRevoked);
    assert_eq!(stored_generation(&app), 1);
}

async fn a_session_that_was_idle_for_its_idle_lifetime_has_expired(database: Database) {
    let (app, first) = signed_in(database).await;
    app.clock().advance(app.settings().lifetimes.refresh);

    app.refresh(&first).await.refused(Reason::SessionExpired);
    assert_eq!(stored_generation(&app), 1);
}

async fn a_session_whose_row_ends_earlier_has_expired(database: Database) {
    for column in ["expires_at", "absolute_expires_at"] {
        let (app, first) = signed_in(database).await;
        app.clock().advance(Duration::hours(1));
        app.db().execute(&format!("UPDATE sessions SET {column} = created_at"));

        app.refresh(&first).await.refused(Reason::SessionExpired);
        assert_eq!(stored_generation(&app), 1);
    }
}

/// A hundred seconds in all, of which sixty idle.
const SHORT: [(&str, &str); 3] =
    [("ACCESS_TOKEN_LIFETIME", "30"), ("REFRESH_TOKEN_LIFETIME", "60"), ("SESSION_MAX_AGE", "100")];

async fn a_session_never_outlives_its_absolute_end(database: Database) {
    let (app, first) = signed_in_with(database, &SHORT).await;
    let end = first.server_time + 100;
    app.clock().advance(Duration::seconds(50));
    let second = app.refresh(&first).await.ok();
    assert_eq!(second.refresh_expires_in, 50);
    assert_eq!(forge::claims(&second.refresh)["exp"], end);
    app.clock().advance(Duration::seconds(49));
    let third = app.refresh(&second).await.ok();
    assert_eq!(forge::claims(&third.refresh)["exp"], end);
    app.clock().advance(ONE_SECOND);

    app.refresh(&third).await.refused(Reason::SessionExpired);
    app.refresh_with_key(&third, "any").await.refused(Reason::SessionExpired);
}

async fn an_access_token_never_outlives_the_session(database: Database) {
    let (app, first) = signed_in_with(database, &SHORT).await;
    app.clock().advance(Duration::seconds(50));
    let second = app.refresh(&first).await.ok();
    app.clock().advance(Duration::seconds(40));
    let third = app.refresh(&second).await.ok();

    assert_eq!(third.access_expires_in, 10);
    assert_eq!(forge::claims(&third.access)["exp"], first.server_time + 100);
    app.clock().advance(Duration::seconds(10));
    app.me(&third).await.refused(Reason::TokenExpired);
}

async fn an_access_token_never_outlives_the_idle_end_of_its_session(database: Database) {
    let (app, first) = signed_in_with(database, &SHORT).await;
    app.refresh_with_key(&first, "attempt-1").await.ok();
    app.clock().advance(Duration::seconds(50));

    // The response was lost: the session goes on, its idle end does not.
    let again = app.refresh_with_key(&first, "attempt-1").await.ok();
    assert_eq!((again.access_expires_in, again.refresh_expires_in), (10, 10));
    app.clock().advance(Duration::seconds(10));
    app.me(&again).await.refused(Reason::TokenExpired);
    app.logout_all(&again).await.refused(Reason::TokenExpired);
}

async fn an_inactive_user_gets_no_tokens_and_an_active_one_again(database: Database) {
    let (app, first) = signed_in(database).await;
    app.db().execute("UPDATE users SET is_active = false");
    app.refresh(&first).await.refused(Reason::UserInactive);
    app.refresh_with_key(&first, "any").await.refused(Reason::UserInactive);
    app.me(&first).await.refused(Reason::UserInactive);
    app.verify(&first.refresh).await.refused(Reason::UserInactive);
    assert_eq!(stored_generation(&app), 1);

    app.db().execute("UPDATE users SET is_active = true");
    app.refresh(&first).await.ok();
}

async fn a_deleted_user_gets_no_tokens(database: Database) {
    let (app, first) = signed_in(database).await;
    app.db().execute("DELETE FROM users");
    assert_eq!(app.db().number("SELECT count(*) FROM sessions"), 0);

    // The sessions are deleted with their user, and a session that does not exist counts as revoked.
    app.refresh(&first).await.refused(Reason::SessionRevoked);
    app.me(&first).await.refused(Reason::SessionRevoked);
}

async fn the_role_is_read_at_every_refresh(database: Database) {
    let (app, first) = signed_in(database).await;
    assert_eq!(forge::claims(&first.access)["role"], "user");
    app.db().execute("UPDATE users SET role = 'admin'");

    let second = app.refresh(&first).await.ok();
    assert_eq!(forge::claims(&second.access)["role"], "admin");
    assert_eq!(second.user.role, Role::Admin);
    let again = app.refresh(&first).await.ok();
    assert_eq!(forge::claims(&again.access)["role"], "admin");

    app.db().execute("UPDATE users SET role = 'user'");
    let third = app.refresh(&second).await.ok();
    assert_eq!(forge::claims(&third.access)["role"], "user");
}

async fn a_lost_response_is_repeated_for_the_same_key(database: Database) {
    let (app, first) = signed_in(database).await;
    let lost = app.refresh_with_key(&first, "attempt-1").await.ok();
    for hours in [0, 1, 24] {
        app.clock().advance(Duration::hours(hours));
        let again = app.refresh_with_key(&first, "attempt-1").await.ok();
        assert_eq!(again.refresh, lost.refresh, "after {hours} hours");
    }
    assert_eq!(stored_generation(&app), 2);

    let third = app.refresh_with_key(&lost, "attempt-2").await.ok();
    assert_eq!(generation(&third), 3);
}

async fn a_key_works_without_leeway_too(database: Database) {
    let (app, first) = signed_in_with(database, &[("REFRESH_LEEWAY", "0")]).await;
    let lost = app.refresh_with_key(&first, "attempt-1").await.ok();
    assert_eq!(app.refresh_with_key(&first, "attempt-1").await.ok().refresh, lost.refresh);
    app.clock().advance(Duration::days(2));
    assert_eq!(app.refresh_with_key(&first, "attempt-1").await.ok().refresh, lost.refresh);

    app.refresh_with_key(&first, "attempt-2").await.refused(Reason::RefreshReused);
}

async fn a_key_works_until_the_successor_is_used(database: Database) {
    let (app, first) = signed_in(database).await;
    let second = app.refresh_with_key(&first, "attempt-1").await.ok();
    let third = app.refresh_with_key(&second, "attempt-2").await.ok();
    past_the_leeway(&app);

    app.refresh_with_key(&first, "attempt-1").await.refused(Reason::RefreshReused);
    app.refresh(&third).await.refused(Reason::SessionRevoked);
}

async fn a_key_that_is_used_again_repeats_only_the_latest_rotation(database: Database) {
    let (app, first) = signed_in(database).await;
    let second = app.refresh_with_key(&first, "always the same").await.ok();
    let third = app.refresh_with_key(&second, "always the same").await.ok();
    past_the_leeway(&app);

    assert_eq!(app.refresh_with_key(&second, "always the same").await.ok().refresh, third.refresh);
    app.refresh_with_key(&first, "always the same").await.refused(Reason::RefreshReused);
}

async fn a_key_does_not_outlive_the_session(database: Database) {
    let (app, first) = signed_in(database).await;
    app.clock().advance(Duration::days(1));
    app.refresh_with_key(&first, "attempt-1").await.ok();

    app.clock().advance(app.settings().lifetimes.refresh - ONE_SECOND);
    // The repeated token has expired and its session has not; the response is the same for both.
    app.refresh_with_key(&first, "attempt-1").await.refused(Reason::SessionExpired);
    app.clock().advance(ONE_SECOND);
    app.refresh_with_key(&first, "attempt-1").await.refused(Reason::SessionExpired);
    assert_eq!(app.db().value("SELECT revoked_at FROM sessions"), None);
}

/// At once, whatever the leeway: the owner repeats with the key, so a request without it is not the owner's.
async fn only_its_key_repeats_a_rotation_with_a_key(database: Database) {
    for (key, seconds) in [(None, 0), (Some("attempt-2"), 0), (None, 1), (Some("attempt-2"), 11)] {
        let (app, first) = signed_in(database).await;
        let second = app.refresh_with_key(&first, "attempt-1").await.ok();
        app.clock().advance(Duration::seconds(seconds));
        let response = match key {
            Some(key) => app.refresh_with_key(&first, key).await,
            None => app.refresh(&first).await,
        };
        response.refused(Reason::RefreshReused);
        app.refresh_with_key(&first, "attempt-1").await.refused(Reason::SessionRevoked);
        app.refresh(&second).await.refused(Reason::SessionRevoked);
    }
}

async fn a_request_with_a_key_has_no_leeway(database: Database) {
    let (app, first) = signed_in(database).await;
    app.refresh(&first).await.ok();
    app.refresh_with_key(&first, "late").await.refused(Reason::RefreshReused);
}

async fn racing_tabs_within_the_leeway_get_the_live_successor(database: Database) {
    let (app, first) = signed_in(database).await;
    let second = app.refresh(&first).await.ok();
    app.clock().advance(app.settings().lifetimes.leeway);

    let again = app.refresh(&first).await.ok();
    assert_eq!(again.refresh, second.refresh);
    assert_eq!(stored_generation(&app), 2);
    app.me(&again).await.done();
}

async fn leeway_needs_every_rotation_since_to_have_no_key(database: Database) {
    for keys in [[Some("attempt-1"), None], [None, Some("attempt-2")]] {
        let (app, first) = signed_in(database).await;
        let mut live = first.clone();
        for key in keys {
            live = match key {
                Some(key) => app.refresh_with_key(&live, key).await.ok(),
                None => app.refresh(&live).await.ok(),
            };
        }
        app.refresh(&first).await.refused(Reason::RefreshReused);
        app.refresh(&live).await.refused(Reason::SessionRevoked);
    }
    // The second generation was superseded without a key, so it has leeway whatever the rotation before it had.
    let (app, first) = signed_in(database).await;
    let second = app.refresh_with_key(&first, "attempt-1").await.ok();
    let third = app.refresh(&second).await.ok();
    assert_eq!(app.refresh(&second).await.ok().refresh, third.refresh);
}

/// An API behind a proxy, so that requests may come from anywhere.
async fn signed_in_behind_a_proxy(database: Database) -> (TestApp, TokenResponse) {
    signed_in_with(database, &[("TRUSTED_PROXY_HOPS", "1")]).await
}

/// An address and a browser.
type Origin<'a> = (&'a str, &'a str);

/// Refreshes without a key.
async fn refresh_from(app: &TestApp, tokens: &TokenResponse, (address, browser): Origin<'_>) -> TestResponse {
    let request = app.request(Method::POST, "/api/auth/refresh/").json(&json!({"refresh": tokens.refresh}));
    send(request.header("X-Forwarded-For", address).header("User-Agent", browser)).await
}

async fn the_leeway_is_for_the_network_and_the_browser_of_the_rotation(database: Database) {
    let origins: [(Origin<'_>, Origin<'_>, bool); 6] = [
        (("203.0.113.7", "fox/1"), ("203.0.113.250", "fox/1"), true),
        (("203.0.113.7", "fox/1"), ("203.0.112.7", "fox/1"), false),
        (("203.0.113.7", "fox/1"), ("203.0.113.7", "fox/2"), false),
        (("2001:db8:0:1::1", "fox/1"), ("2001:db8:0:1:ffff::9", "fox/1"), true),
        (("2001:db8:0:1::1", "fox/1"), ("2001:db8:0:2::1", "fox/1"), false),
        (("203.0.113.7", "fox/1"), ("2001:db8::1", "fox/1"), false),
    ];
    for (of_rotation, late, is_given) in origins {
        let (app, first) = signed_in_behind_a_proxy(database).await;
        let second = refresh_from(&app, &first, of_rotation).await.ok();
        let response = refresh_from(&app, &first, late).await;
        if is_given {
            assert_eq!(response.ok().refresh, second.refresh, "{late:?}");
        } else {
            response.refused(Reason::RefreshReused);
        }
    }
}

async fn each_rotation_has_a_network_and_a_browser_of_its_own(database: Database) {
    let (here, there) = (("203.0.113.7", "fox/1"), ("198.51.100.7", "fox/1"));
    let (app, first) = signed_in_behind_a_proxy(database).await;
    let second = refresh_from(&app, &first, here).await.ok();
    let third = refresh_from(&app, &second, there).await.ok();
    assert_eq!(refresh_from(&app, &first, here).await.ok().refresh, third.refresh);
    assert_eq!(refresh_from(&app, &second, there).await.ok().refresh, third.refresh);
    refresh_from(&app, &first, there).await.refused(Reason::RefreshReused);
}

/// Behind a proxy that is not configured, all clients would look like one.
async fn an_unknown_client_has_no_leeway(database: Database) {
    let (app, first) = signed_in(database).await;
    let unknown = ("203.0.113.7", "fox/1");
    refresh_from(&app, &first, unknown).await.ok();
    refresh_from(&app, &first, unknown).await.refused(Reason::RefreshReused);
}

async fn the_last_two_generations_have_leeway(database: Database) {
    let (app, first) = signed_in(database).await;
    let second = app.refresh(&first).await.ok();
    app.clock().advance(ONE_SECOND);
    let third = app.refresh(&second).await.ok();
    app.clock().advance(ONE_SECOND);

    assert_eq!(app.refresh(&first).await.ok().refresh, third.refresh);
    assert_eq!(app.refresh(&second).await.ok().refresh, third.refresh);
    assert_eq!(stored_generation(&app), 3);
}

async fn the_leeway_of_a_generation_starts_when_it_was_superseded(database: Database) {
    let (app, first) = signed_in(database).await;
    let second = app.refresh(&first).await.ok();
    app.clock().advance(Duration::seconds(9));
    let third = app.refresh(&second).await.ok();
    app.clock().advance(Duration::seconds(2));

    // The second was superseded 2 s ago, the first 11 s.
    assert_eq!(app.refresh(&second).await.ok().refresh, third.refresh);
    app.refresh(&first).await.refused(Reason::RefreshReused);
}

async fn a_clock_that_goes_back_does_not_extend_the_leeway(database: Database) {
    let (app, first) = signed_in(database).await;
    app.refresh(&first).await.ok();
    app.clock().advance(-ONE_SECOND);
    app.refresh(&first).await.refused(Reason::RefreshReused);
}

async fn three_generations_back_is_reuse_even_within_the_leeway(database: Database) {
    let (app, first) = signed_in(database).await;
    let second = app.refresh(&first).await.ok();
    let third = app.refresh(&second).await.ok();
    let fourth = app.refresh(&third).await.ok();

    app.refresh(&first).await.refused(Reason::RefreshReused);
    app.refresh(&fourth).await.refused(Reason::SessionRevoked);
}

async fn the_leeway_ends_on_time(database: Database) {
    let (app, first) = signed_in_with(database, &[("REFRESH_LEEWAY", "3")]).await;
    let second = app.refresh(&first).await.ok();
    app.clock().advance(Duration::seconds(3));
    assert_eq!(app.refresh(&first).await.ok().refresh, second.refresh);
    app.clock().advance(Duration::microseconds(1));

    app.refresh(&first).await.refused(Reason::RefreshReused);
}

async fn without_leeway_each_token_works_once(database: Database) {
    let (app, first) = signed_in_with(database, &[("REFRESH_LEEWAY", "0")]).await;
    let second = app.refresh(&first).await.ok();

    app.refresh(&first).await.refused(Reason::RefreshReused);
    app.refresh(&second).await.refused(Reason::SessionRevoked);
}

async fn a_reused_refresh_token_ends_the_session(database: Database) {
    let (app, first) = signed_in(database).await;
    let second = app.refresh(&first).await.ok();
    past_the_leeway(&app);

    let problem = app.refresh(&first).await.refused(Reason::RefreshReused);
    assert_eq!(problem.detail, "Token is blacklisted"); // the text that clients written for simplejwt check
    app.refresh(&second).await.refused(Reason::SessionRevoked);
    app.refresh(&first).await.refused(Reason::SessionRevoked);
    // At once, without waiting for the feed.
    app.me(&first).await.refused(Reason::SessionRevoked);
    app.me(&second).await.refused(Reason::SessionRevoked);
    app.verify(&second.access).await.refused(Reason::SessionRevoked);
}

async fn reuse_is_committed_and_recorded(database: Database) {
    let (app, first) = signed_in(database).await;
    app.refresh(&first).await.ok();
    past_the_leeway(&app);
    app.refresh(&first).await.refused(Reason::RefreshReused);

    assert_eq!(app.db().value("SELECT revoke_reason FROM sessions").as_deref(), Some("reuse"));
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE kind = 'refresh_reused'"), 1);
    // A further attempt changes nothing.
    let before = app.db().content();
    app.refresh(&first).await.refused(Reason::SessionRevoked);
    assert_eq!(app.db().content(), before);
}

async fn reuse_leaves_the_users_other_sessions_alone(database: Database) {
    let (app, first) = signed_in(database).await;
    let phone = app.login(ADA).await;
    app.refresh(&first).await.ok();
    past_the_leeway(&app);
    app.refresh(&first).await.refused(Reason::RefreshReused);

    app.me(&phone).await.done();
    app.refresh(&phone).await.ok();
}

async fn the_live_generation_with_another_jti_is_reuse(database: Database) {
    let (app, first) = signed_in(database).await;
    // A backup was restored, and the session went on from there.
    app.db().execute("UPDATE sessions SET jti = 'of-another-history'");

    app.refresh(&first).await.refused(Reason::RefreshReused);
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE kind = 'refresh_reused'"), 1);
    assert_eq!(app.db().value("SELECT revoke_reason FROM sessions").as_deref(), Some("reuse"));
    app.me(&first).await.refused(Reason::SessionRevoked);
}

async fn a_generation_ahead_of_the_row_ends_the_session_and_is_recorded(database: Database) {
    let (app, first) = signed_in(database).await;
    let second = app.refresh(&first).await.ok();
    // A backup was restored: the row does not know the second generation.
    app.db().execute("UPDATE sessions SET generation = 1");

    app.refresh(&second).await.refused(Reason::SessionRevoked);
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE kind = 'generation_ahead'"), 1);
    assert_eq!(app.db().value("SELECT revoke_reason FROM sessions").as_deref(), Some("ahead"));
    app.me(&second).await.refused(Reason::SessionRevoked);
    app.refresh(&first).await.refused(Reason::SessionRevoked);
}

async fn a_restarted_api_gives_the_same_successor(database: Database) {
    let (app, first) = signed_in(database).await;
    let second = app.refresh_with_key(&first, "attempt-1").await.ok();
    let (db, clock) = (Arc::clone(app.db()), Arc::clone(app.clock()));
    drop(app);
    clock.advance(Duration::hours(3));

    let app = TestApp::builder_on(db).clock(&clock).start().await;
    assert_eq!(app.refresh_with_key(&first, "attempt-1").await.ok().refresh, second.refresh);
    app.me(&app.refresh(&second).await.ok()).await.done();
}

async fn one_hundred_concurrent_refreshes_give_one_successor(database: Database) {
    let (app, first) = signed_in(database).await;
    let responses = futures_util::future::join_all((0..100).map(|_| app.refresh(&first))).await;

    let tokens: Vec<_> = responses.into_iter().map(|response| response.ok().refresh).collect();
    assert_eq!(tokens.len(), 100);
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(stored_generation(&app), 2);
}

async fn one_hundred_concurrent_refreshes_with_a_key_and_no_leeway_give_one_successor(database: Database) {
    let (app, first) = signed_in_with(database, &[("REFRESH_LEEWAY", "0")]).await;
    let attempts = (0..100).map(|_| app.refresh_with_key(&first, "attempt-1"));
    let responses = futures_util::future::join_all(attempts).await;

    let tokens: Vec<_> = responses.into_iter().map(|response| response.ok().refresh).collect();
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(stored_generation(&app), 2);
}

/// A tab's request arrives first and waits while another tab's rotation, with a later time, commits.
#[actix_web::test]
async fn a_rotation_that_commits_while_a_request_waits_gives_it_leeway() {
    let (app, first) = signed_in(Database::Postgres).await;
    let second = app.refresh(&first).await.ok();
    let mut other = app.db().connect();
    let mut run = |sql: &str| match &mut other {
        AnyConnection::Postgres(postgres) => postgres.batch_execute(sql).unwrap(),
        AnyConnection::Sqlite(_) => unreachable!(),
    };
    run("BEGIN; UPDATE sessions SET generation = 3, jti = 'of-another-tab', previous_rotated_at = rotated_at,
         rotated_at = rotated_at + interval '1 second', previous_rotation_origin = rotation_origin");
    let meanwhile = async {
        let waiting =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        eventually("the refresh waits", async || (app.db().number(waiting) > 0).then_some(())).await;
        app.clock().advance(ONE_SECOND);
        run("COMMIT");
    };
    let (response, ()) = tokio::join!(app.refresh(&second), meanwhile);
    assert_eq!(generation(&response.ok()), 3);
}

#[actix_web::test]
async fn uses_of_the_leeway_are_counted_separately() {
    const TOKEN: &str = "a-token-of-the-operators";
    let (app, first) = signed_in_with(Database::Sqlite, &[("METRICS_TOKEN", TOKEN)]).await;
    let second = app.refresh(&first).await.ok();
    app.refresh(&first).await.ok();
    app.refresh_with_key(&second, "attempt-1").await.ok();
    app.refresh_with_key(&second, "attempt-1").await.ok();
    let text = send(app.request(Method::GET, "/metrics").bearer_auth(TOKEN)).await.text();
    for (outcome, count) in [("rotated", 2), ("leeway", 1), ("repeated", 1), ("reused", 0)] {
        let line = format!("latchkey_refreshes_total{{outcome=\"{outcome}\"}} {count}\n");
        assert!(text.contains(&line), "{line}");
    }
}

#[actix_web::test]
async fn an_unreachable_database_is_a_503_and_ends_no_session() {
    let db = Arc::new(TestDb::migrated(Database::Postgres));
    let proxy = Proxy::before(db.server_address());
    let app = TestApp::builder_on(Arc::clone(&db))
        .set("DATABASE_URL", db.url_through(proxy.address()))
        .user(ADA)
        .start()
        .await;
    let first = app.login(ADA).await;

    proxy.cut();
    app.refresh(&first).await.failed(503, Reason::Unavailable);
    let second_attempt = app.refresh_with_key(&first, "attempt-1");
    let (again, login) = tokio::join!(second_attempt, app.sign_in(ADA, "violet harbor lantern 42"));
    again.failed(503, Reason::Unavailable);
    login.failed(503, Reason::Unavailable);
    app.verify(&first.access).await.done(); // uses no database

    proxy.restore();
    let second = app.refresh_with_key(&first, "attempt-1").await.ok();
    assert_eq!(generation(&second), 2);
}

#[actix_web::test]
async fn a_locked_sqlite_file_is_a_503_and_ends_no_session() {
    let (app, first) = signed_in(Database::Sqlite).await;
    let mut other = app.db().connect();
    let mut hold = |sql: &str| match &mut other {
        AnyConnection::Sqlite(sqlite) => sqlite.batch_execute(sql).unwrap(),
        AnyConnection::Postgres(_) => unreachable!(),
    };
    hold("BEGIN IMMEDIATE");

    // Each waits for the lock as long as the API waits, so they wait together.
    let (refresh, logout, login) =
        tokio::join!(app.refresh(&first), app.logout(&first), app.sign_in(ADA, "violet harbor lantern 42"));
    refresh.failed(503, Reason::Unavailable);
    logout.failed(503, Reason::Unavailable);
    login.failed(503, Reason::Unavailable);
    app.me(&first).await.done(); // readers do not wait for a writer

    hold("ROLLBACK");
    app.refresh(&first).await.ok();
}
