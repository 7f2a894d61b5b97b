//! The attributes of the cookies of `TOKEN_TRANSPORT=cookie`: domain, lifetime and protection.

use crate::support::{Browser, Builder, Database, ONE_SECOND, PASSWORD, TestApp, TestResponse, send};
use reqwest::{Method, RequestBuilder};
use serde_json::json;

const ADA: &str = "ada@example.com";

/// The origins of the tables below; the list does not say which of them are of the same site.
const ORIGINS: &str = "https://app.example.com,https://example.com,https://a.b.example.com,https://app.example.com:3000,\
    http://app.example.com,https://app.example.org,https://notexample.com,https://app.onrender.com,\
    https://www.app.onrender.com,https://app.example.co.uk,https://other.co.uk,https://127.0.0.1:8080,\
    https://127.0.0.2,http://127.0.0.1:8080,http://localhost:8080,http://[::1]:8080,https://localhost:8080";

fn cookie_mode() -> Builder {
    TestApp::builder(Database::Sqlite).set("TOKEN_TRANSPORT", "cookie").set("CORS_ALLOWED_ORIGINS", ORIGINS).user(ADA)
}

fn login(app: &TestApp) -> RequestBuilder {
    app.request(Method::POST, "/api/auth/login/").json(&json!({"email": ADA, "password": PASSWORD}))
}

/// The `Set-Cookie` lines without the cookies' values.
fn set_cookies(response: &TestResponse) -> Vec<String> {
    let lines = response.headers.get_all("set-cookie").iter().map(|line| line.to_str().unwrap());
    let mut without_values: Vec<_> = lines
        .map(|line| {
            let (pair, attributes) = line.split_once(';').unwrap();
            format!("{};{attributes}", pair.split_once('=').unwrap().0)
        })
        .collect();
    without_values.sort_by_key(|line| !line.contains("HttpOnly"));
    without_values
}

#[actix_web::test]
async fn in_production_the_cookies_are_strict_secure_and_prefixed() {
    let app = cookie_mode().production().set("SESSION_COOKIE_DOMAIN", ".example.com").start().await;
    let response = send(login(&app)).await;
    response.has_status(200);
    assert_eq!(
        set_cookies(&response),
        [
            "__Secure-refresh_token; HttpOnly; SameSite=Strict; Secure; Path=/api/auth/; Domain=example.com; Max-Age=604800",
            "csrf_token; SameSite=Strict; Secure; Path=/; Domain=example.com; Max-Age=604800",
        ]
    );
    let out = Browser::of(&response).logout(&app).await;
    assert_eq!(
        set_cookies(&out),
        [
            "__Secure-refresh_token; HttpOnly; SameSite=Strict; Secure; Path=/api/auth/; Domain=example.com; Max-Age=0",
            "csrf_token; SameSite=Strict; Secure; Path=/; Domain=example.com; Max-Age=0",
        ]
    );
}

#[actix_web::test]
async fn in_production_a_cookie_without_the_secure_prefix_is_ignored() {
    let app = cookie_mode().production().start().await;
    let browser = Browser::of(&send(login(&app)).await);
    let token = browser.refresh_cookie().to_owned();
    let mut plain = browser.without("__Secure-refresh_token").with("refresh_token", &token);
    plain.refresh(&app).await.unauthorized(auth_types::Reason::CredentialsMissing);
    browser.clone().refresh(&app).await.has_status(200);
}

#[actix_web::test]
async fn without_a_domain_the_cookies_are_for_the_apis_host_only() {
    let app = cookie_mode().start().await;
    assert_eq!(
        set_cookies(&send(login(&app)).await),
        [
            "refresh_token; HttpOnly; SameSite=Strict; Path=/api/auth/; Max-Age=604800",
            "csrf_token; SameSite=Strict; Path=/; Max-Age=604800",
        ]
    );
}

#[actix_web::test]
async fn the_cookies_live_as_long_as_the_refresh_token() {
    let builder = cookie_mode()
        .set("ACCESS_TOKEN_LIFETIME", "100")
        .set("REFRESH_TOKEN_LIFETIME", "1000")
        .set("SESSION_MAX_AGE", "1500");
    let app = builder.start().await;
    let mut browser = Browser::default();
    let lifetimes = |response: &TestResponse| -> Vec<String> {
        set_cookies(response).iter().map(|line| line.rsplit_once("Max-Age=").unwrap().1.to_owned()).collect()
    };
    assert_eq!(lifetimes(&browser.login(&app, ADA).await), ["1000", "1000"]);
    app.clock().advance(ONE_SECOND * 900);
    // Never past the session's absolute end.
    assert_eq!(lifetimes(&browser.refresh(&app).await), ["600", "600"]);
}

/// The `SameSite` and `Secure` that a sign-in from this page gets; the name of the refresh cookie must match them.
async fn protection(app: &TestApp, host: &str, origin: Option<&str>, proto: Option<&str>) -> String {
    let mut request = login(app).header("Host", host);
    for (name, value) in [("Origin", origin), ("X-Forwarded-Proto", proto)] {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    let response = send(request).await;
    assert_eq!(response.status, 200, "{host} {origin:?} {}", response.text());
    let lines = set_cookies(&response);
    let [refresh, csrf] = lines.as_slice() else { panic!("{lines:?}") };
    let both_contain = |text: &str| refresh.contains(text) && csrf.contains(text);
    let same_site = ["Strict", "Lax", "None"].into_iter().find(|value| both_contain(value)).unwrap();
    let secure = both_contain("; Secure");
    assert_eq!(refresh.starts_with("__Secure-"), secure, "{lines:?}");
    if secure { format!("{same_site} Secure") } else { same_site.to_owned() }
}

#[actix_web::test]
async fn a_same_site_page_gets_strict_cookies_and_a_cross_site_page_gets_none_with_secure() {
    let app = cookie_mode().production().start().await;
    for (host, origin, expected) in [
        ("api.example.com", "https://app.example.com", "Strict"),
        ("api.example.com", "https://api.example.com", "Strict"),
        ("api.example.com", "https://example.com", "Strict"),
        ("api.example.com", "https://a.b.example.com", "Strict"),
        ("api.example.com:8443", "https://app.example.com:3000", "Strict"),
        ("API.EXAMPLE.COM", "https://app.example.com", "Strict"),
        ("api.example.com", "http://app.example.com", "None"),
        ("api.example.com", "https://app.example.org", "None"),
        ("api.example.com", "https://notexample.com", "None"),
        ("api.onrender.com", "https://app.onrender.com", "None"),
        ("app.onrender.com", "https://www.app.onrender.com", "Strict"),
        ("api.example.co.uk", "https://app.example.co.uk", "Strict"),
        ("example.co.uk", "https://other.co.uk", "None"),
        ("127.0.0.1", "https://127.0.0.1:8080", "Strict"),
        ("127.0.0.1", "https://127.0.0.2", "None"),
        ("localhost", "https://localhost:8080", "Strict"),
        ("not a host", "https://app.example.com", "None"),
    ] {
        assert_eq!(
            protection(&app, host, Some(origin), None).await,
            format!("{expected} Secure"),
            "{origin} at {host}"
        );
    }
    assert_eq!(protection(&app, "api.example.com", None, None).await, "Strict Secure", "not a page");
}

#[actix_web::test]
async fn in_development_cookies_work_with_tls_and_without() {
    let app = cookie_mode().start().await;
    for (host, origin, proto, expected) in [
        ("127.0.0.1:8000", "http://127.0.0.1:8080", None, "Strict"),
        ("localhost:8000", "http://localhost:8080", None, "Strict"),
        ("[::1]:8000", "http://[::1]:8080", None, "Strict"),
        // Two sites: a browser accepts `None` with `Secure` only, and accepts that from this machine without TLS.
        ("127.0.0.1:8000", "http://localhost:8080", None, "None Secure"),
        ("localhost:8000", "https://localhost:8080", None, "None Secure"),
        ("localhost:8000", "https://localhost:8080", Some("https"), "Strict Secure"),
        ("localhost:8000", "http://localhost:8080", Some("https"), "None Secure"),
        ("localhost:8000", "http://localhost:8080", Some("http"), "Strict"),
    ] {
        assert_eq!(protection(&app, host, Some(origin), proto).await, expected, "{origin} at {host}, {proto:?}");
    }
}
