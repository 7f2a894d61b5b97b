//! Two users in one browser in cookie mode: requests of the first user's page arrive with the second user's cookies.

use crate::support::cookie_mode::{ADA, APP, EVE, NEW_PASSWORD, cookie_mode, password_change, session_of, start};
use crate::support::{Browser, Database, PASSWORD, TestApp, TestResponse, on_both_databases, send};
use auth_types::Reason;
use auth_types::responses::CookieTokenResponse;
use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};

on_both_databases![
    a_late_request_of_one_user_leaves_the_session_of_the_next_user,
    deleting_an_account_leaves_the_cookies_of_the_next_user,
    changing_a_password_leaves_the_cookies_of_the_next_user,
    a_repeated_sign_up_leaves_the_cookies_of_a_later_sign_in,
    no_request_of_one_users_page_changes_the_cookies_of_the_next_user,
    a_page_of_another_site_leaves_the_cookies_that_it_does_not_get,
];

/// When the first user's request is sent, the cookies are already the second user's.
async fn a_late_request_of_one_user_leaves_the_session_of_the_next_user(database: Database) {
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
            let response = send(request.header("Idempotency-Key", "of the first").json(&json!({}))).await;
            assert!(!response.headers.contains_key("set-cookie"), "{:?}", response.headers);
            response.problem_of(403, Reason::CsrfFailed);
        }
    }
    assert_eq!(app.db().content(), before);
    let response: CookieTokenResponse = browser.refresh(&app).await.json();
    assert_eq!(response.user.email, EVE);
}

/// A page of Ada is still open when Eve signs in in the same browser; returns the access token of that page.
async fn sign_in_both(app: &TestApp, browser: &mut Browser) -> String {
    let ada: CookieTokenResponse = browser.login(app, ADA).await.json();
    browser.login(app, EVE).await.has_status(200);
    ada.access
}

async fn deleting_an_account_leaves_the_cookies_of_the_next_user(database: Database) {
    let (app, mut browser) = start(database).await;
    let access = sign_in_both(&app, &mut browser).await;
    let request = app.request(Method::DELETE, "/api/auth/me/").bearer_auth(access);
    let request = request.header("Cookie", browser.header()).json(&json!({"password": PASSWORD}));
    let response = send(request).await;
    response.has_status(204);
    browser.keep(&response);
    browser.refresh(&app).await.has_status(200);
}

/// The page continues with its new access token, and the browser with its newest session; a repetition changes neither.
async fn changing_a_password_leaves_the_cookies_of_the_next_user(database: Database) {
    let (app, mut browser) = start(database).await;
    let access = sign_in_both(&app, &mut browser).await;
    let mut session = None;
    for _ in 0..2 {
        let request = password_change(&app, &access, &browser.header()).header("Idempotency-Key", "one");
        let response = send(request).await;
        response.has_status(200);
        assert!(!response.headers.contains_key("set-cookie"), "{:?}", response.headers);
        assert!(response.json::<Value>().get("refresh").is_none());
        let changed: CookieTokenResponse = response.json();
        let me = send(app.request(Method::GET, "/api/auth/me/").bearer_auth(&changed.access)).await;
        assert_eq!(me.json::<Value>()["email"], ADA);
        assert_eq!(*session.get_or_insert(session_of(&changed.access)), session_of(&changed.access));
        // It gets the CSRF token of its own session, which does not match the cookies of another.
        browser.with("csrf_token", &changed.csrf_token).refresh(&app).await.problem_of(403, Reason::CsrfFailed);
    }
    let eve: CookieTokenResponse = browser.refresh(&app).await.json();
    assert_eq!(eve.user.email, EVE);
}

/// The response to the sign-up was lost, and another user signed in before the page repeated it. A user who had signed in
/// before the sign-up has been replaced by it, even when only its second response arrives.
async fn a_repeated_sign_up_leaves_the_cookies_of_a_later_sign_in(database: Database) {
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
                let response = send(request.header("Idempotency-Key", "one")).await;
                response.has_status(201);
                response
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

/// Ada's page is of another site, Eve's of the API's own: her cookies are `SameSite=Strict`, and Ada's requests have none.
async fn a_page_of_another_site_leaves_the_cookies_that_it_does_not_get(database: Database) {
    let (app, mut browser) = start(database).await;
    let access = sign_in_both(&app, &mut browser).await;
    let untouched = |response: &TestResponse, status| {
        response.has_status(status);
        assert!(!response.headers.contains_key("set-cookie"), "{:?}", response.headers);
    };
    let out = app.request(Method::POST, "/api/auth/logout/").header("Origin", APP).header("X-CSRF-Token", "Ada's");
    untouched(&send(out.json(&json!({}))).await, 401);
    let changed = send(password_change(&app, &access, "").header("Origin", APP)).await;
    untouched(&changed, 200);
    let delete = app.request(Method::DELETE, "/api/auth/me/").header("Origin", APP);
    let delete = delete.bearer_auth(changed.json::<CookieTokenResponse>().access);
    untouched(&send(delete.json(&json!({"password": NEW_PASSWORD}))).await, 204);
    let eve: CookieTokenResponse = browser.refresh(&app).await.json();
    assert_eq!(eve.user.email, EVE);

    // A page of another site that gets its own cookies sent gets the new ones, too.
    let changed = send(password_change(&app, &eve.access, &browser.header()).header("Origin", APP)).await;
    browser.keep(&changed);
    browser.refresh(&app).await.has_status(200);
}

/// Every route that takes an access token, with a valid body where one is needed; the one that deletes the account comes
/// last.
async fn no_request_of_one_users_page_changes_the_cookies_of_the_next_user(database: Database) {
    let (app, mut browser) = start(database).await;
    let mut access = sign_in_both(&app, &mut browser).await;
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
        let response = send(request.json(&body)).await;
        assert!(!response.headers.contains_key("set-cookie"), "{method} {path}: {:?}", response.headers);
        // After a new password or the end of all sessions the page signs in again, and the cookies are still Eve's.
        if send(app.request(Method::GET, "/api/auth/me/").bearer_auth(&access)).await.status != 200 {
            for password in [PASSWORD, NEW_PASSWORD] {
                let response = app.sign_in(ADA, password).await;
                access = if response.status == 200 { response.json::<CookieTokenResponse>().access } else { access };
            }
        }
    }
    let eve: CookieTokenResponse = browser.refresh(&app).await.json();
    assert_eq!(eve.user.email, EVE);
}
