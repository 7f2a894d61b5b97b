//! How many attempts strangers have, and that they do not use up the attempts of an account's owner.

use crate::support::{
    Database, ONE_SECOND, OWN_ADDRESS, PASSWORD, Proxy, TestApp, TestDb, TestResponse, forge, on_both_databases, send,
};
use api::service::ClientInfo;
use api::service::limits::{Budget, Network};
use api::service::upkeep::prune::prune;
use auth_types::requests::RegisterRequest;
use auth_types::responses::TokenResponse;
use auth_types::{Reason, Role};
use chrono::Duration;
use reqwest::Method;
use serde_json::json;
use std::sync::Arc;

on_both_databases![
    a_name_has_ten_failures,
    a_limited_name_gets_the_same_response_with_and_without_an_account,
    right_passwords_cost_no_failures_and_an_account_has_thirty,
    a_right_password_refunds_only_its_own_attempt,
    concurrent_guesses_are_compared_only_up_to_the_budget,
    a_stranger_does_not_lock_the_owner_out,
    a_known_network_has_failures_of_its_own,
    a_network_becomes_known_by_signing_up_and_by_signing_in,
    a_network_that_was_not_seen_for_long_is_forgotten,
    one_guess_a_minute_from_a_hundred_addresses_is_limited_by_the_name,
    a_name_has_a_hundred_failures_a_day,
    a_refused_sign_up_writes_nothing,
    a_wrong_guess_counts_though_it_cannot_be_recorded,
    a_request_that_failed_in_the_database_costs_no_budget,
];

const ADA: &str = "ada@example.com";
const WRONG: &str = "violet harbor lantern 43";
const OWNER: &str = "198.51.100.1";
const STRANGER: &str = "203.0.113.9";

fn quarter() -> Duration {
    Duration::minutes(15)
}

async fn start(database: Database) -> TestApp {
    TestApp::builder(database).account(ADA, Some("countess"), Role::User).limited().start().await
}

/// Guesses, each from another address, so that only the name counts.
async fn guess(app: &TestApp, name: &str, times: u8) {
    for number in 0..times {
        app.sign_in_from(&format!("203.0.113.{number}"), name, WRONG).await.refused(Reason::CredentialsWrong);
    }
}

async fn a_name_has_ten_failures(database: Database) {
    let app = start(database).await;
    guess(&app, ADA, 10).await;
    let failures = "SELECT count(*) FROM auth_events WHERE kind = 'login_failed'";
    assert_eq!(app.sign_in_from(STRANGER, ADA, PASSWORD).await.throttled(), 900);
    app.clock().advance(Duration::minutes(5));
    assert_eq!(app.sign_in_from(STRANGER, " ADA@Example.com", PASSWORD).await.throttled(), 600);
    assert_eq!(app.db().number(failures), 10, "a refused attempt is not compared");
    app.sign_in_from(STRANGER, "eve@example.com", WRONG).await.refused(Reason::CredentialsWrong);

    app.clock().advance(Duration::minutes(10) - ONE_SECOND);
    assert_eq!(app.sign_in_from(STRANGER, ADA, PASSWORD).await.throttled(), 1);
    app.clock().advance(ONE_SECOND);
    app.sign_in_from(STRANGER, ADA, PASSWORD).await.ok();
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
        app.sign_in_from(STRANGER, ADA, PASSWORD).await.ok();
    }
    for address in [STRANGER, OWNER] {
        assert_eq!(app.sign_in_from(address, ADA, PASSWORD).await.throttled(), 900, "{address}");
    }
    guess(&app, ADA, 9).await;
}

async fn a_right_password_refunds_only_its_own_attempt(database: Database) {
    let app = start(database).await;
    guess(&app, ADA, 9).await;
    app.sign_in_from(OWNER, ADA, PASSWORD).await.ok();
    guess(&app, ADA, 1).await;
    app.sign_in_from(STRANGER, ADA, WRONG).await.throttled();
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

async fn a_stranger_does_not_lock_the_owner_out(database: Database) {
    let app = start(database).await;
    let tokens = app.sign_in_from(OWNER, ADA, PASSWORD).await.ok();
    guess(&app, ADA, 10).await;
    app.sign_in_from(STRANGER, ADA, PASSWORD).await.throttled();

    app.sign_in_from(OWNER, ADA, PASSWORD).await.ok();
    // The session on the owner's device goes on.
    let tokens = app.refresh(&tokens).await.ok();
    app.me(&tokens).await.done();
    // The username has a budget of its own, which is no way around the first.
    app.sign_in_from(STRANGER, "Countess", WRONG).await.refused(Reason::CredentialsWrong);
    app.sign_in_from(STRANGER, ADA, PASSWORD).await.throttled();
}

async fn a_known_network_has_failures_of_its_own(database: Database) {
    let app = start(database).await;
    let home_and_work = [OWNER, "2001:db8:1:2::7"];
    for address in home_and_work {
        app.sign_in_from(address, ADA, PASSWORD).await.ok();
    }
    for _ in 0..10 {
        app.sign_in_from(OWNER, ADA, WRONG).await.refused(Reason::CredentialsWrong);
    }
    app.sign_in_from(OWNER, ADA, PASSWORD).await.throttled();
    // Another address of the same /64 is the same network.
    app.sign_in_from("2001:db8:1:2:a:b:c:d", ADA, PASSWORD).await.ok();
    guess(&app, ADA, 10).await;
    app.sign_in_from("2001:db8:1:3::7", ADA, PASSWORD).await.throttled();
    app.clock().advance(quarter());
    app.sign_in_from(OWNER, ADA, PASSWORD).await.ok();
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
    app.sign_in_from(STRANGER, "eve@example.com", WRONG).await.refused(Reason::CredentialsWrong);
    app.sign_in_from(OWNER, "eve@example.com", PASSWORD).await.ok();
    assert_eq!(app.db().number(networks), 1, "a failure makes no network known, and a network is stored once");
    app.sign_in_from("2001:db8:1:2::7", "eve@example.com", PASSWORD).await.ok();
    let noted = "SELECT count(*) FROM known_networks WHERE network = '2001:db8:1:2::/64'";
    assert_eq!(app.db().number(noted), 1);
}

async fn a_network_that_was_not_seen_for_long_is_forgotten(database: Database) {
    let app = start(database).await;
    let networks = "SELECT count(*) FROM known_networks";
    app.sign_in_from(OWNER, ADA, PASSWORD).await.ok();
    app.clock().advance(app.settings().lifetimes.session - Duration::hours(1));
    app.sign_in_from(STRANGER, ADA, PASSWORD).await.ok();
    prune(app.services()).await.unwrap();
    assert_eq!(app.db().number(networks), 2);
    // A network that is seen again is kept from then on.
    app.sign_in_from(OWNER, ADA, PASSWORD).await.ok();
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
    let wait = app.sign_in_from(STRANGER, ADA, WRONG).await.throttled();
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
    app.sign_in_from(STRANGER, ADA, WRONG).await.throttled();
    app.db().execute("ALTER TABLE gone RENAME TO auth_events");
}

/// From now on no row can be inserted into these tables.
fn fail_inserts(app: &TestApp, tables: &[&str]) {
    let failure = match app.db().database() {
        Database::Sqlite => "BEGIN SELECT RAISE(ABORT, 'no room'); END",
        Database::Postgres => {
            app.db().execute(
                "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RAISE EXCEPTION 'no room'; END $$",
            );
            "FOR EACH ROW EXECUTE FUNCTION fail()"
        }
    };
    for table in tables {
        app.db().execute(&format!("CREATE TRIGGER fails_{table} BEFORE INSERT ON {table} {failure}"));
    }
}

fn allow_inserts(app: &TestApp, tables: &[&str]) {
    for table in tables {
        let on_table = if app.db().database() == Database::Postgres { format!("ON {table}") } else { String::new() };
        app.db().execute(&format!("DROP TRIGGER fails_{table} {on_table}"));
    }
}

/// More often than any budget allows: a request that failed with 503 costs no budget.
async fn a_request_that_failed_in_the_database_costs_no_budget(database: Database) {
    const TABLES: [&str; 2] = ["mail_outbox", "auth_events"];
    let app = start(database).await;
    let tokens = app.login(ADA).await;
    let password = json!({"current_password": PASSWORD, "new_password": "amber lighthouse window 17"});
    let export = || send(app.request_as(&tokens, Method::GET, "/api/auth/me/export/"));
    let email = json!({"email": ADA});
    let reset = || app.post("/api/auth/password/reset/", &email);
    let change = || send(app.request_as(&tokens, Method::POST, "/api/auth/password/change/").json(&password));
    let resend = || app.post("/api/auth/email/resend/", &email);
    let new =
        RegisterRequest { email: "new@example.com".to_owned(), password: PASSWORD.to_owned(), ..Default::default() };
    fail_inserts(&app, &TABLES);
    for _ in 0..=20 {
        export().await.failed(503, Reason::Unavailable);
        reset().await.failed(503, Reason::Unavailable);
        change().await.failed(503, Reason::Unavailable);
        resend().await.failed(503, Reason::Unavailable);
        app.register(&new).await.failed(503, Reason::Unavailable);
    }
    for _ in 0..=30 {
        app.sign_in(ADA, PASSWORD).await.failed(503, Reason::Unavailable);
    }
    allow_inserts(&app, &TABLES);
    app.register(&new).await.created();
    resend().await.has_status(202);
    app.login(ADA).await;
    export().await.has_status(200);
    reset().await.has_status(202);
    change().await.ok();
}

async fn sign_up(app: &TestApp, address: &str, email: &str) -> TestResponse {
    let request = RegisterRequest { email: email.to_owned(), password: PASSWORD.to_owned(), ..Default::default() };
    send(app.request(Method::POST, "/api/auth/register/").header("X-Forwarded-For", address).json(&request)).await
}

async fn a_refused_sign_up_writes_nothing(database: Database) {
    let app = start(database).await;
    // A taken address counts too, since it shows who has an account; so does a malformed one, since it takes time.
    for (number, email) in [ADA, "x@y"].into_iter().enumerate() {
        let response = sign_up(&app, &format!("2001:db8:1:2::{number}"), email).await;
        response.problem(if email == ADA { 409 } else { 400 });
    }
    for number in 2..20 {
        sign_up(&app, &format!("2001:db8:1:2:{number}::9"), &format!("user{number}@example.com")).await.created();
    }
    let before = app.db().content();
    assert_eq!(sign_up(&app, "2001:db8:1:2::1", "more@example.com").await.throttled(), 3600);
    assert_eq!(app.db().content(), before);
    sign_up(&app, "2001:db8:1:3::1", "more@example.com").await.created();
    app.clock().advance(Duration::hours(1));
    sign_up(&app, "2001:db8:1:2::1", "last@example.com").await.created();
}

#[actix_web::test]
async fn a_client_has_a_hundred_failures_whatever_the_names() {
    let app = start(Database::Sqlite).await;
    for number in 0..100 {
        let name = format!("user{number}@example.com");
        app.sign_in_from(STRANGER, &name, WRONG).await.refused(Reason::CredentialsWrong);
    }
    assert_eq!(app.sign_in_from(STRANGER, "one.more@example.com", WRONG).await.throttled(), 900);
    app.sign_in_from(STRANGER, ADA, PASSWORD).await.throttled();
    app.sign_in_from(OWNER, ADA, PASSWORD).await.ok();
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
        app.sign_in_from(STRANGER, &name, WRONG).await.refused(Reason::CredentialsWrong);
    }
    proxy.cut();
    app.sign_in_from(STRANGER, ADA, PASSWORD).await.throttled();
    app.sign_in_from(OWNER, ADA, WRONG).await.failed(503, Reason::Unavailable);
    proxy.restore();
    let response = app.sign_in_from(OWNER, ADA, WRONG).await;
    assert!(
        response.header("ratelimit").contains(r#""sign-in-client";r=99;t=900"#),
        "{}",
        response.header("ratelimit")
    );
}

#[actix_web::test]
async fn a_session_has_sixty_refreshes_a_minute_and_stays() {
    let app = start(Database::Sqlite).await;
    let (mut tokens, other) = (app.login(ADA).await, app.login(ADA).await);
    for _ in 0..60 {
        tokens = app.refresh(&tokens).await.ok();
    }
    let before = app.db().content();
    assert_eq!(app.refresh(&tokens).await.throttled(), 60);
    assert_eq!(app.db().content(), before);
    app.refresh(&other).await.ok();
    app.me(&tokens).await.done();
    app.clock().advance(Duration::minutes(1));
    app.refresh(&tokens).await.ok();
}

#[actix_web::test]
async fn forged_tokens_spend_no_refreshes_of_the_session() {
    let app = start(Database::Sqlite).await;
    let tokens: TokenResponse = app.login(ADA).await;
    let forged = forge::claims_with(&tokens.refresh, "exp", serde_json::json!(1));
    let forged = forge::sign_claims(&forged);
    for _ in 0..70 {
        assert_eq!(app.refresh(&forged).await.status, 401);
    }
    app.refresh(&tokens).await.ok();
}

#[actix_web::test]
async fn a_client_that_presents_thousands_of_tokens_is_throttled() {
    let app = start(Database::Sqlite).await;
    let tokens = app.login(ADA).await;
    let address: std::net::IpAddr = OWN_ADDRESS.parse().unwrap();
    let client = ClientInfo { network: Some(Network::from(address)), ..ClientInfo::default() };
    while app.services().limits.attempts(&client).by_client(Budget::RequestsClient).await.is_ok() {}
    assert!(app.verify(&tokens.access).await.throttled() <= 61);
    assert!(app.refresh(&tokens).await.throttled() <= 61);
    app.me(&tokens).await.throttled();
    app.clock().advance(Duration::seconds(61));
    app.verify(&tokens.access).await.done();
}

#[actix_web::test]
async fn every_limited_response_reports_its_budgets() {
    let app = start(Database::Sqlite).await;
    let policies = |response: &TestResponse| response.header("ratelimit-policy").to_owned();
    let wrong = app.sign_in_from(STRANGER, ADA, WRONG).await;
    let own = r#""requests-client";q=6000;w=60, "requests-stranger";q=600;w=60, "sign-in-client";q=100;w=900, "signed-in-client";q=1000;w=900"#;
    assert_eq!(policies(&wrong), own, "budgets of the client only, none of the name");
    assert!(wrong.header("ratelimit").contains(r#""sign-in-client";r=99;t=900, "signed-in-client";r=1000"#));
    app.clock().advance(Duration::minutes(1));
    let right = app.sign_in_from(STRANGER, ADA, PASSWORD).await;
    // The attempt with the right password is refunded; the one with the wrong password still counts.
    assert!(right.header("ratelimit").contains(r#""sign-in-client";r=99;t=840, "signed-in-client";r=999"#));
    assert_eq!(
        policies(&right),
        format!(r#"{own}, "signed-in-user";q=30;w=900"#),
        "the account's budget once the caller is authenticated"
    );
    let tokens = right.ok();
    let refreshed = app.refresh(&tokens).await;
    let of_token = r#""requests-client";q=6000;w=60, "requests-session";q=600;w=60"#;
    assert_eq!(policies(&refreshed), format!(r#"{of_token}, "refresh-session";q=60;w=60"#));
    assert_eq!(policies(&app.me(&refreshed.ok()).await), of_token);
    assert!(!app.get("/healthz").await.headers.contains_key("ratelimit"), "a route without limits reports no budgets");
}

/// Comparing two networks shows neither that an account exists nor which networks it knows.
#[actix_web::test]
async fn no_header_reports_the_budget_of_a_name_or_a_known_network() {
    let app = start(Database::Sqlite).await;
    app.sign_in_from(OWNER, ADA, PASSWORD).await.ok();
    // A success counts for up to a sixtieth of its window longer.
    app.clock().advance(Duration::minutes(16));
    guess(&app, ADA, 9).await;
    let known = app.sign_in_from(OWNER, ADA, WRONG).await;
    let stranger = app.sign_in_from("192.0.2.1", ADA, WRONG).await;
    let unknown = app.sign_in_from("192.0.2.2", "eve@example.com", WRONG).await;
    assert_eq!(known.comparable(), unknown.comparable());
    assert_eq!(stranger.comparable(), unknown.comparable());
    for header in ["ratelimit", "ratelimit-policy"] {
        assert_eq!(known.header(header), unknown.header(header));
        assert_eq!(stranger.header(header), unknown.header(header));
    }
}

#[actix_web::test]
async fn without_a_proxy_the_peer_is_the_client() {
    let app = TestApp::builder(Database::Sqlite).limited().set("TRUSTED_PROXY_HOPS", "0").start().await;
    for number in 0..=20 {
        let email = format!("user{number}@example.com");
        let response = app.register(&RegisterRequest { email, password: PASSWORD.into(), ..Default::default() }).await;
        response.has_status(if number < 20 { 201 } else { 429 });
    }
}

#[actix_web::test]
async fn limits_that_are_off_are_off() {
    let app = TestApp::builder(Database::Sqlite).user(ADA).start().await;
    for _ in 0..12 {
        let response = app.sign_in(ADA, WRONG).await;
        assert!(!response.headers.contains_key("ratelimit"));
        response.refused(Reason::CredentialsWrong);
    }
    app.login(ADA).await;
}
