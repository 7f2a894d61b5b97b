//! The budgets of sign-ups, refreshes and requests, and the headers that report them.

use crate::support::guesses::{ADA, OWNER, UNKNOWN_NETWORK, WRONG, guess, start};
use crate::support::{Database, OWN_ADDRESS, PASSWORD, TestApp, TestResponse, forge, on_both_databases, send};
use api::service::ClientInfo;
use api::service::limits::{Budget, Network};
use auth_types::Reason;
use auth_types::requests::RegisterRequest;
use auth_types::responses::TokenResponse;
use chrono::Duration;
use reqwest::Method;
use serde_json::json;

on_both_databases![a_refused_sign_up_writes_nothing, a_request_that_failed_in_the_database_costs_no_budget];

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
        export().await.problem_of(503, Reason::Unavailable);
        reset().await.problem_of(503, Reason::Unavailable);
        change().await.problem_of(503, Reason::Unavailable);
        resend().await.problem_of(503, Reason::Unavailable);
        app.register(&new).await.problem_of(503, Reason::Unavailable);
    }
    for _ in 0..=30 {
        app.sign_in(ADA, PASSWORD).await.problem_of(503, Reason::Unavailable);
    }
    allow_inserts(&app, &TABLES);
    app.register(&new).await.created();
    resend().await.has_status(202);
    app.login(ADA).await;
    export().await.has_status(200);
    reset().await.has_status(202);
    change().await.tokens();
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
async fn a_session_has_sixty_refreshes_a_minute_and_stays() {
    let app = start(Database::Sqlite).await;
    let (mut tokens, other) = (app.login(ADA).await, app.login(ADA).await);
    for _ in 0..60 {
        tokens = app.refresh(&tokens).await.tokens();
    }
    let before = app.db().content();
    assert_eq!(app.refresh(&tokens).await.throttled(), 60);
    assert_eq!(app.db().content(), before);
    app.refresh(&other).await.tokens();
    app.me(&tokens).await.done();
    app.clock().advance(Duration::minutes(1));
    app.refresh(&tokens).await.tokens();
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
    app.refresh(&tokens).await.tokens();
}

#[actix_web::test]
async fn a_client_that_presents_thousands_of_tokens_is_throttled() {
    let app = start(Database::Sqlite).await;
    let tokens = app.login(ADA).await;
    let address: std::net::IpAddr = OWN_ADDRESS.parse().unwrap();
    let client = ClientInfo { network: Some(Network::from(address)), ..ClientInfo::default() };
    while app.services().limits.charges(&client).charge_client(Budget::RequestsClient).await.is_ok() {}
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
    let wrong = app.sign_in_from(UNKNOWN_NETWORK, ADA, WRONG).await;
    let own = r#""requests-client";q=6000;w=60, "requests-stranger";q=600;w=60, "sign-in-client";q=100;w=900, "signed-in-client";q=1000;w=900"#;
    assert_eq!(policies(&wrong), own, "budgets of the client only, none of the name");
    assert!(wrong.header("ratelimit").contains(r#""sign-in-client";r=99;t=900, "signed-in-client";r=1000"#));
    app.clock().advance(Duration::minutes(1));
    let right = app.sign_in_from(UNKNOWN_NETWORK, ADA, PASSWORD).await;
    // The attempt with the right password is refunded; the one with the wrong password still counts.
    assert!(right.header("ratelimit").contains(r#""sign-in-client";r=99;t=840, "signed-in-client";r=999"#));
    assert_eq!(
        policies(&right),
        format!(r#"{own}, "signed-in-user";q=30;w=900"#),
        "the account's budget once the caller is authenticated"
    );
    let tokens = right.tokens();
    let refreshed = app.refresh(&tokens).await;
    let of_token = r#""requests-client";q=6000;w=60, "requests-session";q=600;w=60"#;
    assert_eq!(policies(&refreshed), format!(r#"{of_token}, "refresh-session";q=60;w=60"#));
    assert_eq!(policies(&app.me(&refreshed.tokens()).await), of_token);
    assert!(!app.get("/healthz").await.headers.contains_key("ratelimit"), "a route without limits reports no budgets");
}

/// Comparing two networks shows neither that an account exists nor which networks it knows.
#[actix_web::test]
async fn no_header_reports_the_budget_of_a_name_or_a_known_network() {
    let app = start(Database::Sqlite).await;
    app.sign_in_from(OWNER, ADA, PASSWORD).await.tokens();
    // A success counts for up to a sixtieth of its window longer.
    app.clock().advance(Duration::minutes(16));
    guess(&app, ADA, 9).await;
    let known = app.sign_in_from(OWNER, ADA, WRONG).await;
    let elsewhere = app.sign_in_from("192.0.2.1", ADA, WRONG).await;
    let unknown = app.sign_in_from("192.0.2.2", "eve@example.com", WRONG).await;
    assert_eq!(known.comparable(), unknown.comparable());
    assert_eq!(elsewhere.comparable(), unknown.comparable());
    for header in ["ratelimit", "ratelimit-policy"] {
        assert_eq!(known.header(header), unknown.header(header));
        assert_eq!(elsewhere.header(header), unknown.header(header));
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
        response.unauthorized(Reason::CredentialsWrong);
    }
    app.login(ADA).await;
}
