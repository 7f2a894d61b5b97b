//! In production a plaintext request is redirected or refused. `X-Forwarded-Proto` shows it, because TLS ends before the API.

use crate::support::{Database, PASSWORD, TestApp, TestResponse, raw, send};
use auth_types::Reason;
use reqwest::{Method, RequestBuilder};
use serde_json::json;

const ADA: &str = "ada@example.com";
const APP: &str = "https://app.example.com";

async fn production() -> TestApp {
    TestApp::builder(Database::Sqlite).production().set("CORS_ALLOWED_ORIGINS", APP).user(ADA).start().await
}

/// A request that reached the proxy in plaintext, as the proxy reports.
fn plaintext(app: &TestApp, method: Method, path: &str) -> RequestBuilder {
    app.request(method, path).header("Host", "api.example.com").header("X-Forwarded-Proto", "http")
}

async fn get_with(app: &TestApp, proto: &str) -> TestResponse {
    send(app.request(Method::GET, "/api/auth/config/").header("X-Forwarded-Proto", proto)).await
}

#[track_caller]
fn assert_redirects(response: &TestResponse, location: &str) {
    response.has_status(308);
    assert_eq!(response.header("location"), location);
    assert!(response.body.is_empty(), "{}", response.text());
}

#[actix_web::test]
async fn a_plaintext_request_for_a_page_is_redirected_to_https() {
    let app = production().await;
    for method in [Method::GET, Method::HEAD] {
        for path in ["/api/auth/config/", "/api/auth/config?a=b&c=%2F%0D", "/nowhere//twice", "/"] {
            let response = send(plaintext(&app, method.clone(), path)).await;
            assert_redirects(&response, &format!("https://api.example.com{path}"));
        }
    }
}

#[actix_web::test]
async fn plaintext_credentials_and_changes_are_refused_and_not_redirected() {
    let app = production().await;
    let before = app.db().content();
    for (name, value) in [("Authorization", "Bearer x"), ("Authorization", ""), ("Cookie", "a=b")] {
        let request = plaintext(&app, Method::GET, "/api/auth/me/").header(name, value);
        send(request).await.problem_of(403, Reason::HttpsRequired);
    }
    let login = plaintext(&app, Method::POST, "/api/auth/login/").json(&json!({"email": ADA, "password": PASSWORD}));
    let problem = send(login).await.problem_of(403, Reason::HttpsRequired);
    assert_eq!(problem.code, auth_types::ProblemCode::PermissionDenied);
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS, Method::TRACE] {
        for path in ["/api/auth/me/", "/nowhere", "/"] {
            send(plaintext(&app, method.clone(), path)).await.problem_of(403, Reason::HttpsRequired);
        }
    }
    assert_eq!(app.db().content(), before);
}

/// A body that never arrives is not waited for.
#[actix_web::test]
async fn a_plaintext_body_is_not_read() {
    let app = production().await;
    let request = "POST /api/auth/login/ HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-Proto: http\r\nConnection: close\r\n\
                   Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{";
    raw::exchange(app.address(), request.as_bytes()).await.unwrap().problem_of(403, Reason::HttpsRequired);
}

#[actix_web::test]
async fn a_plaintext_preflight_is_refused_so_that_no_token_follows() {
    let app = production().await;
    let preflight = plaintext(&app, Method::OPTIONS, "/api/auth/me/").header("Origin", APP);
    let response = send(preflight.header("Access-Control-Request-Method", "GET")).await;
    assert!(!response.headers.contains_key("access-control-allow-origin"));
    response.problem_of(403, Reason::HttpsRequired);
}

#[actix_web::test]
async fn the_client_may_read_why_it_was_refused() {
    let app = production().await;
    for (method, status) in [(Method::GET, 308), (Method::POST, 403)] {
        let response = send(plaintext(&app, method, "/api/auth/config/").header("Origin", APP)).await;
        response.has_status(status);
        assert_eq!(response.header("access-control-allow-origin"), APP);
        assert!(response.header("vary").contains("Origin"));
    }
}

#[actix_web::test]
async fn health_checks_are_served_in_plaintext() {
    let app = production().await;
    for path in ["/healthz", "/healthz/", "/readyz", "/readyz/"] {
        let (proxied, direct) = (send(plaintext(&app, Method::GET, path)).await, app.get(path).await);
        assert_eq!((proxied.status, proxied.body), (direct.status, direct.body), "{path}");
    }
    for path in ["/healthz/x", "//healthz", "/HEALTHZ"] {
        assert_redirects(&send(plaintext(&app, Method::GET, path)).await, &format!("https://api.example.com{path}"));
    }
}

#[actix_web::test]
async fn a_request_by_https_or_without_the_header_is_served() {
    let app = production().await;
    app.get("/api/auth/config/").await.has_status(200);
    app.login(ADA).await;
    for proto in ["https", "HTTPS", " https ", "http, https", "", "wss", "httpx", "https,"] {
        get_with(&app, proto).await.has_status(200);
    }
    for proto in ["http", "HTTP", " http ", "https, http", "https,http", ",http"] {
        get_with(&app, proto).await.has_status(308);
    }
}

/// The entry of the outermost trusted proxy is what the client used; the entries to its left were written by the client.
#[actix_web::test]
async fn the_outermost_trusted_proxy_decides_what_the_client_used() {
    let builder = TestApp::builder(Database::Sqlite).production();
    let app = builder.set("TRUSTED_PROXY_HOPS", "2").start().await;
    for (proto, status) in [
        ("https, http", 200),
        ("http, https", 308),
        ("http, https, http", 200),
        ("https, http, https", 308),
        // A proxy that replaces the header leaves one entry.
        ("http", 308),
        ("https", 200),
    ] {
        get_with(&app, proto).await.has_status(status);
    }
    let two_lines = app.request(Method::GET, "/").header("X-Forwarded-Proto", "http");
    send(two_lines.header("X-Forwarded-Proto", "https")).await.has_status(308);
}

/// The same where proxies are known by their networks: each proxy that the request passed has added one entry.
#[actix_web::test]
async fn the_proxies_that_a_request_passed_decide_what_the_client_used() {
    let app = TestApp::builder(Database::Sqlite).production().set("TRUSTED_PROXIES", "render").start().await;
    let one = "203.0.113.9";
    let two = "6.6.6.6, 203.0.113.9, 104.22.17.40";
    for (forwarded_for, proto, status) in [
        (one, "http, https", 200),
        (one, "https, http", 308),
        (two, "https, http", 200),
        (two, "http, https", 308),
        (two, "https, http, https", 308),
        // A proxy that replaces the header leaves one entry, also behind another one.
        (two, "https", 200),
        (two, "http", 308),
    ] {
        let request = app.request(Method::GET, "/api/auth/config/").header("X-Forwarded-For", forwarded_for);
        let response = send(request.header("X-Forwarded-Proto", proto)).await;
        assert_eq!(response.status, status, "{forwarded_for}: {proto}");
    }
}

/// For a value that is not exactly a host there is no redirect.
#[actix_web::test]
async fn no_host_header_changes_where_the_redirect_leads() {
    let app = production().await;
    let ask = async |head: &str| {
        let request = format!("GET {head}\r\nX-Forwarded-Proto: http\r\nConnection: close\r\n\r\n");
        raw::exchange(app.address(), request.as_bytes()).await.unwrap()
    };
    for host in [
        "",
        " ",
        "/",
        "//evil.com",
        "api.example.com/",
        "api.example.com/@evil.com",
        "api.example.com@evil.com",
        "user:word@evil.com",
        "evil.com?",
        "evil.com#",
        "evil.com\\",
        "evil.com:port",
        "evil.com:99999",
        "evil.com:",
        "evil .com",
        "evil\t.com",
        "evil.com\tx",
        "a,b",
        "[::1",
        "0x7f.1",
        "%65vil.com",
        "évil.com",
        "api.example.com\r\nHost: evil.com",
    ] {
        let response = ask(&format!("/api/ HTTP/1.1\r\nHost: {host}")).await;
        assert!(!response.headers.contains_key("location"), "{host:?} {:?}", response.headers);
        assert!(matches!(response.status.as_u16(), 400 | 403), "{host:?} {}", response.status);
    }
    assert!(!ask("/api/ HTTP/1.1").await.headers.contains_key("location"));
    for (host, expected) in [
        ("api.example.com:80", "api.example.com"),
        ("API.example.com", "api.example.com"),
        ("api.example.com:8443", "api.example.com:8443"),
        ("[::1]:8000", "[::1]:8000"),
        ("127.0.0.1:8000", "127.0.0.1:8000"),
    ] {
        assert_redirects(&ask(&format!("/a HTTP/1.1\r\nHost: {host}")).await, &format!("https://{expected}/a"));
    }
    // A path that looks like a host stays a path; of an absolute URL in its position only the path is used.
    assert_redirects(
        &ask("//evil.com/a HTTP/1.1\r\nHost: api.example.com").await,
        "https://api.example.com//evil.com/a",
    );
    assert_redirects(
        &ask("http://evil.com/a?b HTTP/1.1\r\nHost: api.example.com").await,
        "https://api.example.com/a?b",
    );
}

#[actix_web::test]
async fn development_serves_plaintext() {
    let app = TestApp::builder(Database::Sqlite).user(ADA).start().await;
    get_with(&app, "http").await.has_status(200);
    let login = plaintext(&app, Method::POST, "/api/auth/login/").json(&json!({"email": ADA, "password": PASSWORD}));
    send(login).await.tokens();
}
