//! The client's address in use: what is stored and logged of it, and what the limits count by it.

use crate::support::{Database, PASSWORD, Process, TestApp, TestDb, TestResponse, on_both_databases, send};
use crate::support::{EDGE, INNER};
use auth_types::Reason;
use auth_types::requests::RegisterRequest;
use auth_types::responses::{SessionResponse, TokenResponse};
use reqwest::{Method, RequestBuilder};
use serde_json::json;

on_both_databases![
    two_clients_behind_the_proxies_of_render_are_distinguished,
    clients_behind_a_proxy_that_is_not_configured_share_no_budget,
];

const ADA: &str = "ada@example.com";

/// Every header that some proxy uses for the client, with an address that changes.
fn spoofed(request: RequestBuilder, turn: u8) -> RequestBuilder {
    let fake = format!("6.6.6.{turn}");
    let names = ["X-Real-IP", "CF-Connecting-IP", "True-Client-IP", "X-Client-IP", "Fastly-Client-IP", "X-Forwarded"];
    let request = names.iter().fold(request, |request, name| request.header(*name, &fake));
    request.header("Forwarded", format!("for={fake};proto=https")).header("X-Forwarded-For", fake)
}

/// The addresses stored for five sign-ins whose requests passed these proxies.
async fn stored_addresses(app: &TestApp, appended: Option<&str>) -> Vec<Option<String>> {
    let mut tokens = None;
    for turn in 1..=5 {
        let login = app.request(Method::POST, "/api/auth/login/").json(&json!({"email": ADA, "password": PASSWORD}));
        let mut login = spoofed(login, turn);
        if let Some(entries) = appended {
            login = login.header("X-Forwarded-For", entries);
        }
        tokens = Some(send(login).await.tokens());
    }
    let tokens: TokenResponse = tokens.unwrap();
    let sessions: Vec<SessionResponse> = app.sessions(&tokens).await.json();
    assert_eq!(sessions.len(), 5);
    sessions.into_iter().map(|session| session.ip_address).collect()
}

#[actix_web::test]
async fn forged_headers_do_not_change_the_stored_addresses() {
    let app = TestApp::builder(Database::Sqlite).user(ADA).start().await;
    assert_eq!(stored_addresses(&app, None).await, vec![Some("127.0.0.1".to_owned()); 5]);
    let forged = "SELECT count(*) FROM auth_events WHERE ip_address IS NOT NULL AND ip_address <> '127.0.0.1'";
    assert_eq!(app.db().number(forged), 0);

    for (variable, value, appended) in [
        ("TRUSTED_PROXY_HOPS", "1", "203.0.113.7"),
        ("TRUSTED_PROXIES", "127.0.0.1", "203.0.113.7"),
        ("RENDER", "true", "203.0.113.7, 104.22.17.40"),
    ] {
        let app = TestApp::builder(Database::Sqlite).user(ADA).set(variable, value).start().await;
        assert_eq!(stored_addresses(&app, Some(appended)).await, vec![Some("203.0.113.7".to_owned()); 5], "{variable}");
    }
}

/// One of many sign-ups whose request comes with this header.
async fn sign_up(app: &TestApp, forwarded: &str, number: usize) -> TestResponse {
    let email = format!("user{number}@example.com");
    let request = RegisterRequest { email, password: PASSWORD.into(), ..Default::default() };
    send(app.request(Method::POST, "/api/auth/register/").header("X-Forwarded-For", forwarded).json(&request)).await
}

async fn unknown_clients(app: &TestApp) -> u64 {
    let metrics = send(app.request(Method::GET, "/metrics").bearer_auth("t")).await.text();
    let line = metrics.lines().find_map(|line| line.strip_prefix("latchkey_unknown_clients_total "));
    line.unwrap_or_else(|| panic!("{metrics}")).parse().unwrap()
}

async fn two_clients_behind_the_proxies_of_render_are_distinguished(database: Database) {
    let builder = TestApp::builder(database).set("RATE_LIMITS", "on").set("RENDER", "true");
    let app = builder.set("METRICS_TOKEN", "t").start().await;
    let behind = |client: &str, turn: usize| match turn % 3 {
        0 => format!("{client}, {EDGE}, {INNER}"),
        1 => format!("{client}, {EDGE}"),
        _ => format!("6.6.6.{turn}, {client}, {EDGE}, {INNER}"),
    };
    for number in 0..20 {
        sign_up(&app, &behind("203.0.113.9", number), number).await.created();
    }
    for number in 20..23 {
        sign_up(&app, &behind("203.0.113.9", number), number).await.throttled();
    }
    let other = sign_up(&app, &behind("203.0.113.10", 0), 23).await.created();
    let sessions: Vec<SessionResponse> = app.sessions(&other).await.json();
    assert_eq!(sessions[0].ip_address.as_deref(), Some("203.0.113.10"));
    let networks = "SELECT count(*) FROM known_networks WHERE network = '203.0.113.9'";
    assert_eq!(app.db().number(networks), 20);
    assert_eq!(unknown_clients(&app).await, 0);
}

/// All clients behind a proxy that the API does not know share its address, so no budget is counted by it, and it becomes
/// no account's known network.
async fn clients_behind_a_proxy_that_is_not_configured_share_no_budget(database: Database) {
    let header = format!("203.0.113.9, {EDGE}, {INNER}");
    for (variable, value, seen) in [
        ("TRUSTED_PROXY_HOPS", "0", Some("127.0.0.1")),
        ("TRUSTED_PROXY_HOPS", "1", Some(INNER)),
        ("TRUSTED_PROXY_HOPS", "2", Some(EDGE)),
        ("TRUSTED_PROXY_HOPS", "4", Some("127.0.0.1")),
        ("TRUSTED_PROXIES", "private", Some(EDGE)),
        ("TRUSTED_PROXIES", "192.0.2.1", Some("127.0.0.1")),
    ] {
        let builder = TestApp::builder(database).set("RATE_LIMITS", "on").set(variable, value);
        let app = builder.set("METRICS_TOKEN", "t").start().await;
        let mut tokens = None;
        for number in 0..21 {
            tokens = Some(sign_up(&app, &header, number).await.created());
        }
        assert_eq!(unknown_clients(&app).await, 21, "{variable}={value}");
        let sessions: Vec<SessionResponse> = app.sessions(&tokens.unwrap()).await.json();
        assert_eq!(sessions[0].ip_address.as_deref(), seen, "{variable}={value}");
        assert_eq!(app.db().number("SELECT count(*) FROM known_networks"), 0, "{variable}={value}");
        // Names are limited all the same.
        for _ in 0..10 {
            app.sign_in_from(&header, "user1@example.com", "a wrong password")
                .await
                .unauthorized(Reason::CredentialsWrong);
        }
        app.sign_in_from(&header, "user1@example.com", "a wrong password").await.throttled();
    }
}

/// Once, however many there are; the line names the address, so that an operator sees which proxy is missing.
#[actix_web::test]
async fn unknown_clients_are_logged_once_with_the_address_that_was_seen() {
    let db = TestDb::migrated(Database::Sqlite);
    let process = Process::start_with(db.url(), &[("TRUSTED_PROXY_HOPS", "1")]);
    for _ in 0..3 {
        let login =
            process.request(Method::POST, "/api/auth/login/").header("X-Forwarded-For", "203.0.113.9, 10.21.157.68");
        assert_eq!(send(login.json(&json!({"email": ADA, "password": PASSWORD}))).await.status, 401);
    }
    process.terminate();
    let lines = process.live_log().until_end();
    let logged: Vec<_> = lines.iter().filter(|line| line.contains("limits.client: ")).collect();
    assert_eq!(logged.len(), 1, "{lines:?}");
    assert!(logged[0].contains("10.21.157.68") && logged[0].contains("TRUSTED_PROXIES"), "{logged:?}");
}
