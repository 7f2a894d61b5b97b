//! Which pages may read responses (CORS) and which may change data (the Origin rule).

use crate::support::{Browser, Database, PASSWORD, TestApp, TestResponse, send};
use auth_types::Reason;
use reqwest::Method;
use serde_json::json;

const APP: &str = "https://app.example.com";
const TRUSTED: &str = "https://admin.example.com";
const ADA: &str = "ada@example.com";

/// Origins that resemble the allowed one.
const FOREIGN: [&str; 13] = [
    "null",
    "https://evil.com",
    "https://app.example.com.evil.com",
    "https://evilapp.example.com",
    "https://evil-app.example.com",
    "https://app.example.com.",
    "https://app.example.com:8443",
    "https://app.example.com/",
    "https://user@app.example.com",
    "http://app.example.com",
    "HTTPS://APP.EXAMPLE.COM",
    "https://sub.app.example.com",
    "https://example.com",
];

async fn start() -> TestApp {
    let builder = TestApp::builder(Database::Sqlite).user(ADA);
    builder.set("CORS_ALLOWED_ORIGINS", APP).set("CSRF_TRUSTED_ORIGINS", TRUSTED).start().await
}

async fn login_from(app: &TestApp, origin: &str) -> TestResponse {
    let request = app.request(Method::POST, "/api/auth/login/").header("Origin", origin);
    send(request.json(&json!({"email": ADA, "password": PASSWORD}))).await
}

async fn preflight(app: &TestApp, origin: &str, method: &str, headers: &str) -> TestResponse {
    let request = app.request(Method::OPTIONS, "/api/auth/refresh/").header("Origin", origin);
    let request = request.header("Access-Control-Request-Method", method);
    send(request.header("Access-Control-Request-Headers", headers)).await
}

fn varies_by_origin(response: &TestResponse) -> bool {
    let values = response.headers.get_all("vary").iter().map(|value| value.to_str().unwrap().to_ascii_lowercase());
    values
        .flat_map(|value| value.split(',').map(|part| part.trim().to_owned()).collect::<Vec<_>>())
        .any(|v| v == "origin")
}

#[track_caller]
fn assert_readable(response: &TestResponse, by: &str) {
    assert_eq!(response.header("access-control-allow-origin"), by, "{}", response.status);
    assert!(varies_by_origin(response));
    let exposed = response.header("access-control-expose-headers").to_ascii_lowercase();
    for name in ["ratelimit", "ratelimit-policy", "retry-after", "x-request-id"] {
        assert!(exposed.contains(name), "{name} is not exposed: {exposed}");
    }
}

#[track_caller]
fn assert_unreadable(response: &TestResponse) {
    let found = response.headers.keys().find(|name| name.as_str().starts_with("access-control-"));
    assert!(found.is_none(), "{:?}", response.headers);
    assert!(varies_by_origin(response));
}

#[actix_web::test]
async fn an_allowed_origin_reads_successes_and_failures_alike() {
    let app = start().await;
    assert_readable(&login_from(&app, APP).await, APP);
    let from_app = |method, path| send(app.request(method, path).header("Origin", APP));
    for (method, path, status) in [
        (Method::GET, "/api/auth/me/", 401),
        (Method::GET, "/nowhere", 404),
        (Method::PUT, "/api/auth/login/", 405),
        (Method::POST, "/api/auth/login/", 415),
        (Method::GET, "/api/auth/config/", 200),
    ] {
        let response = from_app(method, path).await;
        response.has_status(status);
        assert_readable(&response, APP);
    }
    let huge = app.request(Method::POST, "/api/auth/login/").header("Origin", APP);
    let response = send(huge.json(&json!({"email": "x".repeat(70_000)}))).await;
    response.has_status(413);
    assert_readable(&response, APP);
}

#[actix_web::test]
async fn a_foreign_origin_reads_nothing_and_changes_nothing() {
    let app = start().await;
    let before = app.db().content();
    for origin in FOREIGN {
        let login = login_from(&app, origin).await;
        assert_unreadable(&login);
        login.problem_of(403, Reason::OriginNotAllowed);
        let get = send(app.request(Method::GET, "/api/auth/config/").header("Origin", origin)).await;
        get.has_status(200);
        assert_unreadable(&get);
    }
    assert_eq!(app.db().content(), before);
}

#[actix_web::test]
async fn an_origin_that_is_not_text_changes_nothing() {
    let app = start().await;
    let origin = reqwest::header::HeaderValue::from_bytes(b"https://app.example.com\xe9").unwrap();
    let request = app.request(Method::POST, "/api/auth/login/").header("Origin", origin);
    let response = send(request.json(&json!({"email": ADA, "password": PASSWORD}))).await;
    assert!(matches!(response.status.as_u16(), 400 | 403), "{}", response.status);
    assert_unreadable(&response);
}

#[actix_web::test]
async fn a_second_origin_header_does_not_get_past_the_rule() {
    let app = start().await;
    for origins in [[APP, "https://evil.com"], ["https://evil.com", APP]] {
        let request = app.request(Method::POST, "/api/auth/login/");
        let request = request.header("Origin", origins[0]).header("Origin", origins[1]);
        let response = send(request.json(&json!({"email": ADA, "password": PASSWORD}))).await;
        assert!(response.status.is_client_error(), "{origins:?} {}", response.status);
    }
}

#[actix_web::test]
async fn the_apis_own_origin_may_change_data() {
    let app = start().await;
    login_from(&app, &format!("http://{}", app.address())).await.tokens();
    login_from(&app, &format!("http://{}.evil.com", app.address())).await.problem_of(403, Reason::OriginNotAllowed);
}

#[actix_web::test]
async fn a_plaintext_page_of_the_api_may_change_nothing_in_production() {
    let app = TestApp::builder(Database::Sqlite).production().set("CORS_ALLOWED_ORIGINS", APP).user(ADA).start().await;
    login_from(&app, &format!("https://{}", app.address())).await.tokens();
    login_from(&app, &format!("http://{}", app.address())).await.problem_of(403, Reason::OriginNotAllowed);
}

/// A proxy may remove the `Origin` header; `Sec-Fetch-Site` still counts.
#[actix_web::test]
async fn a_foreign_page_without_an_origin_changes_nothing() {
    let app = start().await;
    let before = app.db().content();
    let from = |site: &'static str| {
        let request = app.request(Method::POST, "/api/auth/login/").header("Sec-Fetch-Site", site);
        request.json(&json!({"email": ADA, "password": PASSWORD}))
    };
    for site in ["cross-site", "same-site", "", "anything"] {
        send(from(site)).await.problem_of(403, Reason::OriginNotAllowed);
    }
    assert_eq!(app.db().content(), before);
    for site in ["same-origin", "none"] {
        send(from(site)).await.tokens();
    }
    for site in ["cross-site", "same-site"] {
        send(from(site).header("Origin", APP)).await.tokens();
    }
    let get = app.request(Method::GET, "/api/auth/config/").header("Sec-Fetch-Site", "cross-site");
    send(get).await.has_status(200);
}

#[actix_web::test]
async fn a_trusted_origin_may_change_data_but_not_read() {
    let app = start().await;
    let response = login_from(&app, TRUSTED).await;
    assert_unreadable(&response);
    response.tokens();
}

#[actix_web::test]
async fn a_request_without_an_origin_is_served() {
    let app = start().await;
    let response = app.sign_in(ADA, PASSWORD).await;
    assert!(varies_by_origin(&response));
    response.tokens();
}

#[actix_web::test]
async fn every_unsafe_method_obeys_the_origin_rule_before_credentials() {
    let app = start().await;
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let request = app.request(method, "/api/auth/me/").header("Origin", "https://evil.com");
        send(request).await.problem_of(403, Reason::OriginNotAllowed);
    }
}

#[actix_web::test]
async fn a_preflight_allows_what_the_client_sends_for_an_hour() {
    let app = start().await;
    for method in ["GET", "POST", "PATCH", "DELETE"] {
        let response = preflight(&app, APP, method, "authorization, content-type, idempotency-key").await;
        assert!(response.status.is_success(), "{method}: {} {}", response.status, response.text());
        assert_eq!(response.header("access-control-allow-origin"), APP);
        assert!(response.header("access-control-allow-methods").contains(method));
        let headers = response.header("access-control-allow-headers").to_ascii_lowercase();
        for name in ["authorization", "content-type", "idempotency-key"] {
            assert!(headers.contains(name), "{name} is not allowed: {headers}");
        }
        assert_eq!(response.header("access-control-max-age"), "3600");
        assert!(varies_by_origin(&response));
        assert!(!response.headers.contains_key("access-control-allow-credentials"));
    }
}

#[actix_web::test]
async fn a_preflight_of_a_foreign_origin_allows_nothing() {
    let app = start().await;
    for origin in FOREIGN.into_iter().chain([TRUSTED]) {
        let response = preflight(&app, origin, "POST", "content-type").await;
        assert_unreadable(&response);
        assert!(!response.status.is_server_error());
    }
}

#[actix_web::test]
async fn a_preflight_for_an_unused_method_or_header_is_refused() {
    let app = start().await;
    for (method, headers) in
        [("TRACE", "content-type"), ("POST", "x-evil"), ("P\u{7f}ST", "content-type"), ("POST", ",,,")]
    {
        let request = app.request(Method::OPTIONS, "/api/auth/refresh/").header("Origin", APP);
        let Ok(method) = reqwest::header::HeaderValue::from_bytes(method.as_bytes()) else { continue };
        let request = request.header("Access-Control-Request-Method", method);
        let response = send(request.header("Access-Control-Request-Headers", headers)).await;
        assert!(!response.status.is_server_error(), "{headers} {}", response.status);
        let allowed = response.header("access-control-allow-headers").to_ascii_lowercase();
        assert!(!allowed.contains("x-evil"));
        assert!(!response.header("access-control-allow-methods").contains("TRACE"));
    }
}

#[actix_web::test]
async fn a_page_may_send_credentials_only_in_cookie_mode() {
    let asked = "content-type, x-csrf-token";
    let body = start().await;
    let preflight_of_body = preflight(&body, APP, "POST", asked).await;
    assert!(preflight_of_body.status.is_client_error(), "{}", preflight_of_body.status);
    assert_unreadable(&preflight_of_body);
    assert!(!login_from(&body, APP).await.headers.contains_key("access-control-allow-credentials"));

    let builder = TestApp::builder(Database::Sqlite).user(ADA).set("TOKEN_TRANSPORT", "cookie");
    let cookie = builder.set("CORS_ALLOWED_ORIGINS", APP).start().await;
    for response in [preflight(&cookie, APP, "POST", asked).await, login_from(&cookie, APP).await] {
        response.has_status(200);
        assert_eq!(response.header("access-control-allow-origin"), APP);
        assert_eq!(response.header("access-control-allow-credentials"), "true");
    }
    for origin in FOREIGN {
        assert_unreadable(&login_from(&cookie, origin).await);
        assert_unreadable(&preflight(&cookie, origin, "POST", asked).await);
    }
}

/// With cookies the request of any page carries the user's authority, so the page's origin decides.
#[actix_web::test]
async fn a_foreign_page_cannot_use_the_cookies_of_a_user() {
    let builder = TestApp::builder(Database::Sqlite).user(ADA).set("TOKEN_TRANSPORT", "cookie");
    let app = builder.set("CORS_ALLOWED_ORIGINS", APP).start().await;
    let mut browser = Browser::default();
    browser.login(&app, ADA).await.done();
    let before = app.db().content();
    for path in ["/api/auth/refresh/", "/api/auth/logout/"] {
        let request = || {
            let request = app.request(Method::POST, path).header("Cookie", browser.header());
            request.header("X-CSRF-Token", browser.csrf()).json(&json!({}))
        };
        for origin in FOREIGN {
            let response = send(request().header("Origin", origin)).await;
            assert!(!response.headers.contains_key("set-cookie"));
            response.problem_of(403, Reason::OriginNotAllowed);
        }
        send(request().header("Sec-Fetch-Site", "cross-site")).await.problem_of(403, Reason::OriginNotAllowed);
        for method in [Method::GET, Method::HEAD] {
            let get = app.request(method, path).header("Cookie", browser.header());
            send(get.header("Origin", "https://evil.com")).await.has_status(405);
        }
    }
    assert_eq!(app.db().content(), before);
    browser.refresh(&app).await.has_status(200);
}

#[actix_web::test]
async fn a_page_of_trunk_serve_is_allowed_in_development() {
    let app = TestApp::builder(Database::Sqlite).user(ADA).start().await;
    for origin in ["http://127.0.0.1:8080", "http://localhost:8080"] {
        assert_readable(&login_from(&app, origin).await, origin);
    }
    assert_unreadable(&login_from(&app, "http://localhost:3000").await);
}
