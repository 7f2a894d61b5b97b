//! Who may read answers (CORS) and who may change things (the Origin rule).

use crate::support::{Browser, Database, PASSWORD, TestApp, TestResponse, send};
use auth_types::Reason;
use reqwest::Method;
use serde_json::json;

const APP: &str = "https://app.example.com";
const TRUSTED: &str = "https://admin.example.com";
const ADA: &str = "ada@example.com";

/// Origins that look like ours and are not.
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

fn varies_by_origin(answer: &TestResponse) -> bool {
    let values = answer.headers.get_all("vary").iter().map(|value| value.to_str().unwrap().to_ascii_lowercase());
    values
        .flat_map(|value| value.split(',').map(|part| part.trim().to_owned()).collect::<Vec<_>>())
        .any(|v| v == "origin")
}

#[track_caller]
fn assert_readable(answer: &TestResponse, by: &str) {
    assert_eq!(answer.header("access-control-allow-origin"), by, "{}", answer.status);
    assert!(varies_by_origin(answer));
    let exposed = answer.header("access-control-expose-headers").to_ascii_lowercase();
    for name in ["ratelimit", "ratelimit-policy", "retry-after", "x-request-id"] {
        assert!(exposed.contains(name), "{name} is not exposed: {exposed}");
    }
}

#[track_caller]
fn assert_unreadable(answer: &TestResponse) {
    let said = answer.headers.keys().find(|name| name.as_str().starts_with("access-control-"));
    assert!(said.is_none(), "{:?}", answer.headers);
    assert!(varies_by_origin(answer));
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
        let answer = from_app(method, path).await;
        answer.has_status(status);
        assert_readable(&answer, APP);
    }
    let huge = app.request(Method::POST, "/api/auth/login/").header("Origin", APP);
    let answer = send(huge.json(&json!({"email": "x".repeat(70_000)}))).await;
    answer.has_status(413);
    assert_readable(&answer, APP);
}

#[actix_web::test]
async fn a_foreign_origin_reads_nothing_and_changes_nothing() {
    let app = start().await;
    let before = app.db().content();
    for origin in FOREIGN {
        let login = login_from(&app, origin).await;
        assert_unreadable(&login);
        login.failed(403, Reason::OriginNotAllowed);
        let get = send(app.request(Method::GET, "/api/auth/config/").header("Origin", origin)).await;
        get.has_status(200);
        assert_unreadable(&get);
    }
    assert_eq!(app.db().content(), before);
}

#[actix_web::test]
async fn an_origin_that_is_no_text_changes_nothing() {
    let app = start().await;
    let origin = reqwest::header::HeaderValue::from_bytes(b"https://app.example.com\xe9").unwrap();
    let request = app.request(Method::POST, "/api/auth/login/").header("Origin", origin);
    let answer = send(request.json(&json!({"email": ADA, "password": PASSWORD}))).await;
    assert!(matches!(answer.status.as_u16(), 400 | 403), "{}", answer.status);
    assert_unreadable(&answer);
}

#[actix_web::test]
async fn a_second_origin_header_does_not_get_past_the_rule() {
    let app = start().await;
    for origins in [[APP, "https://evil.com"], ["https://evil.com", APP]] {
        let request = app.request(Method::POST, "/api/auth/login/");
        let request = request.header("Origin", origins[0]).header("Origin", origins[1]);
        let answer = send(request.json(&json!({"email": ADA, "password": PASSWORD}))).await;
        assert!(answer.status.is_client_error(), "{origins:?} {}", answer.status);
    }
}

#[actix_web::test]
async fn the_apis_own_origin_may_change_things() {
    let app = start().await;
    login_from(&app, &format!("http://{}", app.address())).await.ok();
    login_from(&app, &format!("http://{}.evil.com", app.address())).await.failed(403, Reason::OriginNotAllowed);
}

#[actix_web::test]
async fn a_page_of_the_api_that_came_in_clear_may_change_nothing_in_production() {
    let app = TestApp::builder(Database::Sqlite).production().set("CORS_ALLOWED_ORIGINS", APP).user(ADA).start().await;
    login_from(&app, &format!("https://{}", app.address())).await.ok();
    login_from(&app, &format!("http://{}", app.address())).await.failed(403, Reason::OriginNotAllowed);
}

/// Something on the way may take the `Origin` away; the browser's other word still counts.
#[actix_web::test]
async fn a_foreign_page_without_an_origin_changes_nothing() {
    let app = start().await;
    let before = app.db().content();
    let from = |site: &'static str| {
        let request = app.request(Method::POST, "/api/auth/login/").header("Sec-Fetch-Site", site);
        request.json(&json!({"email": ADA, "password": PASSWORD}))
    };
    for site in ["cross-site", "same-site", "", "anything"] {
        send(from(site)).await.failed(403, Reason::OriginNotAllowed);
    }
    assert_eq!(app.db().content(), before);
    for site in ["same-origin", "none"] {
        send(from(site)).await.ok();
    }
    for site in ["cross-site", "same-site"] {
        send(from(site).header("Origin", APP)).await.ok();
    }
    let get = app.request(Method::GET, "/api/auth/config/").header("Sec-Fetch-Site", "cross-site");
    send(get).await.has_status(200);
}

#[actix_web::test]
async fn a_trusted_origin_may_change_things_but_not_read() {
    let app = start().await;
    let answer = login_from(&app, TRUSTED).await;
    assert_unreadable(&answer);
    answer.ok();
}

#[actix_web::test]
async fn a_request_without_an_origin_is_no_browsers_and_is_served() {
    let app = start().await;
    let answer = app.sign_in(ADA, PASSWORD).await;
    assert!(varies_by_origin(&answer));
    answer.ok();
}

#[actix_web::test]
async fn every_unsafe_method_obeys_the_origin_rule_before_credentials() {
    let app = start().await;
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let request = app.request(method, "/api/auth/me/").header("Origin", "https://evil.com");
        send(request).await.failed(403, Reason::OriginNotAllowed);
    }
}

#[actix_web::test]
async fn a_preflight_allows_what_the_client_sends_for_an_hour() {
    let app = start().await;
    for method in ["GET", "POST", "PATCH", "DELETE"] {
        let answer = preflight(&app, APP, method, "authorization, content-type, idempotency-key").await;
        assert!(answer.status.is_success(), "{method}: {} {}", answer.status, answer.text());
        assert_eq!(answer.header("access-control-allow-origin"), APP);
        assert!(answer.header("access-control-allow-methods").contains(method));
        let headers = answer.header("access-control-allow-headers").to_ascii_lowercase();
        for name in ["authorization", "content-type", "idempotency-key"] {
            assert!(headers.contains(name), "{name} is not allowed: {headers}");
        }
        assert_eq!(answer.header("access-control-max-age"), "3600");
        assert!(varies_by_origin(&answer));
        assert!(!answer.headers.contains_key("access-control-allow-credentials"));
    }
}

#[actix_web::test]
async fn a_preflight_of_a_foreign_origin_allows_nothing() {
    let app = start().await;
    for origin in FOREIGN.into_iter().chain([TRUSTED]) {
        let answer = preflight(&app, origin, "POST", "content-type").await;
        assert_unreadable(&answer);
        assert!(!answer.status.is_server_error());
    }
}

#[actix_web::test]
async fn a_preflight_for_what_the_api_does_not_use_is_refused() {
    let app = start().await;
    for (method, headers) in
        [("TRACE", "content-type"), ("POST", "x-evil"), ("P\u{7f}ST", "content-type"), ("POST", ",,,")]
    {
        let request = app.request(Method::OPTIONS, "/api/auth/refresh/").header("Origin", APP);
        let Ok(method) = reqwest::header::HeaderValue::from_bytes(method.as_bytes()) else { continue };
        let request = request.header("Access-Control-Request-Method", method);
        let answer = send(request.header("Access-Control-Request-Headers", headers)).await;
        assert!(!answer.status.is_server_error(), "{headers} {}", answer.status);
        let allowed = answer.header("access-control-allow-headers").to_ascii_lowercase();
        assert!(!allowed.contains("x-evil"));
        assert!(!answer.header("access-control-allow-methods").contains("TRACE"));
    }
}

#[actix_web::test]
async fn only_with_cookies_may_a_page_send_credentials() {
    let asked = "content-type, x-csrf-token";
    let body = start().await;
    let preflight_of_body = preflight(&body, APP, "POST", asked).await;
    assert!(preflight_of_body.status.is_client_error(), "{}", preflight_of_body.status);
    assert_unreadable(&preflight_of_body);
    assert!(!login_from(&body, APP).await.headers.contains_key("access-control-allow-credentials"));

    let builder = TestApp::builder(Database::Sqlite).user(ADA).set("TOKEN_TRANSPORT", "cookie");
    let cookie = builder.set("CORS_ALLOWED_ORIGINS", APP).start().await;
    for answer in [preflight(&cookie, APP, "POST", asked).await, login_from(&cookie, APP).await] {
        answer.has_status(200);
        assert_eq!(answer.header("access-control-allow-origin"), APP);
        assert_eq!(answer.header("access-control-allow-credentials"), "true");
    }
    for origin in FOREIGN {
        assert_unreadable(&login_from(&cookie, origin).await);
        assert_unreadable(&preflight(&cookie, origin, "POST", asked).await);
    }
}

/// With cookies a page's request carries its user's authority; whose page it is decides.
#[actix_web::test]
async fn a_foreign_page_can_use_nobodys_cookies() {
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
            let answer = send(request().header("Origin", origin)).await;
            assert!(!answer.headers.contains_key("set-cookie"));
            answer.failed(403, Reason::OriginNotAllowed);
        }
        send(request().header("Sec-Fetch-Site", "cross-site")).await.failed(403, Reason::OriginNotAllowed);
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
