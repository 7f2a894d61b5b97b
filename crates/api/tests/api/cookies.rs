//! `TOKEN_TRANSPORT=cookie`: the refresh token in a cookie that no script reads, guarded by a second secret that no
//! foreign page knows.

use crate::support::{
    Browser, Builder, Database, PASSWORD, SECRET_KEY, TestApp, TestResponse, forge, on_both_databases, send,
};
use auth_types::responses::{ConfigResponse, CookieTokenResponse, TokenTransport};
use auth_types::{ProblemCode, Reason};
use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};

on_both_databases![
    the_end_of_one_persons_account_leaves_the_next_ones_cookies,
    one_persons_new_password_leaves_the_next_ones_cookies,
    a_repeated_sign_up_leaves_the_cookies_of_who_has_signed_in_since,
    nothing_that_one_persons_page_asks_for_touches_the_next_ones_cookies,
    cookies_planted_next_to_the_callers_own_keep_nothing_from_them,
    signing_in_refreshing_and_signing_out_need_nothing_but_the_cookies,
    without_the_csrf_token_nothing_is_exchanged_and_nobody_is_signed_out,
    a_lost_answer_is_given_again_by_its_key,
    a_final_refusal_takes_the_cookies_back,
    signing_out_takes_the_cookies_back_whatever_they_are_worth,
    what_one_person_sends_late_does_nothing_to_the_next_ones_session,
];

const ADA: &str = "ada@example.com";
const EVE: &str = "eve@example.com";
const APP: &str = "https://app.example.com";

fn cookie_mode(database: Database) -> Builder {
    TestApp::builder(database).set("TOKEN_TRANSPORT", "cookie").set("CORS_ALLOWED_ORIGINS", APP).user(ADA).user(EVE)
}

async fn start(database: Database) -> (TestApp, Browser) {
    (cookie_mode(database).start().await, Browser::default())
}

fn session_of(access: &str) -> Value {
    forge::claims(access)["sid"].clone()
}

async fn signing_in_refreshing_and_signing_out_need_nothing_but_the_cookies(database: Database) {
    let (app, mut browser) = start(database).await;
    let login: CookieTokenResponse = browser.login(&app, ADA).await.json();
    let first = browser.refresh_cookie().to_owned();
    let refreshed = browser.refresh(&app).await;
    refreshed.has_status(200);
    let text = refreshed.text();
    let answer: CookieTokenResponse = refreshed.json();
    assert!(refreshed.json::<Value>().get("refresh").is_none(), "{text}");
    assert_ne!(browser.refresh_cookie(), first);
    assert!(!text.contains(browser.refresh_cookie()), "{text}");
    assert_eq!(session_of(&answer.access), session_of(&login.access));
    assert_eq!(answer.csrf_token, login.csrf_token, "the CSRF token is the session's, not the token's");
    assert_eq!(answer.refresh_expires_in, app.settings().lifetimes.refresh.num_seconds());

    let me = app.request(Method::GET, "/api/auth/me/").bearer_auth(&answer.access);
    send(me.try_clone().unwrap()).await.done();
    let logout = browser.logout(&app).await;
    logout.has_status(200);
    assert_eq!(logout.json::<Value>(), json!({}));
    assert!(browser.is_empty(), "{browser:?}");
    send(me).await.refused(Reason::SessionRevoked);
}

#[actix_web::test]
async fn an_account_is_made_with_cookies_too() {
    let (app, mut browser) = start(Database::Sqlite).await;
    let answer = app.post("/api/auth/register/", &json!({"email": "new@example.com", "password": PASSWORD})).await;
    answer.has_status(201);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(answer.json::<Value>().get("refresh").is_none());
    browser.keep(&answer);
    browser.refresh(&app).await.has_status(200);
}

#[actix_web::test]
async fn a_changed_password_brings_the_cookies_of_a_new_session() {
    let (app, mut browser) = start(Database::Sqlite).await;
    let login: CookieTokenResponse = browser.login(&app, ADA).await.json();
    let mut old = browser.clone();
    let change = app.request(Method::POST, "/api/auth/password/change/").bearer_auth(&login.access);
    let new_password = "another lantern in the harbor 7";
    let answer = send(change.json(&json!({"current_password": PASSWORD, "new_password": new_password}))).await;
    answer.has_status(200);
    assert!(answer.json::<Value>().get("refresh").is_none());
    browser.keep(&answer);
    assert_ne!(browser.csrf(), old.csrf());
    old.refresh(&app).await.refused(Reason::SessionRevoked);
    browser.refresh(&app).await.has_status(200);
}

#[actix_web::test]
async fn the_client_is_told_of_the_transport() {
    let (app, _) = start(Database::Sqlite).await;
    let config: ConfigResponse = app.get("/api/auth/config/").await.json();
    assert_eq!(config.token_transport, TokenTransport::Cookie);
    let document: Value = app.get("/api/openapi.json").await.json();
    let refresh = &document["paths"]["/api/auth/refresh/"]["post"];
    let answer = &refresh["responses"]["200"]["content"]["application/json"]["schema"]["$ref"];
    assert_eq!(answer, "#/components/schemas/CookieTokenResponse");
    assert_eq!(refresh["security"][0], json!({"refresh_cookie": []}));
    let named = refresh["parameters"].as_array().unwrap().iter().any(|header| header["name"] == "x-csrf-token");
    assert!(named, "{refresh}");
    assert_eq!(document["components"]["securitySchemes"]["refresh_cookie"]["in"], "cookie");
}

async fn without_the_csrf_token_nothing_is_exchanged_and_nobody_is_signed_out(database: Database) {
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
            let answer = send(request).await;
            assert!(!answer.headers.contains_key("set-cookie"), "{:?}", answer.headers);
            assert_eq!(answer.failed(403, Reason::CsrfFailed).code, ProblemCode::PermissionDenied);
        }
    };
    refused(&browser, &[]).await;
    let cut = &own[..own.len() - 1];
    for header in ["", "x", cut, &other, &own.to_ascii_lowercase(), &format!("{own},{own}")] {
        refused(&browser, &[header]).await;
    }
    refused(&browser, &[&own, &own]).await;
    // Header and cookie say the same, but it is another session's, or nobody's.
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
    let answer = without.call(&app, "/api/auth/refresh/", &json!({"refresh": token})).await;
    assert!(!answer.headers.contains_key("set-cookie"));
    answer.refused(Reason::CredentialsMissing);
    let nothing = Browser::default().call(&app, "/api/auth/refresh/", &json!({})).await;
    nothing.refused(Reason::CredentialsMissing);
    browser.refresh(&app).await.has_status(200);
}

#[actix_web::test]
async fn what_a_body_says_does_not_matter_but_it_must_be_json() {
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
            send(sent).await.failed(415, Reason::ContentTypeUnsupported);
        }
        send(request()).await.failed(415, Reason::ContentTypeUnsupported);
        let cut = request().header("Content-Type", "application/json").body("{");
        send(cut).await.failed(400, Reason::BodyMalformed);
        // What is wrong with the cookies is told first.
        let missing = app.request(Method::POST, path).header("Content-Type", "text/plain").body("{");
        send(missing).await.refused(Reason::CredentialsMissing);
    }
    assert_eq!(app.db().content(), before);
    for body in [json!({"refresh": "rubbish"}), json!({"refresh": 1}), json!({"x": []})] {
        let answer = browser.call(&app, "/api/auth/refresh/", &body).await;
        answer.has_status(200);
        browser.keep(&answer);
    }
}

/// One transport a deployment: a token in a body is no credential here, and a cookie is none there.
#[actix_web::test]
async fn a_cookie_counts_for_nothing_where_bodies_carry_the_tokens() {
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

async fn a_lost_answer_is_given_again_by_its_key(database: Database) {
    let (app, mut browser) = start(database).await;
    browser.login(&app, ADA).await.done();
    let request = |browser: &Browser| {
        let request = app.request(Method::POST, "/api/auth/refresh/").header("Idempotency-Key", "one");
        request.header("Cookie", browser.header()).header("X-CSRF-Token", browser.csrf()).json(&json!({}))
    };
    let lost = send(request(&browser)).await;
    app.clock().advance(app.settings().lifetimes.leeway * 2);
    let again = send(request(&browser)).await;
    let set = |answer: &TestResponse| Browser::of(answer).refresh_cookie().to_owned();
    assert_eq!(set(&lost), set(&again));
    browser.keep(&again);
    browser.refresh(&app).await.has_status(200);
}

async fn a_final_refusal_takes_the_cookies_back(database: Database) {
    let (app, mut browser) = start(database).await;
    browser.login(&app, ADA).await.done();
    let old = browser.clone();
    browser.refresh(&app).await.done();
    app.clock().advance(app.settings().lifetimes.leeway * 2);
    let ended = async |mut browser: Browser, reason| {
        let answer = browser.refresh(&app).await;
        assert!(browser.is_empty(), "{reason:?} {browser:?}");
        answer.refused(reason);
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

#[actix_web::test]
async fn a_refusal_that_may_pass_leaves_the_cookies_alone() {
    let (app, mut browser) = start(Database::Sqlite).await;
    browser.login(&app, ADA).await.done();
    app.db().execute("ALTER TABLE sessions RENAME TO gone");
    let answer = browser.refresh(&app).await;
    answer.failed(503, Reason::Unavailable);
    app.db().execute("ALTER TABLE gone RENAME TO sessions");
    browser.refresh(&app).await.has_status(200);
}

async fn signing_out_takes_the_cookies_back_whatever_they_are_worth(database: Database) {
    let (app, mut browser) = start(database).await;
    browser.login(&app, ADA).await.done();
    let mut stale = browser.clone();
    browser.logout(&app).await.has_status(200);
    stale.logout(&app).await.has_status(200);
    assert!(stale.is_empty(), "a second time");

    browser.login(&app, ADA).await.done();
    let mut gone = browser.clone();
    app.db().execute("DELETE FROM sessions");
    gone.logout(&app).await.has_status(200);
    assert!(gone.is_empty(), "of a session that is gone");

    let mut rubbish = browser.with("refresh_token", "rubbish");
    rubbish.logout(&app).await.refused(Reason::TokenMalformed);
    assert!(rubbish.is_empty(), "never ours");

    let mut half = browser.without("refresh_token");
    half.logout(&app).await.refused(Reason::CredentialsMissing);
    assert!(half.is_empty(), "half of them");

    app.clock().advance(app.settings().lifetimes.session * 2);
    browser.logout(&app).await.has_status(200);
    assert!(browser.is_empty(), "long over");
}

/// Two people in one browser: by the time that the first one's request leaves, the cookies are the second one's.
async fn what_one_person_sends_late_does_nothing_to_the_next_ones_session(database: Database) {
    let (app, mut browser) = start(database).await;
    browser.login(&app, ADA).await.done();
    let late = browser.csrf();
    browser.logout(&app).await.has_status(200);
    browser.login(&app, EVE).await.done();
    let before = app.db().content();
    for path in ["/api/auth/refresh/", "/api/auth/logout/"] {
        // A leftover of another `SESSION_COOKIE_DOMAIN` may let the header look as if it were submitted twice.
        for cookies in [browser.header(), format!("csrf_token={late}; {}", browser.header())] {
            let request = app.request(Method::POST, path).header("Cookie", cookies).header("X-CSRF-Token", &late);
            let answer = send(request.header("Idempotency-Key", "of the first").json(&json!({}))).await;
            assert!(!answer.headers.contains_key("set-cookie"), "{:?}", answer.headers);
            answer.failed(403, Reason::CsrfFailed);
        }
    }
    assert_eq!(app.db().content(), before);
    let answer: CookieTokenResponse = browser.refresh(&app).await.json();
    assert_eq!(answer.user.email, EVE);
}

/// Whoever holds a sibling host can plant cookies that arrive beside ours, and ahead of them.
#[actix_web::test]
async fn planted_cookies_neither_count_nor_get_in_the_way() {
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
            let answer = send(request.header("X-CSRF-Token", browser.csrf()).json(&json!({}))).await;
            answer.has_status(200);
            browser.keep(&answer);
            assert_eq!(session_of(&answer.json::<CookieTokenResponse>().access), session);
        }
    }
}

/// Each one that is looked at costs a signature.
#[actix_web::test]
async fn of_a_hundred_refresh_cookies_the_first_eight_count() {
    let (app, mut browser) = start(Database::Sqlite).await;
    browser.login(&app, ADA).await.done();
    let request = |before: usize| {
        let header = format!("{}{}", "refresh_token=a.b.c; ".repeat(before), browser.header());
        let request = app.request(Method::POST, "/api/auth/refresh/").header("X-CSRF-Token", browser.csrf());
        request.header("Cookie", header).json(&json!({}))
    };
    send(request(100)).await.refused(Reason::TokenMalformed);
    send(request(8)).await.refused(Reason::TokenMalformed);
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
        let answer =
            send(request.header("Cookie", format!("{name}={old}; {}", browser.header())).json(&json!({}))).await;
        answer.has_status(200);
        browser.keep(&answer);
    }
}

#[actix_web::test]
async fn somebody_elses_cookies_that_are_no_text_do_not_hide_ours() {
    let (app, mut browser) = start(Database::Sqlite).await;
    browser.login(&app, ADA).await.done();
    let bytes = [b"theme=\xe9\xff; ", browser.header().as_bytes()].concat();
    let cookie = reqwest::header::HeaderValue::from_bytes(&bytes).unwrap();
    let request = app.request(Method::POST, "/api/auth/refresh/").header("Cookie", cookie);
    send(request.header("X-CSRF-Token", browser.csrf()).json(&json!({}))).await.has_status(200);
}

#[actix_web::test]
async fn a_new_secret_key_signs_nobody_out() {
    let app = cookie_mode(Database::Sqlite).start().await;
    let mut browser = Browser::default();
    browser.login(&app, ADA).await.done();
    let key = "another key that is long enough for anyone at all";
    let restart = |fallbacks| {
        let builder = TestApp::builder_on(app.db().clone()).set("TOKEN_TRANSPORT", "cookie").clock(app.clock());
        builder.set("SECRET_KEY", key).set("SECRET_KEY_FALLBACKS", fallbacks)
    };
    let dropped = restart("").start().await;
    browser.clone().refresh(&dropped).await.refused(Reason::TokenMalformed);
    let rotated = restart(SECRET_KEY).start().await;
    let old = browser.csrf();
    browser.refresh(&rotated).await.has_status(200);
    assert_ne!(browser.csrf(), old, "the new key makes the CSRF token from now on");
    browser.refresh(&restart("").start().await).await.has_status(200);
}

/// A page of one person is still open when the next one signs in in the same browser.
async fn two_people(app: &TestApp, browser: &mut Browser) -> String {
    let ada: CookieTokenResponse = browser.login(app, ADA).await.json();
    browser.login(app, EVE).await.has_status(200);
    ada.access
}

const NEW_PASSWORD: &str = "another lantern in the harbor 7";

fn password_change(app: &TestApp, access: &str, cookies: &str) -> reqwest::RequestBuilder {
    let request = app.request(Method::POST, "/api/auth/password/change/").bearer_auth(access).header("Cookie", cookies);
    request.json(&json!({"current_password": PASSWORD, "new_password": NEW_PASSWORD}))
}

async fn the_end_of_one_persons_account_leaves_the_next_ones_cookies(database: Database) {
    let (app, mut browser) = start(database).await;
    let access = two_people(&app, &mut browser).await;
    let request = app.request(Method::DELETE, "/api/auth/me/").bearer_auth(access);
    let request = request.header("Cookie", browser.header()).json(&json!({"password": PASSWORD}));
    let answer = send(request).await;
    answer.has_status(204);
    browser.keep(&answer);
    browser.refresh(&app).await.has_status(200);
}

/// The page goes on with its new access token, and the browser with its newest session. So does a repetition.
async fn one_persons_new_password_leaves_the_next_ones_cookies(database: Database) {
    let (app, mut browser) = start(database).await;
    let access = two_people(&app, &mut browser).await;
    let mut session = None;
    for _ in 0..2 {
        let request = password_change(&app, &access, &browser.header()).header("Idempotency-Key", "one");
        let answer = send(request).await;
        answer.has_status(200);
        assert!(!answer.headers.contains_key("set-cookie"), "{:?}", answer.headers);
        assert!(answer.json::<Value>().get("refresh").is_none());
        let changed: CookieTokenResponse = answer.json();
        let me = send(app.request(Method::GET, "/api/auth/me/").bearer_auth(&changed.access)).await;
        assert_eq!(me.json::<Value>()["email"], ADA);
        assert_eq!(*session.get_or_insert(session_of(&changed.access)), session_of(&changed.access));
        // It is told the CSRF token of its own session, which does not open the cookies of another.
        browser.with("csrf_token", &changed.csrf_token).refresh(&app).await.failed(403, Reason::CsrfFailed);
    }
    let eve: CookieTokenResponse = browser.refresh(&app).await.json();
    assert_eq!(eve.user.email, EVE);
}

/// The response to the sign-up was lost, and somebody else signed in before the page asked again. A person who was signed in
/// before has been replaced by the sign-up, also when its response comes at the second try only.
async fn a_repeated_sign_up_leaves_the_cookies_of_who_has_signed_in_since(database: Database) {
    for verification in ["optional", "mandatory"] {
        let app = cookie_mode(database).set("EMAIL_VERIFICATION", verification).start().await;
        for eve_is_later in [false, true] {
            let mut browser = Browser::default();
            if !eve_is_later {
                browser.login(&app, EVE).await.has_status(200);
                app.clock().advance(Duration::seconds(1));
            }
            let sign_up = json!({"email": format!("later-{eve_is_later}@example.com"), "password": PASSWORD});
            let (path, body) = if verification == "optional" {
                ("/api/auth/register/", sign_up)
            } else {
                let pending: Value = app.post("/api/auth/register/", &sign_up).await.json();
                let token = app.deliver_one_mail().await.token();
                ("/api/auth/email/verify/", json!({"token": token, "registration": pending["registration"]}))
            };
            let ask = async |browser: &Browser| {
                let request = app.request(Method::POST, path).header("Cookie", browser.header()).json(&body);
                let answer = send(request.header("Idempotency-Key", "one")).await;
                answer.has_status(201);
                answer
            };
            let lost: CookieTokenResponse = ask(&browser).await.json();
            if eve_is_later {
                app.clock().advance(Duration::seconds(1));
                browser.login(&app, EVE).await.has_status(200);
            }
            let again = ask(&browser).await;
            browser.keep(&again);
            assert_eq!(again.headers.contains_key("set-cookie"), !eve_is_later, "{path}");
            assert_eq!(session_of(&again.json::<CookieTokenResponse>().access), session_of(&lost.access));
            let found: CookieTokenResponse = browser.refresh(&app).await.json();
            assert_eq!(found.user.email == EVE, eve_is_later, "{path}");
        }
    }
}

/// Every route that takes an access token, with a body that it takes where one is needed, and the one that ends the account
/// last.
async fn nothing_that_one_persons_page_asks_for_touches_the_next_ones_cookies(database: Database) {
    let (app, mut browser) = start(database).await;
    let mut access = two_people(&app, &mut browser).await;
    let cookies = browser.header();
    let document: Value = app.get("/api/openapi.json").await.json();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            if operation["security"][0].get("bearer").is_some() {
                operations.push((method.to_uppercase(), path.replace("{id}", "none")));
            }
        }
    }
    assert!(operations.len() > 10, "{operations:?}");
    operations.sort_by_key(|(method, path)| (path == "/api/auth/me/" && method == "DELETE", path.clone()));
    for (method, path) in operations {
        let request = app.request(method.parse().unwrap(), &path).bearer_auth(&access).header("Cookie", &cookies);
        let body = json!({"password": NEW_PASSWORD, "current_password": PASSWORD, "new_password": NEW_PASSWORD});
        let answer = send(request.json(&body)).await;
        assert!(!answer.headers.contains_key("set-cookie"), "{method} {path}: {:?}", answer.headers);
        // A new password or the end of all sessions: the page signs in again, and the browser is somebody else's then, too.
        if send(app.request(Method::GET, "/api/auth/me/").bearer_auth(&access)).await.status != 200 {
            for password in [PASSWORD, NEW_PASSWORD] {
                let answer = app.sign_in(ADA, password).await;
                access = if answer.status == 200 { answer.json::<CookieTokenResponse>().access } else { access };
            }
        }
    }
    let eve: CookieTokenResponse = browser.refresh(&app).await.json();
    assert_eq!(eve.user.email, EVE);
}

/// A cookie of another account, from a sibling host or of an older `SESSION_COOKIE_DOMAIN`, arrives with theirs.
async fn cookies_planted_next_to_the_callers_own_keep_nothing_from_them(database: Database) {
    let (app, mut browser) = start(database).await;
    let login: CookieTokenResponse = browser.login(&app, ADA).await.json();
    let mut eve = Browser::default();
    eve.login(&app, EVE).await.done();
    let planted = |browser: &Browser| format!("refresh_token={}; {}", eve.refresh_cookie(), browser.header());
    let answer = send(password_change(&app, &login.access, &planted(&browser))).await;
    answer.has_status(200);
    browser.keep(&answer);
    let refreshed: CookieTokenResponse = browser.refresh(&app).await.json();
    assert_eq!(refreshed.user.email, ADA);

    let request = app.request(Method::DELETE, "/api/auth/me/").bearer_auth(&refreshed.access);
    let request = request.header("Cookie", planted(&browser)).json(&json!({"password": NEW_PASSWORD}));
    browser.keep(&send(request).await);
    assert!(browser.is_empty(), "{browser:?}");
}
