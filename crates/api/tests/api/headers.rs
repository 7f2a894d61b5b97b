//! The security headers of every response, for each status and each layer that may send it.

use crate::support::{Database, PASSWORD, TestApp, TestResponse, raw, send};
use reqwest::Method;
use serde_json::json;

const ADA: &str = "ada@example.com";
const APP: &str = "https://app.example.com";
const API_POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const HSTS: &str = "max-age=63072000; includeSubDomains";

async fn start() -> TestApp {
    TestApp::builder(Database::Sqlite).user(ADA).set("CORS_ALLOWED_ORIGINS", APP).start().await
}

#[track_caller]
fn assert_security_headers(response: &TestResponse, what: &str) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=()"),
    ] {
        let values: Vec<_> = response.headers.get_all(name).iter().collect();
        assert_eq!(values, [value], "{name} of {what}");
    }
    let policy = response.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; "), "{what}: {policy}");
    assert!(policy.ends_with("frame-ancestors 'none'"), "{what}: {policy}");
    assert!(response.header("vary").split(", ").any(|name| name == "Origin"), "{what}: {}", response.header("vary"));
    assert_eq!(response.header("x-request-id").len(), 32, "{what}");
    assert!(!response.headers.contains_key("server") && !response.headers.contains_key("x-powered-by"), "{what}");
}

/// One response of each kind, with its name.
async fn all_kinds(app: &TestApp) -> Vec<(&'static str, TestResponse)> {
    let request = |method, path| app.request(method, path);
    let login = request(Method::POST, "/api/auth/login/").json(&json!({"email": ADA, "password": PASSWORD}));
    let preflight = request(Method::OPTIONS, "/api/auth/me/").header("Access-Control-Request-Method", "GET");
    let preflight = || preflight.try_clone().unwrap();
    let post = || request(Method::POST, "/api/auth/login/");
    vec![
        ("200", send(request(Method::GET, "/healthz")).await),
        ("200 with tokens", send(login).await),
        ("a HEAD", send(request(Method::HEAD, "/healthz")).await),
        ("400", send(post().json(&json!({}))).await),
        ("401", app.get("/api/auth/me/").await),
        ("403", send(post().header("Origin", "https://evil.com")).await),
        ("404", app.get("/nowhere").await),
        ("405", send(request(Method::PUT, "/api/auth/login/")).await),
        ("413", send(post().json(&json!({"email": "x".repeat(70_000)}))).await),
        ("415", send(post().body("{}")).await),
        ("a preflight", send(preflight().header("Origin", APP)).await),
        ("a foreign preflight", send(preflight().header("Origin", "https://evil.com")).await),
        ("not HTTP", raw::exchange(app.address(), b"hello\r\n\r\n").await.unwrap()),
        ("a huge head", raw::exchange(app.address(), &huge_head()).await.unwrap()),
    ]
}

fn huge_head() -> Vec<u8> {
    format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(200_000)).into_bytes()
}

#[actix_web::test]
async fn every_response_carries_the_security_headers() {
    let app = start().await;
    for (what, response) in all_kinds(&app).await {
        assert_security_headers(&response, what);
        assert_eq!(response.header("content-security-policy"), API_POLICY, "{what}");
        assert_eq!(response.header("cache-control"), "no-store", "{what}");
        assert!(!response.headers.contains_key("strict-transport-security"), "{what}: development speaks HTTP");
    }
}

#[actix_web::test]
async fn a_server_error_carries_the_security_headers_too() {
    let app = start().await;
    app.db().execute("DROP TABLE auth_events");
    let response = app.sign_in(ADA, PASSWORD).await;
    response.has_status(503);
    assert_security_headers(&response, "503");
}

#[actix_web::test]
async fn every_response_in_production_keeps_browsers_on_https() {
    let app = TestApp::builder(Database::Sqlite).production().user(ADA).set("CORS_ALLOWED_ORIGINS", APP).start().await;
    let mut responses = all_kinds(&app).await;
    for (what, method) in [("a redirect", Method::GET), ("in plaintext", Method::POST), ("an OPTIONS", Method::OPTIONS)]
    {
        let request = app.request(method, "/api/auth/config/").header("X-Forwarded-Proto", "http");
        responses.push((what, send(request).await));
    }
    for (what, response) in responses {
        assert_security_headers(&response, what);
        let values: Vec<_> = response.headers.get_all("strict-transport-security").iter().collect();
        assert_eq!(values, [HSTS], "{what}");
    }
}

#[actix_web::test]
async fn the_page_of_the_api_docs_may_run_its_own_scripts_only() {
    let app = start().await;
    let page = app.get("/api/docs/").await;
    assert_security_headers(&page, "the page");
    let policy = page.header("content-security-policy");
    assert!(policy.contains("script-src 'self';"), "{policy}");
    assert_eq!(page.header("cache-control"), "no-cache");
    assert_security_headers(&app.get("/api/docs").await, "the page without its slash");
}

#[actix_web::test]
async fn production_shows_no_api_docs_unless_they_are_open() {
    let paths = ["/api/docs", "/api/docs/", "/api/docs/index.html", "/api/openapi.json", "/api/openapi.json/"];
    let app = TestApp::builder(Database::Sqlite).production().start().await;
    for path in paths {
        app.get(path).await.problem_of(404, auth_types::Reason::NotFound);
    }
    let app = TestApp::builder(Database::Sqlite).production().set("API_DOCS", "open").start().await;
    for path in paths {
        app.get(path).await.has_status(200);
    }
    let app = TestApp::builder(Database::Sqlite).set("API_DOCS", "closed").start().await;
    app.get("/api/docs/").await.problem_of(404, auth_types::Reason::NotFound);
}
