//! How often a sign-in may fail, and that failures elsewhere do not use up the budget of an account's owner.

use crate::support::guesses::{ADA, OWNER, UNKNOWN_NETWORK, WRONG, guess, start};
use crate::support::{Database, ONE_SECOND, PASSWORD, Proxy, TestApp, TestDb, on_both_databases, send};
use api::service::upkeep::prune::prune;
use auth_types::Reason;
use auth_types::requests::RegisterRequest;
use chrono::Duration;
use reqwest::Method;
use std::sync::Arc;

on_both_databases![
    a_name_has_ten_failures,
    a_limited_name_gets_the_same_response_with_and_without_an_account,
    right_passwords_cost_no_failures_and_an_account_has_thirty,
    a_right_password_refunds_only_its_own_attempt,
    concurrent_guesses_are_compared_only_up_to_the_budget,
    guesses_from_elsewhere_do_not_lock_the_owner_out,
    a_known_network_has_failures_of_its_own,
    a_network_becomes_known_by_signing_up_and_by_signing_in,
    a_network_that_was_not_seen_for_long_is_forgotten,
    one_guess_a_minute_from_a_hundred_addresses_is_limited_by_the_name,
    a_name_has_a_hundred_failures_a_day,
    a_wrong_guess_counts_though_it_cannot_be_recorded,
];

fn quarter() -> Duration {
    Duration::minutes(15)
}

async fn a_name_has_ten_failures(database: Database) {
    let app = start(database).await;
    guess(&app, ADA, 10).await;
    let failures = "SELECT count(*) FROM auth_events WHERE kind = 'login_failed'";
    assert_eq!(app.sign_in_from(UNKNOWN_NETWORK, ADA, PASSWORD).await.throttled(), 900);
    app.clock().advance(Duration::minutes(5));
    assert_eq!(app.sign_in_from(UNKNOWN_NETWORK, " ADA@Example.com", PASSWORD).await.throttled(), 600);
    assert_eq!(app.db().number(failures), 10, "a refused attempt is not compared");
    app.sign_in_from(UNKNOWN_NETWORK, "eve@example.com", WRONG).await.unauthorized(Reason::CredentialsWrong);

    app.clock().advance(Duration::minutes(10) - ONE_SECOND);
    assert_eq!(app.sign_in_from(UNKNOWN_NETWORK, ADA, PASSWORD).await.throttled(), 1);
    app.clock().advance(ONE_SECOND);
    app.sign_in_from(UNKNOWN_NETWORK, ADA, PASSWORD).await.tokens();
}

async fn a_limited_name_gets_the_same_response_with_and_without_an_account(database: Database) {
    let app = start(database).await;
    for number in 0..12 {
        let address = format!("203.0.113.{number}");
        let known = app.sign_in_from(&address, ADA, WRONG).await;
        let address = format!("192.0.2.{number}");
        let unknown = app.sign_in_from(&address, "eve@example.com", WRONG).await;
        assert_eq!(known.status, if number < 10 { 401 } else { 429 });
        assert_eq!(known.comparable(), unknown.comparable());
    }
}

async fn right_passwords_cost_no_failures_and_an_account_has_thirty(database: Database) {
    let app = start(database).await;
    for _ in 0..30 {
        app.sign_in_from(UNKNOWN_NETWORK, ADA, PASSWORD).await.tokens();
    }
    for address in [UNKNOWN_NETWORK, OWNER] {
        assert_eq!(app.sign_in_from(address, ADA, PASSWORD).await.throttled(), 900, "{address}");
    }
    guess(&app, ADA, 9).await;
}

async fn a_right_password_refunds_only_its_own_attempt(database: Database) {
    let app = start(database).await;
    guess(&app, ADA, 9).await;
    app.sign_in_from(OWNER, ADA, PASSWORD).await.tokens();
    guess(&app, ADA, 1).await;
    app.sign_in_from(UNKNOWN_NETWORK, ADA, WRONG).await.throttled();
}

async fn concurrent_guesses_are_compared_only_up_to_the_budget(database: Database) {
    let app = start(database).await;
    let addresses: Vec<_> = (0..60).map(|number| format!("203.0.113.{number}")).collect();
    let guesses = addresses.iter().map(|address| app.sign_in_from(address, ADA, WRONG));
    let responses = futures_util::future::join_all(guesses).await;
    let refused = responses.iter().filter(|response| response.status == 401).count();
    // The rest exceeds the budget or finds the hashing queue full.
    let turned_away = responses.iter().filter(|response| response.status == 429 || response.status == 503).count();
    assert_eq!((refused, turned_away), (10, 50));
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE kind = 'login_failed'"), 10);
}

async fn guesses_from_elsewhere_do_not_lock_the_owner_out(database: Database) {
    let app = start(database).await;
    let tokens = app.sign_in_from(OWNER, ADA, PASSWORD).await.tokens();
    guess(&app, ADA, 10).await;
    app.sign_in_from(UNKNOWN_NETWORK, ADA, PASSWORD).await.throttled();

    app.sign_in_from(OWNER, ADA, PASSWORD).await.tokens();
    // The session on the owner's device goes on.
    let tokens = app.refresh(&tokens).await.tokens();
    app.me(&tokens).await.done();
    // The username has a budget of its own, which is no way around the first.
    app.sign_in_from(UNKNOWN_NETWORK, "Countess", WRONG).await.unauthorized(Reason::CredentialsWrong);
    app.sign_in_from(UNKNOWN_NETWORK, ADA, PASSWORD).await.throttled();
}

async fn a_known_network_has_failures_of_its_own(database: Database) {
    let app = start(database).await;
    let home_and_work = [OWNER, "2001:db8:1:2::7"];
    for address in home_and_work {
        app.sign_in_from(address, ADA, PASSWORD).await.tokens();
    }
    for _ in 0..10 {
        app.sign_in_from(OWNER, ADA, WRONG).await.unauthorized(Reason::CredentialsWrong);
    }
    app.sign_in_from(OWNER, ADA, PASSWORD).await.throttled();
    // Another address of the same /64 is the same network.
    app.sign_in_from("2001:db8:1:2:a:b:c:d", ADA, PASSWORD).await.tokens();
    guess(&app, ADA, 10).await;
    app.sign_in_from("2001:db8:1:3::7", ADA, PASSWORD).await.throttled();
    app.clock().advance(quarter());
    app.sign_in_from(OWNER, ADA, PASSWORD).await.tokens();
}

async fn a_network_becomes_known_by_signing_up_and_by_signing_in(database: Database) {
    let app = start(database).await;
    let networks = "SELECT count(*) FROM known_networks";
    let register = |address: &'static str| {
        let request =
            RegisterRequest { email: "eve@example.com".into(), password: PASSWORD.into(), ..Default::default() };
        send(app.request(Method::POST, "/api/auth/register/").header("X-Forwarded-For", address).json(&request))
    };
    register(OWNER).await.created();
    assert_eq!(app.db().number(networks), 1);
    app.sign_in_from(UNKNOWN_NETWORK, "eve@example.com", WRONG).await.unauthorized(Reason::CredentialsWrong);
    app.sign_in_from(OWNER, "eve@example.com", PASSWORD).await.tokens();
    assert_eq!(app.db().number(networks), 1, "a failure makes no network known, and a network is stored once");
    app.sign_in_from("2001:db8:1:2::7", "eve@example.com", PASSWORD).await.tokens();
    let noted = "SELECT count(*) FROM known_networks WHERE network = '2001:db8:1:2::/64'";
    assert_eq!(app.db().number(noted), 1);
}

async fn a_network_that_was_not_seen_for_long_is_forgotten(database: Database) {
    let app = start(database).await;
    let networks = "SELECT count(*) FROM known_networks";
    app.sign_in_from(OWNER, ADA, PASSWORD).await.tokens();
    app.clock().advance(app.settings().lifetimes.session - Duration::hours(1));
    app.sign_in_from(UNKNOWN_NETWORK, ADA, PASSWORD).await.tokens();
    prune(app.services()).await.unwrap();
    assert_eq!(app.db().number(networks), 2);
    // A network that is seen again is kept from then on.
    app.sign_in_from(OWNER, ADA, PASSWORD).await.tokens();
    app.clock().advance(app.settings().lifetimes.session);
    prune(app.services()).await.unwrap();
    assert_eq!(app.db().number(networks), 2);
    app.clock().advance(ONE_SECOND);
    prune(app.services()).await.unwrap();
    assert_eq!(app.db().number(networks), 0);
}

async fn one_guess_a_minute_from_a_hundred_addresses_is_limited_by_the_name(database: Database) {
    let app = start(database).await;
    let mut compared = Vec::new();
    for minute in 0..60_u8 {
        let response = app.sign_in_from(&format!("203.0.113.{minute}"), ADA, WRONG).await;
        compared.push(response.status == 401);
        app.clock().advance(Duration::minutes(1));
    }
    assert!(compared[..10].iter().all(|compared| *compared));
    for window in compared.windows(15) {
        assert!(window.iter().filter(|compared| **compared).count() <= 10);
    }
}

async fn a_name_has_a_hundred_failures_a_day(database: Database) {
    let app = start(database).await;
    for _ in 0..10 {
        guess(&app, ADA, 10).await;
        app.clock().advance(quarter());
    }
    let wait = app.sign_in_from(UNKNOWN_NETWORK, ADA, WRONG).await.throttled();
    assert_eq!(wait, (Duration::hours(24) - quarter() * 10).num_seconds());
    app.clock().advance(Duration::seconds(wait));
    guess(&app, ADA, 10).await;
}

async fn a_wrong_guess_counts_though_it_cannot_be_recorded(database: Database) {
    let app = start(database).await;
    app.db().execute("ALTER TABLE auth_events RENAME TO gone");
    for number in 0..10 {
        let response = app.sign_in_from(&format!("203.0.113.{number}"), ADA, WRONG).await;
        assert!(response.status.is_server_error(), "{}", response.text());
    }
    app.sign_in_from(UNKNOWN_NETWORK, ADA, WRONG).await.throttled();
    app.db().execute("ALTER TABLE gone RENAME TO auth_events");
}

#[actix_web::test]
async fn a_client_has_a_hundred_failures_whatever_the_names() {
    let app = start(Database::Sqlite).await;
    for number in 0..100 {
        let name = format!("user{number}@example.com");
        app.sign_in_from(UNKNOWN_NETWORK, &name, WRONG).await.unauthorized(Reason::CredentialsWrong);
    }
    assert_eq!(app.sign_in_from(UNKNOWN_NETWORK, "one.more@example.com", WRONG).await.throttled(), 900);
    app.sign_in_from(UNKNOWN_NETWORK, ADA, PASSWORD).await.throttled();
    app.sign_in_from(OWNER, ADA, PASSWORD).await.tokens();
}

/// While the database is unavailable, the client's budget still refuses, and a guess that could not be compared does not
/// count.
#[actix_web::test]
async fn a_refused_client_costs_no_database_work_and_a_failed_server_costs_no_attempt() {
    let db = Arc::new(TestDb::migrated(Database::Postgres));
    let proxy = Proxy::before(db.server_address());
    let builder = TestApp::builder_on(Arc::clone(&db)).user(ADA).limited();
    let app = builder.set("DATABASE_URL", db.url_through(proxy.address())).start().await;
    for number in 0..100 {
        let name = format!("user{number}@example.com");
        app.sign_in_from(UNKNOWN_NETWORK, &name, WRONG).await.unauthorized(Reason::CredentialsWrong);
    }
    proxy.cut();
    app.sign_in_from(UNKNOWN_NETWORK, ADA, PASSWORD).await.throttled();
    app.sign_in_from(OWNER, ADA, WRONG).await.problem_of(503, Reason::Unavailable);
    proxy.restore();
    let response = app.sign_in_from(OWNER, ADA, WRONG).await;
    assert!(
        response.header("ratelimit").contains(r#""sign-in-client";r=99;t=900"#),
        "{}",
        response.header("ratelimit")
    );
}
