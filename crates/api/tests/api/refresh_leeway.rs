//! The leeway for refreshes without a key: racing tabs of one browser get the live successor, for a few seconds.

use crate::support::refresh::{generation, signed_in, signed_in_with, stored_generation};
use crate::support::{Database, ONE_SECOND, TestApp, TestResponse, eventually, on_both_databases, send};
use api::store::AnyConnection;
use auth_types::Reason;
use auth_types::responses::TokenResponse;
use chrono::Duration;
use diesel::connection::SimpleConnection;
use reqwest::Method;
use serde_json::json;

on_both_databases![
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
];

async fn a_request_with_a_key_has_no_leeway(database: Database) {
    let (app, first) = signed_in(database).await;
    app.refresh(&first).await.tokens();
    app.refresh_with_key(&first, "late").await.unauthorized(Reason::RefreshReused);
}

async fn racing_tabs_within_the_leeway_get_the_live_successor(database: Database) {
    let (app, first) = signed_in(database).await;
    let second = app.refresh(&first).await.tokens();
    app.clock().advance(app.settings().lifetimes.leeway);

    let again = app.refresh(&first).await.tokens();
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
                Some(key) => app.refresh_with_key(&live, key).await.tokens(),
                None => app.refresh(&live).await.tokens(),
            };
        }
        app.refresh(&first).await.unauthorized(Reason::RefreshReused);
        app.refresh(&live).await.unauthorized(Reason::SessionRevoked);
    }
    // The second generation was superseded without a key, so it has leeway whatever the rotation before it had.
    let (app, first) = signed_in(database).await;
    let second = app.refresh_with_key(&first, "attempt-1").await.tokens();
    let third = app.refresh(&second).await.tokens();
    assert_eq!(app.refresh(&second).await.tokens().refresh, third.refresh);
}

/// An API behind a proxy, so that requests may come from anywhere.
async fn signed_in_behind_a_proxy(database: Database) -> (TestApp, TokenResponse) {
    signed_in_with(database, &[("TRUSTED_PROXY_HOPS", "1")]).await
}

/// A client as the server sees it: an address and a browser.
type SeenClient<'a> = (&'a str, &'a str);

/// Refreshes without a key.
async fn refresh_from(app: &TestApp, tokens: &TokenResponse, client: SeenClient<'_>) -> TestResponse {
    let (address, browser) = client;
    let request = app.request(Method::POST, "/api/auth/refresh/").json(&json!({"refresh": tokens.refresh}));
    send(request.header("X-Forwarded-For", address).header("User-Agent", browser)).await
}

async fn the_leeway_is_for_the_network_and_the_browser_of_the_rotation(database: Database) {
    let clients: [(SeenClient<'_>, SeenClient<'_>, bool); 6] = [
        (("203.0.113.7", "fox/1"), ("203.0.113.250", "fox/1"), true),
        (("203.0.113.7", "fox/1"), ("203.0.112.7", "fox/1"), false),
        (("203.0.113.7", "fox/1"), ("203.0.113.7", "fox/2"), false),
        (("2001:db8:0:1::1", "fox/1"), ("2001:db8:0:1:ffff::9", "fox/1"), true),
        (("2001:db8:0:1::1", "fox/1"), ("2001:db8:0:2::1", "fox/1"), false),
        (("203.0.113.7", "fox/1"), ("2001:db8::1", "fox/1"), false),
    ];
    for (of_rotation, late, is_given) in clients {
        let (app, first) = signed_in_behind_a_proxy(database).await;
        let second = refresh_from(&app, &first, of_rotation).await.tokens();
        let response = refresh_from(&app, &first, late).await;
        if is_given {
            assert_eq!(response.tokens().refresh, second.refresh, "{late:?}");
        } else {
            response.unauthorized(Reason::RefreshReused);
        }
    }
}

async fn each_rotation_has_a_network_and_a_browser_of_its_own(database: Database) {
    let (here, there) = (("203.0.113.7", "fox/1"), ("198.51.100.7", "fox/1"));
    let (app, first) = signed_in_behind_a_proxy(database).await;
    let second = refresh_from(&app, &first, here).await.tokens();
    let third = refresh_from(&app, &second, there).await.tokens();
    assert_eq!(refresh_from(&app, &first, here).await.tokens().refresh, third.refresh);
    assert_eq!(refresh_from(&app, &second, there).await.tokens().refresh, third.refresh);
    refresh_from(&app, &first, there).await.unauthorized(Reason::RefreshReused);
}

/// Behind a proxy that is not configured, all clients would look like one.
async fn an_unknown_client_has_no_leeway(database: Database) {
    let (app, first) = signed_in(database).await;
    let unknown = ("203.0.113.7", "fox/1");
    refresh_from(&app, &first, unknown).await.tokens();
    refresh_from(&app, &first, unknown).await.unauthorized(Reason::RefreshReused);
}

async fn the_last_two_generations_have_leeway(database: Database) {
    let (app, first) = signed_in(database).await;
    let second = app.refresh(&first).await.tokens();
    app.clock().advance(ONE_SECOND);
    let third = app.refresh(&second).await.tokens();
    app.clock().advance(ONE_SECOND);

    assert_eq!(app.refresh(&first).await.tokens().refresh, third.refresh);
    assert_eq!(app.refresh(&second).await.tokens().refresh, third.refresh);
    assert_eq!(stored_generation(&app), 3);
}

async fn the_leeway_of_a_generation_starts_when_it_was_superseded(database: Database) {
    let (app, first) = signed_in(database).await;
    let second = app.refresh(&first).await.tokens();
    app.clock().advance(Duration::seconds(9));
    let third = app.refresh(&second).await.tokens();
    app.clock().advance(Duration::seconds(2));

    // The second was superseded 2 s ago, the first 11 s.
    assert_eq!(app.refresh(&second).await.tokens().refresh, third.refresh);
    app.refresh(&first).await.unauthorized(Reason::RefreshReused);
}

async fn a_clock_that_goes_back_does_not_extend_the_leeway(database: Database) {
    let (app, first) = signed_in(database).await;
    app.refresh(&first).await.tokens();
    app.clock().advance(-ONE_SECOND);
    app.refresh(&first).await.unauthorized(Reason::RefreshReused);
}

async fn three_generations_back_is_reuse_even_within_the_leeway(database: Database) {
    let (app, first) = signed_in(database).await;
    let second = app.refresh(&first).await.tokens();
    let third = app.refresh(&second).await.tokens();
    let fourth = app.refresh(&third).await.tokens();

    app.refresh(&first).await.unauthorized(Reason::RefreshReused);
    app.refresh(&fourth).await.unauthorized(Reason::SessionRevoked);
}

async fn the_leeway_ends_on_time(database: Database) {
    let (app, first) = signed_in_with(database, &[("REFRESH_LEEWAY", "3")]).await;
    let second = app.refresh(&first).await.tokens();
    app.clock().advance(Duration::seconds(3));
    assert_eq!(app.refresh(&first).await.tokens().refresh, second.refresh);
    app.clock().advance(Duration::microseconds(1));

    app.refresh(&first).await.unauthorized(Reason::RefreshReused);
}

async fn without_leeway_each_token_works_once(database: Database) {
    let (app, first) = signed_in_with(database, &[("REFRESH_LEEWAY", "0")]).await;
    let second = app.refresh(&first).await.tokens();

    app.refresh(&first).await.unauthorized(Reason::RefreshReused);
    app.refresh(&second).await.unauthorized(Reason::SessionRevoked);
}

/// A tab's request arrives first and waits while another tab's rotation, with a later time, commits.
#[actix_web::test]
async fn a_rotation_that_commits_while_a_request_waits_gives_it_leeway() {
    let (app, first) = signed_in(Database::Postgres).await;
    let second = app.refresh(&first).await.tokens();
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
    assert_eq!(generation(&response.tokens()), 3);
}

#[actix_web::test]
async fn uses_of_the_leeway_are_counted_separately() {
    const TOKEN: &str = "a-token-of-the-operators";
    let (app, first) = signed_in_with(Database::Sqlite, &[("METRICS_TOKEN", TOKEN)]).await;
    let second = app.refresh(&first).await.tokens();
    app.refresh(&first).await.tokens();
    app.refresh_with_key(&second, "attempt-1").await.tokens();
    app.refresh_with_key(&second, "attempt-1").await.tokens();
    let text = send(app.request(Method::GET, "/metrics").bearer_auth(TOKEN)).await.text();
    for (outcome, count) in [("rotated", 2), ("leeway", 1), ("repeated", 1), ("reused", 0)] {
        let line = format!("latchkey_refreshes_total{{outcome=\"{outcome}\"}} {count}\n");
        assert!(text.contains(&line), "{line}");
    }
}
