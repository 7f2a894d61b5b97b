//! `TOKEN_TRANSPORT=cookie`: the refresh token in a cookie that no script can read, guarded by a CSRF token that no foreign
//! page knows.

use crate::support::cookie_mode::{ADA, EVE, NEW_PASSWORD, cookie_mode, password_change, session_of, start};
use crate::support::{
    Browser, Database, KeyPair, PASSWORD, SECRET_KEY, TestApp, TestResponse, on_both_databases, send,
};
use auth_types::responses::{ConfigResponse, CookieTokenResponse, TokenTransport};
use auth_types::{ProblemCode, Reason};
use reqwest::Method;
use serde_json::{Value, json};

on_both_databases![
    planted_cookies_do_not_keep_the_caller_from_new_ones,
    signing_in_refreshing_and_signing_out_need_nothing_but_the_cookies,
    without_the_csrf_token_no_token_is_exchanged_and_no_session_revoked,
    a_lost_response_with_cookies_is_repeated_by_its_key,
    a_final_refusal_clears_the_cookies,
    a_temporary_refusal_leaves_the_cookies,
    signing_out_clears_the_cookies_even_if_they_are_not_valid,
];

async fn signing_in_refreshing_and_signing_out_need_nothing_but_the_cookies(database: Database) {
    let (app, mut browser) = start(database).await;
    let login: CookieTokenResponse = browser.login(&app, ADA).await.json();
    let first = browser.refresh_cookie().to_owned();
    let refreshed = browser.refresh(&app).await;
    refreshed.has_status(200);
    let text = refreshed.text();
    let response: CookieTokenResponse = refreshed.json();
    assert!(refreshed.json::<Value>().get("refresh").is_none(), "{text}");
    assert_ne!(browser.refresh_cookie(), first);
    assert!(!text.contains(browser.refresh_cookie()), "{text}");
    assert_eq!(session_of(&response.access), session_of(&login.access));
    assert_eq!(response.csrf_token, login.csrf_token, "the CSRF token is the session's, not the token's");
    assert_eq!(response.refresh_expires_in, app.settings().lifetimes.refresh.num_seconds());

    let me = app.request(Method::GET, "/api/auth/me/").bearer_auth(&response.access);
    send(me.try_clone().unwrap()).await.done();
    let logout = browser.logout(&app).await;
    logout.has_status(200);
    assert_eq!(logout.json::<Value>(), json!({}));
    assert!(browser.is_empty(), "{browser:?}");
    send(me).await.unauthorized(Reason::SessionRevoked);
}

#[actix_web::test]
async fn signing_up_sets_the_cookies_too() {
    let (app, mut browser) = start(Database::Sqlite).await;
    let response = app.post("/api/auth/register/", &json!({"email": "new@example.com", "password": PASSWORD})).await;
    response.has_status(201);
    assert_eq!(response.header("cache-control"), "no-store");
    assert!(response.json::<Value>().get("refresh").is_none());
    browser.keep(&response);
    browser.refresh(&app).await.has_status(200);
}

#[actix_web::test]
async fn a_password_change_sets_the_cookies_of_a_new_session() {
    let (app, mut browser) = start(Database::Sqlite).await;
    let login: CookieTokenResponse = browser.login(&app, ADA).await.json();
    let mut old = browser.clone();
    let change = app.request(Method::POST, "/api/auth/password/change/").bearer_auth(&login.access);
    let new_password = "another lantern in the harbor 7";
    let response = send(change.json(&json!({"current_password": PASSWORD, "new_password": new_password}))).await;
    response.has_status(200);
    assert!(response.json::<Value>().get("refresh").is_none());
    browser.keep(&response);
    assert_ne!(browser.csrf(), old.csrf());
    old.refresh(&app).await.unauthorized(Reason::SessionRevoked);
    browser.refresh(&app).await.has_status(200);
}

#[actix_web::test]
async fn the_transport_is_in_the_configuration_and_in_the_document() {
    let (app, _) = start(Database::Sqlite).await;
    let config: ConfigResponse = app.get("/api/auth/config/").await.json();
    assert_eq!(config.token_transport, TokenTransport::Cookie);
    let document: Value = app.get("/api/openapi.json").await.json();
    let refresh = &document["paths"]["/api/auth/refresh/"]["post"];
    let response = &refresh["responses"]["200"]["content"]["application/json"]["schema"]["$ref"];
    assert_eq!(response, "#/components/schemas/CookieTokenResponse");
    assert_eq!(refresh["security"][0], json!({"refresh_cookie": []}));
    let named = refresh["parameters"].as_array().unwrap().iter().any(|header| header["name"] == "x-csrf-token");
    assert!(named, "{refresh}");
    assert_eq!(document["components"]["securitySchemes"]["refresh_cookie"]["in"], "cookie");
}

async fn without_the_csrf_token_no_token_is_exchanged_and_no_session_revoked(database: Database) {
    let (app, mut browser) = start(database).await;
    browser.login(&app, ADA).await.done();
    let mut eve = Browser::default();
    eve.login(&app, EVE).await.done();
    let before = app.db().content();
    let (own, other) = (browser.csrf(), eve.csrf());
    let refused = async |browser: &Browser, headers: &[&str]| {
        for path in ["/api/auth/refresh/", "/api/auth/logout/"] {
            let request = app.request(Method::POST, path).header("Cookie", browser.header()).json(&json!({}));
            let request = headers.iter().fold(request, |request, value| request.header("X-CSRF-Token", *value));
            let response = send(request).await;
            assert!(!response.headers.contains_key("set-cookie"), "{:?}", response.headers);
            assert_eq!(response.problem_of(403, Reason::CsrfFailed).code, ProblemCode::PermissionDenied);
        }
    };
    refused(&browser, &[]).await;
    let cut = &own[..own.len() - 1];
    for header in ["", "x", cut, &other, &own.to_ascii_lowercase(), &format!("{own},{own}")] {
        refused(&browser, &[header]).await;
    }
    refused(&browser, &[&own, &own]).await;
    // Header and cookie match, but the value is another session's, or no session's.
    for planted in [other.as_str(), "", "x"] {
        refused(&browser.with("csrf_token", planted), &[planted]).await;
    }
    refused(&browser.without("csrf_token"), &[&own]).await;
    assert_eq!(app.db().content(), before);
    browser.refresh(&app).await.has_status(200);
}

#[actix_web::test]
async fn without_a_refresh_cookie_there_are_no_credentials() {
    let (app, mut browser) = start(Database::Sqlite).await;
    browser.login(&app, ADA).await.done();
    let token = browser.refresh_cookie().to_owned();
    let without = browser.without("refresh_token");
    let response = without.call(&app, "/api/auth/refresh/", &json!({"refresh": token})).await;
    assert!(!response.headers.contains_key("set-cookie"));
    response.unauthorized(Reason::CredentialsMissing);
    let nothing = Browser::default().call(&app, "/api/auth/refresh/", &json!({})).await;
    nothing.unauthorized(Reason::CredentialsMissing);
    browser.refresh(&app).await.has_status(200);
}

#[actix_web::test]
async fn a_body_must_be_json_and_its_content_is_ignored() {
    let (app, mut browser) = start(Database::Sqlite).await;
    browser.login(&app, ADA).await.done();
    let before = app.db().content();
    for path in ["/api/auth/refresh/", "/api/auth/logout/"] {
        let request = || {
            let request = app.request(Method::POST, path).header("Cookie", browser.header());
            request.header("X-CSRF-Token", browser.csrf())
        };
        for form in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
            let sent = request().header("Content-Type", form).body("{}");
            send(sent).await.problem_of(415, Reason::ContentTypeUnsupported);
        }
        send(request()).await.problem_of(415, Reason::ContentTypeUnsupported);
        let cut = request().header("Content-Type", "application/json").body("{");
        send(cut).await.problem_of(400, Reason::BodyMalformed);
        // A problem with the cookies is reported first.
        let missing = app.request(Method::POST, path).header("Content-Type", "text/plain").body("{");
        send(missing).await.unauthorized(Reason::CredentialsMissing);
    }
    assert_eq!(app.db().content(), before);
    for body in [json!({"refresh": "rubbish"}), json!({"refresh": 1}), json!({"x": []})] {
        let response = browser.call(&app, "/api/auth/refresh/", &body).await;
        response.has_status(200);
        browser.keep(&response);
    }
}

/// A deployment has one transport: in cookie mode a token in a body is not a credential, in body mode a cookie is not.
#[actix_web::test]
async fn cookies_are_ignored_where_bodies_carry_the_tokens() {
    let app = TestApp::builder(Database::Sqlite).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    let login = app.sign_in(ADA, PASSWORD).await;
    assert!(!login.headers.contains_key("set-cookie"));
    let request = app.request(Method::POST, "/api/auth/refresh/").header("X-CSRF-Token", "x");
    let request = request.header("Cookie", format!("refresh_token={}; csrf_token=x", tokens.refresh));
    send(request.json(&json!({}))).await.invalid_fields(&["refresh"]);
    let logout = app.logout(&tokens).await;
    assert!(!logout.headers.contains_key("set-cookie"));
}

async fn a_lost_response_with_cookies_is_repeated_by_its_key(database: Database) {
    let (app, mut browser) = start(database).await;
    browser.login(&app, ADA).await.done();
    let request = |browser: &Browser| {
        let request = app.request(Method::POST, "/api/auth/refresh/").header("Idempotency-Key", "one");
        request.header("Cookie", browser.header()).header("X-CSRF-Token", browser.csrf()).json(&json!({}))
    };
    let lost = send(request(&browser)).await;
    app.clock().advance(app.settings().lifetimes.leeway * 2);
    let again = send(request(&browser)).await;
    let set = |response: &TestResponse| Browser::of(response).refresh_cookie().to_owned();
    assert_eq!(set(&lost), set(&again));
    browser.keep(&again);
    browser.refresh(&app).await.has_status(200);
}

async fn a_final_refusal_clears_the_cookies(database: Database) {
    let (app, mut browser) = start(database).await;
    browser.login(&app, ADA).await.done();
    let old = browser.clone();
    browser.refresh(&app).await.done();
    app.clock().advance(app.settings().lifetimes.leeway * 2);
    let ended = async |mut browser: Browser, reason| {
        let response = browser.refresh(&app).await;
        assert!(browser.is_empty(), "{reason:?} {browser:?}");
        response.unauthorized(reason);
    };
    ended(old, Reason::RefreshReused).await;
    ended(browser.clone(), Reason::SessionRevoked).await;
    ended(browser.with("refresh_token", "rubbish"), Reason::TokenMalformed).await;
    browser.login(&app, ADA).await.done();
    app.db().execute("UPDATE users SET is_active = false");
    ended(browser.clone(), Reason::UserInactive).await;
    app.clock().advance(app.settings().lifetimes.refresh);
    ended(browser, Reason::SessionExpired).await;
}

async fn a_temporary_refusal_leaves_the_cookies(database: Database) {
    let (app, mut browser) = start(database).await;
    browser.login(&app, ADA).await.done();
    app.db().execute("ALTER TABLE sessions RENAME TO gone");
    browser.refresh(&app).await.problem_of(503, Reason::Unavailable);
    browser.logout(&app).await.problem_of(503, Reason::Unavailable);
    app.db().execute("ALTER TABLE gone RENAME TO sessions");
    browser.refresh(&app).await.has_status(200);
    let copy = browser.clone();
    browser.logout(&app).await.has_status(200);
    assert!(browser.is_empty(), "{browser:?}");
    copy.clone().refresh(&app).await.unauthorized(Reason::SessionRevoked);
}

/// A process that does not have the key yet may have it a moment later.
#[actix_web::test]
async fn a_sign_out_that_meets_an_unknown_key_leaves_the_cookies() {
    let key = KeyPair::both().into_iter().next().unwrap();
    let app = cookie_mode(Database::Sqlite).key_pair(&key).start().await;
    let mut browser = Browser::default();
    browser.login(&app, ADA).await.done();
    let other = key.another();
    let builder = TestApp::builder_on(app.db().clone()).set("TOKEN_TRANSPORT", "cookie").clock(app.clock());
    let without_key = builder.key_pair(&other).start().await;
    browser.logout(&without_key).await.unauthorized(Reason::KeyUnknown);
    browser.logout(&app).await.has_status(200);
    assert!(browser.is_empty(), "{browser:?}");
}

#[actix_web::test]
async fn a_sign_out_over_the_limit_leaves_the_cookies() {
    let app = cookie_mode(Database::Sqlite).limited().start().await;
    let mut browser = Browser::default();
    let login: CookieTokenResponse = browser.login(&app, ADA).await.json();
    let me = || send(app.request(Method::GET, "/api/auth/me/").bearer_auth(&login.access));
    while me().await.status.is_success() {}
    browser.logout(&app).await.throttled();
    app.clock().advance(chrono::Duration::minutes(2));
    browser.logout(&app).await.has_status(200);
    assert!(browser.is_empty(), "{browser:?}");
}

async fn signing_out_clears_the_cookies_even_if_they_are_not_valid(database: Database) {
    let (app, mut browser) = start(database).await;
    browser.login(&app, ADA).await.done();
    let mut stale = browser.clone();
    browser.logout(&app).await.has_status(200);
    stale.logout(&app).await.has_status(200);
    assert!(stale.is_empty(), "a second time");

    browser.login(&app, ADA).await.done();
    let mut deleted = browser.clone();
    app.db().execute("DELETE FROM sessions");
    deleted.logout(&app).await.has_status(200);
    assert!(deleted.is_empty(), "of a session that no longer exists");

    let mut rubbish = browser.with("refresh_token", "rubbish");
    rubbish.logout(&app).await.unauthorized(Reason::TokenMalformed);
    assert!(rubbish.is_empty(), "never issued");

    let mut half = browser.without("refresh_token");
    half.logout(&app).await.unauthorized(Reason::CredentialsMissing);
    assert!(half.is_empty(), "one of the two");

    app.clock().advance(app.settings().lifetimes.session * 2);
    browser.logout(&app).await.has_status(200);
    assert!(browser.is_empty(), "long expired");
}

/// An attacker on a sibling host can plant cookies that arrive before or after the API's own.
#[actix_web::test]
async fn planted_cookies_are_ignored_and_do_not_interfere() {
    let (app, mut browser) = start(Database::Sqlite).await;
    browser.login(&app, ADA).await.done();
    let mut eve = Browser::default();
    eve.login(&app, EVE).await.done();
    let planted = [
        format!("refresh_token={}; csrf_token={}", eve.refresh_cookie(), eve.csrf()),
        "refresh_token=rubbish; csrf_token=; refresh_token; =; ;;".to_owned(),
        format!("csrf_token={}", eve.csrf()),
    ];
    for cookies in planted {
        let session = session_of(&browser.refresh(&app).await.json::<CookieTokenResponse>().access);
        for header in [format!("{cookies}; {}", browser.header()), format!("{};{cookies}", browser.header())] {
            let request = app.request(Method::POST, "/api/auth/refresh/").header("Cookie", header);
            let response = send(request.header("X-CSRF-Token", browser.csrf()).json(&json!({}))).await;
            response.has_status(200);
            browser.keep(&response);
            assert_eq!(session_of(&response.json::<CookieTokenResponse>().access), session);
        }
    }
}

/// Each cookie that is checked costs the verification of a signature.
#[actix_web::test]
async fn of_a_hundred_refresh_cookies_the_first_eight_count() {
    let (app, mut browser) = start(Database::Sqlite).await;
    browser.login(&app, ADA).await.done();
    let request = |before: usize| {
        let header = format!("{}{}", "refresh_token=a.b.c; ".repeat(before), browser.header());
        let request = app.request(Method::POST, "/api/auth/refresh/").header("X-CSRF-Token", browser.csrf());
        request.header("Cookie", header).json(&json!({}))
    };
    send(request(100)).await.unauthorized(Reason::TokenMalformed);
    send(request(8)).await.unauthorized(Reason::TokenMalformed);
    send(request(7)).await.has_status(200);
}

/// Two cookies of one session are what a change of `SESSION_COOKIE_DOMAIN` leaves behind; the older must not look like
/// a theft.
#[actix_web::test]
async fn of_two_cookies_of_one_session_the_newer_counts() {
    let (app, mut browser) = start(Database::Sqlite).await;
    browser.login(&app, ADA).await.done();
    let old = browser.refresh_cookie().to_owned();
    browser.refresh(&app).await.done();
    app.clock().advance(app.settings().lifetimes.leeway * 2);
    for name in ["refresh_token", "__Secure-refresh_token"] {
        let request = app.request(Method::POST, "/api/auth/refresh/").header("X-CSRF-Token", browser.csrf());
        let response =
            send(request.header("Cookie", format!("{name}={old}; {}", browser.header())).json(&json!({}))).await;
        response.has_status(200);
        browser.keep(&response);
    }
}

#[actix_web::test]
async fn foreign_cookies_that_are_not_text_do_not_hide_the_apis_own() {
    let (app, mut browser) = start(Database::Sqlite).await;
    browser.login(&app, ADA).await.done();
    let bytes = [b"theme=\xe9\xff; ", browser.header().as_bytes()].concat();
    let cookie = reqwest::header::HeaderValue::from_bytes(&bytes).unwrap();
    let request = app.request(Method::POST, "/api/auth/refresh/").header("Cookie", cookie);
    send(request.header("X-CSRF-Token", browser.csrf()).json(&json!({}))).await.has_status(200);
}

#[actix_web::test]
async fn a_new_secret_key_signs_no_user_out() {
    let app = cookie_mode(Database::Sqlite).start().await;
    let mut browser = Browser::default();
    browser.login(&app, ADA).await.done();
    let key = "another key that is long enough for anyone at all";
    let restart = |fallbacks| {
        let builder = TestApp::builder_on(app.db().clone()).set("TOKEN_TRANSPORT", "cookie").clock(app.clock());
        builder.set("SECRET_KEY", key).set("SECRET_KEY_FALLBACKS", fallbacks)
    };
    let dropped = restart("").start().await;
    browser.clone().refresh(&dropped).await.unauthorized(Reason::TokenMalformed);
    let rotated = restart(SECRET_KEY).start().await;
    let old = browser.csrf();
    browser.refresh(&rotated).await.has_status(200);
    assert_ne!(browser.csrf(), old, "the CSRF token is derived from the new key");
    browser.refresh(&restart("").start().await).await.has_status(200);
}

/// A cookie of another account, from a sibling host or an older `SESSION_COOKIE_DOMAIN`, arrives with the caller's.
async fn planted_cookies_do_not_keep_the_caller_from_new_ones(database: Database) {
    let (app, mut browser) = start(database).await;
    let login: CookieTokenResponse = browser.login(&app, ADA).await.json();
    let mut eve = Browser::default();
    eve.login(&app, EVE).await.done();
    let planted = |browser: &Browser| format!("refresh_token={}; {}", eve.refresh_cookie(), browser.header());
    let response = send(password_change(&app, &login.access, &planted(&browser))).await;
    response.has_status(200);
    browser.keep(&response);
    let refreshed: CookieTokenResponse = browser.refresh(&app).await.json();
    assert_eq!(refreshed.user.email, ADA);

    let request = app.request(Method::DELETE, "/api/auth/me/").bearer_auth(&refreshed.access);
    let request = request.header("Cookie", planted(&browser)).json(&json!({"password": NEW_PASSWORD}));
    browser.keep(&send(request).await);
    assert!(browser.is_empty(), "{browser:?}");
}
