//! A step whose response was lost is repeated with its `Idempotency-Key`: it is done once, and reported as done again.

use crate::support::{Database, ONE_SECOND, PASSWORD, SECRET_KEY, TestApp, TestResponse, on_both_databases, send};
use api::clock::Clock;
use api::service::upkeep::prune::prune;
use auth_types::Reason;
use auth_types::responses::{PendingRegistrationResponse, TokenResponse, UserResponse};
use chrono::Duration;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

on_both_databases![
    a_repeated_change_of_the_password_gets_the_same_session,
    a_change_is_repeated_until_the_new_session_has_been_used,
    a_change_is_repeated_only_by_its_session_and_with_the_same_request,
    a_session_that_ended_otherwise_repeats_nothing,
    a_step_is_repeated_with_an_access_token_that_has_expired_since,
    an_expired_access_token_can_only_repeat,
    a_repeated_deletion_reports_success_and_deletes_no_other_account,
    a_repeated_confirmation_reports_success,
    a_confirmation_with_other_content_is_no_repetition,
    a_repeated_confirmation_of_a_sign_up_signs_in_again,
    a_repeated_rejection_reports_success,
    a_repeated_reset_reports_success_and_sets_one_password,
    a_repeated_change_of_the_address_mails_nothing,
    a_repeated_sign_up_gets_the_same_session,
    a_repeated_sign_up_that_waits_for_its_mail_gets_the_same_registration,
    a_repeated_sign_up_does_not_reveal_the_account,
    while_the_secret_is_changed_either_process_repeats_a_step_of_the_other,
    a_failed_step_is_attempted_again,
    of_twenty_concurrent_steps_one_is_done_and_all_succeed,
    a_step_is_repeated_for_ten_minutes,
    a_clock_that_is_set_back_does_not_extend_the_time,
    stored_steps_reveal_no_secret,
];

const ADA: &str = "ada@example.com";
const EVE: &str = "eve@example.com";
const NEW_PASSWORD: &str = "amber lighthouse window 17";
const KEY: &str = "0b7c1f0e-5d0b-4c8e-9a53-6f1f7e0a7a11";

const CHANGE: (Method, &str) = (Method::POST, "/api/auth/password/change/");
const DELETE: (Method, &str) = (Method::DELETE, "/api/auth/me/");
const CHANGE_EMAIL: (Method, &str) = (Method::POST, "/api/auth/email/change/");
const VERIFY: &str = "/api/auth/email/verify/";
const RESET: &str = "/api/auth/password/reset/confirm/";
const REGISTER: &str = "/api/auth/register/";

async fn start(database: Database) -> (TestApp, TokenResponse) {
    let app = TestApp::builder(database).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    (app, tokens)
}

/// A request without a session.
async fn post(app: &TestApp, path: &str, key: &str, body: &Value) -> TestResponse {
    send(app.request(Method::POST, path).header("Idempotency-Key", key).json(body)).await
}

/// A request of the session of `tokens`.
async fn post_as(app: &TestApp, tokens: &TokenResponse, route: (Method, &str), body: &Value) -> TestResponse {
    let (method, path) = route;
    send(app.request_as(tokens, method, path).header("Idempotency-Key", KEY).json(body)).await
}

fn new_password() -> Value {
    json!({"current_password": PASSWORD, "new_password": NEW_PASSWORD})
}

fn sign_up(email: &str) -> Value {
    json!({"email": email, "password": PASSWORD})
}

async fn mailed_token(app: &TestApp, email: &str) -> String {
    app.post("/api/auth/password/reset/", &json!({"email": email})).await.has_status(202);
    app.deliver_one_mail().await.token()
}

fn count(app: &TestApp, table: &str) -> i64 {
    app.db().number(&format!("SELECT count(*) FROM {table}"))
}

async fn a_repeated_change_of_the_password_gets_the_same_session(database: Database) {
    let (app, old) = start(database).await;
    let first = post_as(&app, &old, CHANGE, &new_password()).await.tokens();
    let (sessions, events) = (count(&app, "sessions"), count(&app, "auth_events"));
    app.clock().advance(ONE_SECOND);
    let again = post_as(&app, &old, CHANGE, &new_password()).await.tokens();

    assert_eq!((&again.refresh, &again.user), (&first.refresh, &first.user));
    assert_eq!((count(&app, "sessions"), count(&app, "auth_events")), (sessions, events));
    assert_eq!(app.deliver_mail().await.len(), 1);
    app.me(&again).await.done();
    app.refresh(&again).await.tokens();
    // The access token is valid for the repetition only.
    app.me(&old).await.unauthorized(Reason::SessionRevoked);
    post_as(&app, &old, (Method::GET, "/api/auth/me/"), &json!({})).await.unauthorized(Reason::SessionRevoked);
}

async fn a_change_is_repeated_until_the_new_session_has_been_used(database: Database) {
    let (app, old) = start(database).await;
    let new = post_as(&app, &old, CHANGE, &new_password()).await.tokens();
    app.refresh(&new).await.tokens();
    post_as(&app, &old, CHANGE, &new_password()).await.unauthorized(Reason::SessionRevoked);

    let (app, old) = start(database).await;
    let new = post_as(&app, &old, CHANGE, &new_password()).await.tokens();
    app.logout(&new).await.done();
    post_as(&app, &old, CHANGE, &new_password()).await.unauthorized(Reason::SessionRevoked);
}

async fn a_change_is_repeated_only_by_its_session_and_with_the_same_request(database: Database) {
    let (app, old) = start(database).await;
    let other = app.login(ADA).await;
    post_as(&app, &old, CHANGE, &new_password()).await.tokens();
    // Another session that the change has ended knows both passwords and the key.
    post_as(&app, &other, CHANGE, &new_password()).await.unauthorized(Reason::SessionRevoked);
    for body in [
        json!({"current_password": PASSWORD, "new_password": "amber lighthouse window 18"}),
        json!({"current_password": NEW_PASSWORD, "new_password": NEW_PASSWORD}),
    ] {
        post_as(&app, &old, CHANGE, &body).await.unauthorized(Reason::SessionRevoked);
    }
    post_as(&app, &old, DELETE, &json!({"password": PASSWORD})).await.unauthorized(Reason::SessionRevoked);
    post_as(&app, &old, CHANGE_EMAIL, &json!({"new_email": EVE, "password": NEW_PASSWORD}))
        .await
        .unauthorized(Reason::SessionRevoked);
    let other_key = app.request_as(&old, CHANGE.0, CHANGE.1).header("Idempotency-Key", "another");
    send(other_key.json(&new_password())).await.unauthorized(Reason::SessionRevoked);
    let without = app.request_as(&old, CHANGE.0, CHANGE.1);
    send(without.json(&new_password())).await.unauthorized(Reason::SessionRevoked);
    let without_token = app.request(CHANGE.0, CHANGE.1).header("Idempotency-Key", KEY);
    send(without_token.json(&new_password())).await.unauthorized(Reason::CredentialsMissing);
    app.sign_in(ADA, NEW_PASSWORD).await.tokens();
}

async fn a_session_that_ended_otherwise_repeats_nothing(database: Database) {
    let (app, tokens) = start(database).await;
    app.logout(&tokens).await.done();
    post_as(&app, &tokens, CHANGE, &new_password()).await.unauthorized(Reason::SessionRevoked);
    post_as(&app, &tokens, DELETE, &json!({"password": PASSWORD})).await.unauthorized(Reason::SessionRevoked);
    assert_eq!(count(&app, "completed_steps"), 0);
    app.sign_in(ADA, PASSWORD).await.tokens();
}

async fn a_step_is_repeated_with_an_access_token_that_has_expired_since(database: Database) {
    let app = TestApp::builder(database).user(ADA).set("ACCESS_TOKEN_LIFETIME", "60").start().await;
    let old = app.login(ADA).await;
    let first = post_as(&app, &old, CHANGE, &new_password()).await.tokens();
    app.clock().advance(Duration::seconds(120));
    let again = post_as(&app, &old, CHANGE, &new_password()).await.tokens();
    assert_eq!(again.refresh, first.refresh);
    post_as(&app, &again, DELETE, &json!({"password": NEW_PASSWORD})).await.has_status(204);
    app.clock().advance(Duration::seconds(120));
    post_as(&app, &again, DELETE, &json!({"password": NEW_PASSWORD})).await.has_status(204);
}

async fn an_expired_access_token_can_only_repeat(database: Database) {
    let app = TestApp::builder(database).user(ADA).set("ACCESS_TOKEN_LIFETIME", "60").start().await;
    let tokens = app.login(ADA).await;
    app.clock().advance(Duration::seconds(60));
    // The session is live, and both passwords are right.
    post_as(&app, &tokens, CHANGE, &new_password()).await.unauthorized(Reason::TokenExpired);
    post_as(&app, &tokens, DELETE, &json!({"password": PASSWORD})).await.unauthorized(Reason::TokenExpired);
    app.login(ADA).await;
    app.clock().advance(Duration::minutes(10));
    post_as(&app, &tokens, CHANGE, &new_password()).await.unauthorized(Reason::TokenExpired);
    assert_eq!(count(&app, "completed_steps"), 0);
}

async fn a_repeated_deletion_reports_success_and_deletes_no_other_account(database: Database) {
    let (app, tokens) = start(database).await;
    post_as(&app, &tokens, DELETE, &json!({"password": PASSWORD})).await.has_status(204);
    // The address belongs to another account by now.
    let next = app.post(REGISTER, &sign_up(ADA)).await.created();
    post_as(&app, &tokens, DELETE, &json!({"password": PASSWORD})).await.has_status(204);
    app.me(&next).await.done();
    post_as(&app, &tokens, DELETE, &json!({"password": "another"})).await.unauthorized(Reason::SessionRevoked);
    let deletion_mails = app.deliver_mail().await.into_iter().filter(|mail| mail.subject.contains("deleted")).count();
    assert_eq!(deletion_mails, 1);
}

async fn a_repeated_confirmation_reports_success(database: Database) {
    let app = TestApp::builder(database).start().await;
    app.post(REGISTER, &sign_up(ADA)).await.created();
    let body = json!({"token": app.deliver_one_mail().await.token()});
    let first = post(&app, VERIFY, KEY, &body).await;
    first.has_status(200);
    let again = post(&app, VERIFY, KEY, &body).await;
    assert_eq!((again.status, again.text()), (first.status, first.text()));
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE kind = 'email_verified'"), 1);
}

async fn a_confirmation_with_other_content_is_no_repetition(database: Database) {
    let app = TestApp::builder(database).start().await;
    app.post(REGISTER, &sign_up(ADA)).await.created();
    let token = app.deliver_one_mail().await.token();
    post(&app, VERIFY, KEY, &json!({"token": token})).await.has_status(200);
    for (key, body) in [
        ("another", json!({"token": token})),
        (KEY, json!({"token": token, "reject": true})),
        (KEY, json!({"token": token, "registration": "x"})),
        (KEY, json!({"token": "x"})),
    ] {
        post(&app, VERIFY, key, &body).await.problem_of(400, Reason::LinkNotValid);
    }
    app.post(VERIFY, &json!({"token": token})).await.problem_of(400, Reason::LinkNotValid);
    post(&app, RESET, KEY, &json!({"token": token, "new_password": NEW_PASSWORD}))
        .await
        .problem_of(400, Reason::LinkNotValid);
}

async fn a_repeated_confirmation_of_a_sign_up_signs_in_again(database: Database) {
    let app = TestApp::builder(database).set("EMAIL_VERIFICATION", "mandatory").start().await;
    let pending: PendingRegistrationResponse = app.post(REGISTER, &sign_up(ADA)).await.json();
    let token = app.deliver_one_mail().await.token();
    let body = json!({"token": token, "registration": pending.registration});
    let first = post(&app, VERIFY, KEY, &body).await.created();
    let again = post(&app, VERIFY, KEY, &body).await.created();
    assert_eq!((&again.refresh, &again.user), (&first.refresh, &first.user));
    assert_eq!((count(&app, "users"), count(&app, "sessions")), (1, 1));
    // The link and the key without the browser's own secret give no tokens.
    post(&app, VERIFY, KEY, &json!({"token": token})).await.problem_of(400, Reason::LinkNotValid);

    // The first response has arrived after all: there is nothing to repeat, and no failure to report.
    app.refresh(&first).await.tokens();
    let late = post(&app, VERIFY, KEY, &body).await;
    assert_eq!((late.status.as_u16(), late.json::<Value>()), (200, json!({})));
}

async fn a_repeated_rejection_reports_success(database: Database) {
    let app = TestApp::builder(database).start().await;
    app.post(REGISTER, &sign_up(ADA)).await.created();
    let body = json!({"token": app.deliver_one_mail().await.token(), "reject": true});
    post(&app, VERIFY, KEY, &body).await.has_status(200);
    let next = app.post(REGISTER, &sign_up(ADA)).await.created();
    post(&app, VERIFY, KEY, &body).await.has_status(200);
    app.me(&next).await.done();
}

async fn a_repeated_reset_reports_success_and_sets_one_password(database: Database) {
    let (app, _) = start(database).await;
    let token = mailed_token(&app, ADA).await;
    let body = json!({"token": token, "new_password": NEW_PASSWORD});
    post(&app, RESET, KEY, &body).await.has_status(200);
    let signed_in = app.sign_in(ADA, NEW_PASSWORD).await.tokens();
    let again = post(&app, RESET, KEY, &body).await;
    assert_eq!((again.status.as_u16(), again.json::<Value>()), (200, json!({})));
    // The repetition ends no session.
    app.me(&signed_in).await.done();
    let other = json!({"token": token, "new_password": "amber lighthouse window 18"});
    post(&app, RESET, KEY, &other).await.problem_of(400, Reason::LinkNotValid);
    assert_eq!(app.deliver_mail().await.len(), 1);
}

async fn a_repeated_change_of_the_address_mails_nothing(database: Database) {
    let (app, tokens) = start(database).await;
    let body = json!({"new_email": EVE, "password": PASSWORD});
    post_as(&app, &tokens, CHANGE_EMAIL, &body).await.has_status(202);
    let mails = app.deliver_mail().await;
    assert_eq!(mails.len(), 2);
    post_as(&app, &tokens, CHANGE_EMAIL, &body).await.has_status(202);
    assert_eq!(app.deliver_mail().await.len(), 0);

    let token = mails.iter().find(|mail| mail.to == EVE).unwrap().token();
    for _ in 0..2 {
        post(&app, VERIFY, KEY, &json!({"token": token})).await.has_status(200);
    }
    assert_eq!(app.me(&tokens).await.json::<UserResponse>().email, EVE);
    assert_eq!(app.deliver_mail().await.len(), 1);
}

async fn a_repeated_sign_up_gets_the_same_session(database: Database) {
    let app = TestApp::builder(database).start().await;
    let first = post(&app, REGISTER, KEY, &sign_up(ADA)).await.created();
    let again = post(&app, REGISTER, KEY, &sign_up(ADA)).await.created();
    assert_eq!((&again.refresh, &again.user), (&first.refresh, &first.user));
    assert_eq!((count(&app, "users"), count(&app, "sessions"), app.deliver_mail().await.len()), (1, 1, 1));
    let other = json!({"email": ADA, "password": NEW_PASSWORD});
    post(&app, REGISTER, KEY, &other).await.problem_of(409, Reason::EmailTaken);
    post(&app, REGISTER, "another", &sign_up(ADA)).await.problem_of(409, Reason::EmailTaken);

    app.refresh(&first).await.tokens();
    post(&app, REGISTER, KEY, &sign_up(ADA)).await.problem_of(409, Reason::EmailTaken);
    // A request that arrives again after the account was deleted creates no new one. The address is free.
    let delete = app.request_as(&again, DELETE.0, DELETE.1).json(&json!({"password": PASSWORD}));
    send(delete).await.has_status(204);
    let users = count(&app, "users");
    post(&app, REGISTER, KEY, &sign_up(ADA)).await.problem_of(409, Reason::EmailTaken);
    assert_eq!(count(&app, "users"), users);
    let next = post(&app, REGISTER, "another", &sign_up(ADA)).await.created();
    assert_ne!(next.user.id, first.user.id);
}

async fn a_repeated_sign_up_that_waits_for_its_mail_gets_the_same_registration(database: Database) {
    let app = TestApp::builder(database).set("EMAIL_VERIFICATION", "mandatory").start().await;
    let first = post(&app, REGISTER, KEY, &sign_up(ADA)).await;
    first.has_status(202);
    let again = post(&app, REGISTER, KEY, &sign_up(ADA)).await;
    assert_eq!((again.status, again.text()), (first.status, first.text()));
    assert_eq!(again.header("cache-control"), "no-store");
    assert_eq!((count(&app, "pending_registrations"), app.deliver_mail().await.len()), (1, 1));
    let other = post(&app, REGISTER, "another", &sign_up(ADA)).await;
    assert_ne!(other.text(), first.text());
}

async fn a_repeated_sign_up_does_not_reveal_the_account(database: Database) {
    let app = TestApp::builder(database).set("EMAIL_VERIFICATION", "mandatory").user(ADA).start().await;
    for _ in 0..2 {
        for email in [ADA, EVE] {
            let response = post(&app, REGISTER, KEY, &sign_up(email)).await;
            response.has_status(202);
            assert_eq!(response.json::<PendingRegistrationResponse>().registration.len(), 43);
        }
    }
    assert_eq!((count(&app, "pending_registrations"), count(&app, "completed_steps")), (2, 2));
}

/// The claims of the refresh token, which each process signs with another key.
fn claims(tokens: &TokenResponse) -> &str {
    tokens.refresh.split('.').nth(1).unwrap()
}

/// While a new `SECRET_KEY` is rolled out, one process signs with the old secret and accepts the new one, and the other
/// process the other way round.
async fn while_the_secret_is_changed_either_process_repeats_a_step_of_the_other(database: Database) {
    const OTHER_SECRET: &str = "a second secret that is as long as it has to be";
    let old = TestApp::builder(database).set("SECRET_KEY_FALLBACKS", OTHER_SECRET).user(ADA).start().await;
    let new = TestApp::builder_on(old.db().clone()).clock(old.clock());
    let new = new.set("SECRET_KEY", OTHER_SECRET).set("SECRET_KEY_FALLBACKS", SECRET_KEY).start().await;
    for (one, other) in [(&old, &new), (&new, &old)] {
        let email = format!("{}@example.com", one.address().port());
        let first = post(one, REGISTER, KEY, &sign_up(&email)).await.created();
        let again = post(other, REGISTER, KEY, &sign_up(&email)).await.created();
        assert_eq!((claims(&again), &again.user), (claims(&first), &first.user));
        let changed = post_as(one, &first, CHANGE, &new_password()).await.tokens();
        assert_eq!(claims(&post_as(other, &first, CHANGE, &new_password()).await.tokens()), claims(&changed));
        one.deliver_mail().await;
        let token = json!({"token": mailed_token(one, &email).await, "new_password": PASSWORD});
        post(one, RESET, KEY, &token).await.has_status(200);
        post(other, RESET, KEY, &token).await.has_status(200);
    }
}

async fn a_failed_step_is_attempted_again(database: Database) {
    let (app, tokens) = start(database).await;
    let wrong = json!({"current_password": "violet harbor lantern 43", "new_password": NEW_PASSWORD});
    for _ in 0..2 {
        post_as(&app, &tokens, CHANGE, &wrong).await.invalid_fields(&["current_password"]);
    }
    assert_eq!(count(&app, "completed_steps"), 0);
    post(&app, RESET, KEY, &json!({"token": "x", "new_password": NEW_PASSWORD}))
        .await
        .problem_of(400, Reason::LinkNotValid);
    post_as(&app, &tokens, CHANGE, &new_password()).await.tokens();
}

async fn of_twenty_concurrent_steps_one_is_done_and_all_succeed(database: Database) {
    let app = TestApp::builder(database).start().await;
    let body = sign_up(ADA);
    let all = join_all((0..20).map(|_| post(&app, REGISTER, KEY, &body))).await;
    let signed_up: Vec<_> = all.into_iter().map(|response| response.created().refresh).collect();
    assert!(signed_up.iter().all(|refresh| *refresh == signed_up[0]));
    assert_eq!((count(&app, "users"), count(&app, "sessions")), (1, 1));

    let tokens = app.login(ADA).await;
    let body = new_password();
    let all = join_all((0..20).map(|_| post_as(&app, &tokens, CHANGE, &body))).await;
    let changed: Vec<_> = all.into_iter().map(|response| response.tokens().refresh).collect();
    assert!(changed.iter().all(|refresh| *refresh == changed[0]));
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE kind = 'password_changed'"), 1);

    app.deliver_mail().await;
    let body = json!({"token": mailed_token(&app, ADA).await, "new_password": PASSWORD});
    for response in join_all((0..20).map(|_| post(&app, RESET, KEY, &body))).await {
        response.has_status(200);
    }
    let tokens = app.login(ADA).await;
    let body = json!({"password": PASSWORD});
    for response in join_all((0..20).map(|_| post_as(&app, &tokens, DELETE, &body))).await {
        response.has_status(204);
    }
}

async fn a_step_is_repeated_for_ten_minutes(database: Database) {
    let (app, old) = start(database).await;
    post_as(&app, &old, CHANGE, &new_password()).await.tokens();
    app.clock().advance(Duration::minutes(10) - ONE_SECOND);
    post_as(&app, &old, CHANGE, &new_password()).await.tokens();
    app.clock().advance(ONE_SECOND);
    post_as(&app, &old, CHANGE, &new_password()).await.unauthorized(Reason::SessionRevoked);

    // A step that can be done again is done again, with the same key.
    let (app, tokens) = start(database).await;
    let body = json!({"new_email": EVE, "password": PASSWORD});
    for _ in 0..2 {
        post_as(&app, &tokens, CHANGE_EMAIL, &body).await.has_status(202);
        assert_eq!(app.deliver_mail().await.len(), 2);
        app.clock().advance(Duration::minutes(10));
    }
    assert_eq!(count(&app, "completed_steps"), 1);
    prune(app.services()).await.unwrap();
    assert_eq!(count(&app, "completed_steps"), 0);
}

async fn a_clock_that_is_set_back_does_not_extend_the_time(database: Database) {
    let (app, old) = start(database).await;
    let before = app.clock().now();
    app.clock().advance(Duration::hours(1) - ONE_SECOND);
    post_as(&app, &old, CHANGE, &new_password()).await.tokens();
    app.clock().advance(before - app.clock().now());
    post_as(&app, &old, CHANGE, &new_password()).await.unauthorized(Reason::SessionRevoked);
}

async fn stored_steps_reveal_no_secret(database: Database) {
    let (app, old) = start(database).await;
    let new = post_as(&app, &old, CHANGE, &new_password()).await.tokens();
    let pending = post(&app, REGISTER, KEY, &sign_up(EVE)).await.created();
    let content = app.db().content();
    for secret in [PASSWORD, NEW_PASSWORD, KEY, &new.refresh, &new.access, &pending.refresh] {
        assert!(!content.iter().any(|line| line.contains(secret)), "{secret} is kept");
    }
    // A guessed key and password do not give the hash: it needs the secret key of the service.
    let plain = "SELECT count(*) FROM completed_steps WHERE length(hash) <> 32 OR notice IS NOT NULL";
    assert_eq!(app.db().number(plain), 0);
}
