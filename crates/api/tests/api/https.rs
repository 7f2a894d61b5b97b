//! In production what comes in clear is sent on or refused; `X-Forwarded-Proto` tells, because TLS ends before the API.

use crate::support::{Database, PASSWORD, TestApp, TestResponse, raw, send};
use auth_types::Reason;
use reqwest::{Method, RequestBuilder};
use serde_json::json;

const ADA: &str = "ada@example.com";
const APP: &str = "https://app.example.com";

async fn production() -> TestApp {
    TestApp::builder(Database::Sqlite).production().set("CORS_ALLOWED_ORIGINS", APP).user(ADA).start().await
}

/// A request that a proxy says came in clear.
fn in_clear(app: &TestApp, method: Method, path: &str) -> RequestBuilder {
    app.request(method, path).header("Host", "api.example.com").header("X-Forwarded-Proto", "http")
}

async fn get_with(app: &TestApp, proto: &str) -> TestResponse {
    send(app.request(Method::GET, "/api/auth/config/").header("X-Forwarded-Proto", proto)).await
}

#[track_caller]
fn sent_on(answer: &TestResponse, location: &str) {
    answer.has_status(308);
    assert_eq!(answer.header("location"), location);
    assert!(answer.body.is_empty(), "{}", answer.text());
}

#[actix_web::test]
async fn a_page_that_is_asked_for_in_clear_is_sent_to_https() {
    let app = production().await;
    for method in [Method::GET, Method::HEAD] {
        for path in ["/api/auth/config/", "/api/auth/config?a=b&c=%2F%0D", "/nowhere//twice", "/"] {
            let answer = send(in_clear(&app, method.clone(), path)).await;
            sent_on(&answer, &format!("https://api.example.com{path}"));
        }
    }
}

#[actix_web::test]
async fn what_carries_credentials_in_clear_is_refused_and_not_sent_on() {
    let app = production().await;
    let before = app.db().content();
    for (name, value) in [("Authorization", "Bearer x"), ("Authorization", ""), ("Cookie", "a=b")] {
        let request = in_clear(&app, Method::GET, "/api/auth/me/").header(name, value);
        send(request).await.failed(403, Reason::HttpsRequired);
    }
    let login = in_clear(&app, Method::POST, "/api/auth/login/").json(&json!({"email": ADA, "password": PASSWORD}));
    let problem = send(login).await.failed(403, Reason::HttpsRequired);
    assert_eq!(problem.code, auth_types::ProblemCode::PermissionDenied);
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS, Method::TRACE] {
        for path in ["/api/auth/me/", "/nowhere", "/"] {
            send(in_clear(&app, method.clone(), path)).await.failed(403, Reason::HttpsRequired);
        }
    }
    assert_eq!(app.db().content(), before);
}

/// Not even its size: a body that never comes is not waited for.
#[actix_web::test]
async fn nothing_of_a_body_that_comes_in_clear_is_read() {
    let app = production().await;
    let request = "POST /api/auth/login/ HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-Proto: http\r\nConnection: close\r\n\
                   Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{";
    raw::exchange(app.address(), request.as_bytes()).await.unwrap().failed(403, Reason::HttpsRequired);
}

#[actix_web::test]
async fn a_preflight_in_clear_is_refused_so_that_no_token_follows() {
    let app = production().await;
    let preflight = in_clear(&app, Method::OPTIONS, "/api/auth/me/").header("Origin", APP);
    let answer = send(preflight.header("Access-Control-Request-Method", "GET")).await;
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
    answer.failed(403, Reason::HttpsRequired);
}

#[actix_web::test]
async fn the_client_may_read_why_it_was_refused() {
    let app = production().await;
    for (method, status) in [(Method::GET, 308), (Method::POST, 403)] {
        let answer = send(in_clear(&app, method, "/api/auth/config/").header("Origin", APP)).await;
        answer.has_status(status);
        assert_eq!(answer.header("access-control-allow-origin"), APP);
        assert!(answer.header("vary").contains("Origin"));
    }
}

#[actix_web::test]
async fn health_checks_come_past_the_proxy_and_are_answered_in_clear() {
    let app = production().await;
    for path in ["/healthz", "/healthz/", "/readyz", "/readyz/"] {
        let (clear, plain) = (send(in_clear(&app, Method::GET, path)).await, app.get(path).await);
        assert_eq!((clear.status, clear.body), (plain.status, plain.body), "{path}");
    }
    for path in ["/healthz/x", "//healthz", "/HEALTHZ"] {
        sent_on(&send(in_clear(&app, Method::GET, path)).await, &format!("https://api.example.com{path}"));
    }
}

#[actix_web::test]
async fn what_came_by_https_or_says_nothing_is_served() {
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

/// The entry of the outermost trusted proxy is what the client used; what stands left of it the client wrote.
#[actix_web::test]
async fn the_outermost_trusted_proxy_tells_what_the_client_used() {
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

/// The same where proxies are known by their networks: as many entries are theirs as the request passed of them.
#[actix_web::test]
async fn as_many_proxies_as_a_request_passed_tell_what_the_client_used() {
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
        let answer = send(request.header("X-Forwarded-Proto", proto)).await;
        assert_eq!(answer.status, status, "{forwarded_for}: {proto}");
    }
}

/// A host that is none, or more than a host, leads nowhere.
#[actix_web::test]
async fn no_host_makes_the_redirect_lead_elsewhere() {
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
        let answer = ask(&format!("/api/ HTTP/1.1\r\nHost: {host}")).await;
        assert!(!answer.headers.contains_key("location"), "{host:?} {:?}", answer.headers);
        assert!(matches!(answer.status.as_u16(), 400 | 403), "{host:?} {}", answer.status);
    }
    assert!(!ask("/api/ HTTP/1.1").await.headers.contains_key("location"));
    for (host, written) in [
        ("api.example.com:80", "api.example.com"),
        ("API.example.com", "api.example.com"),
        ("api.example.com:8443", "api.example.com:8443"),
        ("[::1]:8000", "[::1]:8000"),
        ("127.0.0.1:8000", "127.0.0.1:8000"),
    ] {
        sent_on(&ask(&format!("/a HTTP/1.1\r\nHost: {host}")).await, &format!("https://{written}/a"));
    }
    // The path is a path, whatever it looks like; a whole URL in its place gives its path only.
    sent_on(&ask("//evil.com/a HTTP/1.1\r\nHost: api.example.com").await, "https://api.example.com//evil.com/a");
    sent_on(&ask("http://evil.com/a?b HTTP/1.1\r\nHost: api.example.com").await, "https://api.example.com/a?b");
}

#[actix_web::test]
async fn development_speaks_http() {
    let app = TestApp::builder(Database::Sqlite).user(ADA).start().await;
    get_with(&app, "http").await.has_status(200);
    let login = in_clear(&app, Method::POST, "/api/auth/login/").json(&json!({"email": ADA, "password": PASSWORD}));
    send(login).await.ok();
}
