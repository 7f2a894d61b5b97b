//! Changing the password, with the current one.

use crate::support::{Database, PASSWORD, TestApp, TestResponse, on_both_databases, send};
use auth_types::Reason;
use auth_types::responses::TokenResponse;
use chrono::Duration;
use reqwest::Method;
use serde_json::json;

on_both_databases![
    changing_the_password_ends_every_session_and_returns_a_new_one,
    a_wrong_current_password_is_reported_recorded_and_changes_nothing,
    a_new_password_follows_the_rules_of_sign_up,
    of_concurrent_changes_one_succeeds,
    sign_ins_that_race_a_change_leave_no_session_of_the_old_password,
    a_change_ends_the_links_that_were_requested_before,
    a_session_that_has_ended_changes_nothing,
];

const ADA: &str = "ada@example.com";
const NEW_PASSWORD: &str = "amber lighthouse window 17";

async fn start(database: Database) -> (TestApp, TokenResponse) {
    let app = TestApp::builder(database).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    (app, tokens)
}

async fn change(app: &TestApp, tokens: &TokenResponse, current: &str, new: &str) -> TestResponse {
    let body = json!({"current_password": current, "new_password": new});
    send(app.request_as(tokens, Method::POST, "/api/auth/password/change/").json(&body)).await
}

async fn changing_the_password_ends_every_session_and_returns_a_new_one(database: Database) {
    let (app, here) = start(database).await;
    let elsewhere = app.login(ADA).await;
    let new = change(&app, &here, PASSWORD, NEW_PASSWORD).await.tokens();

    assert_eq!(new.user, elsewhere.user);
    for old in [&here, &elsewhere] {
        app.verify(&old.access).await.unauthorized(Reason::SessionRevoked);
        app.refresh(old).await.unauthorized(Reason::SessionRevoked);
    }
    app.me(&new).await.done();
    app.refresh(&new).await.tokens();
    app.sign_in(ADA, PASSWORD).await.unauthorized(Reason::CredentialsWrong);
    app.sign_in(ADA, NEW_PASSWORD).await.tokens();
    let reasons = "SELECT count(*) FROM sessions WHERE revoke_reason = 'password_change'";
    assert_eq!(app.db().number(reasons), 2);
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE kind = 'password_changed'"), 1);
    let notice = app.deliver_one_mail().await;
    assert_eq!((notice.to.as_str(), notice.subject.as_str()), (ADA, "Your password was changed"));
    assert!(notice.text.contains("http://127.0.0.1:8080/forgot-password"), "{}", notice.text);
}

async fn a_wrong_current_password_is_reported_recorded_and_changes_nothing(database: Database) {
    let (app, tokens) = start(database).await;
    let problem = change(&app, &tokens, "violet harbor lantern 43", NEW_PASSWORD).await;
    problem.invalid_fields(&["current_password"]);
    change(&app, &tokens, "", NEW_PASSWORD).await.invalid_fields(&["current_password"]);
    change(&app, &tokens, "", "short").await.invalid_fields(&["current_password", "new_password"]);

    app.me(&tokens).await.done();
    app.login(ADA).await;
    let failures = "SELECT count(*) FROM auth_events WHERE kind = 'reauthentication_failed'";
    assert_eq!(app.db().number(failures), 1, "an empty password is not compared");
    assert_eq!(app.deliver_mail().await.len(), 0);
}

/// Another request changes the password between the authorization and the reading of the hash: the view of the users does that
/// when it is asked for the hash, and the password of this request is the old one.
#[actix_web::test]
async fn the_old_password_is_not_compared_with_a_hash_that_replaced_it_meanwhile() {
    let (app, tokens) = start(Database::Postgres).await;
    app.db().execute("ALTER TABLE users RENAME TO accounts");
    app.db().execute("ALTER TABLE accounts RENAME COLUMN password_hash TO hash");
    app.db().execute(
        "CREATE FUNCTION replaced(hash text) RETURNS text LANGUAGE plpgsql AS
         $$ BEGIN UPDATE sessions SET revoked_at = now(), revoke_reason = 'password_change'; RETURN hash; END $$",
    );
    app.db().execute("CREATE VIEW users AS SELECT *, replaced(hash) AS password_hash FROM accounts");
    change(&app, &tokens, "the old password", NEW_PASSWORD).await.unauthorized(Reason::SessionRevoked);
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE kind = 'reauthentication_failed'"), 0);
}

async fn a_new_password_follows_the_rules_of_sign_up(database: Database) {
    let (app, tokens) = start(database).await;
    for weak in ["short", "password1", ADA, "ada", ""] {
        change(&app, &tokens, PASSWORD, weak).await.invalid_fields(&["new_password"]);
    }
    app.login(ADA).await;
}

async fn of_concurrent_changes_one_succeeds(database: Database) {
    let (app, tokens) = start(database).await;
    let attempts = (0..8).map(|number| change(&app, &tokens, PASSWORD, NEW_PASSWORDS[number]));
    let responses = futures_util::future::join_all(attempts).await;
    let done: Vec<_> = responses.iter().enumerate().filter(|(_, response)| response.status == 200).collect();
    assert_eq!(done.len(), 1);
    for response in responses.iter().filter(|response| response.status != 200) {
        assert!(matches!(response.status.as_u16(), 400 | 401 | 503), "{}", response.text());
    }
    app.sign_in(ADA, NEW_PASSWORDS[done[0].0]).await.tokens();
    assert_eq!(app.db().number("SELECT count(*) FROM sessions WHERE revoked_at IS NULL"), 2);
}

const NEW_PASSWORDS: [&str; 8] = [
    "amber lighthouse window 10",
    "amber lighthouse window 11",
    "amber lighthouse window 12",
    "amber lighthouse window 13",
    "amber lighthouse window 14",
    "amber lighthouse window 15",
    "amber lighthouse window 16",
    "amber lighthouse window 17",
];

async fn sign_ins_that_race_a_change_leave_no_session_of_the_old_password(database: Database) {
    let (app, tokens) = start(database).await;
    let sign_ins = futures_util::future::join_all((0..12).map(|_| app.sign_in(ADA, PASSWORD)));
    let (responses, changed) = tokio::join!(sign_ins, change(&app, &tokens, PASSWORD, NEW_PASSWORD));
    let new = changed.tokens();
    for response in responses.into_iter().filter(|response| response.status == 200) {
        app.refresh(&response.tokens()).await.unauthorized(Reason::SessionRevoked);
    }
    assert_eq!(app.db().number("SELECT count(*) FROM sessions WHERE revoked_at IS NULL"), 1);
    app.refresh(&new).await.tokens();
}

async fn a_change_ends_the_links_that_were_requested_before(database: Database) {
    let (app, tokens) = start(database).await;
    app.post("/api/auth/password/reset/", &json!({"email": ADA})).await.done();
    let reset = app.deliver_one_mail().await.token();
    let body = json!({"new_email": "eve@example.com", "password": PASSWORD});
    send(app.request_as(&tokens, Method::POST, "/api/auth/email/change/").json(&body)).await.done();
    // The mail with the link to the new address has not been sent yet.
    change(&app, &tokens, PASSWORD, NEW_PASSWORD).await.tokens();

    let mails = app.deliver_mail().await;
    assert!(mails.iter().all(|mail| mail.to == ADA), "{mails:?}");
    let body = json!({"token": reset, "new_password": PASSWORD});
    app.post("/api/auth/password/reset/confirm/", &body).await.problem_of(400, Reason::LinkNotValid);
}

async fn a_session_that_has_ended_changes_nothing(database: Database) {
    let (app, tokens) = start(database).await;
    // Revoked by another process; the feed of this one does not know yet.
    app.db().execute("UPDATE sessions SET revoked_at = created_at, revoke_reason = 'logout'");
    change(&app, &tokens, PASSWORD, NEW_PASSWORD).await.unauthorized(Reason::SessionRevoked);
    app.login(ADA).await;
}

/// A stolen access token must not allow guessing the password.
#[actix_web::test]
async fn ten_wrong_passwords_are_allowed_and_right_ones_do_not_count() {
    let app = TestApp::builder(Database::Sqlite).set("RATE_LIMITS", "on").user(ADA).start().await;
    let mut tokens = app.login(ADA).await;
    for (old, new) in [(PASSWORD, NEW_PASSWORD), (NEW_PASSWORD, PASSWORD)] {
        tokens = change(&app, &tokens, old, new).await.tokens();
    }
    for _ in 0..10 {
        let body = json!({"new_email": "eve@example.com", "password": "violet harbor lantern 43"});
        let request = app.request_as(&tokens, Method::POST, "/api/auth/email/change/").json(&body);
        send(request).await.invalid_fields(&["password"]);
    }
    change(&app, &tokens, PASSWORD, NEW_PASSWORD).await.problem_of(429, Reason::RateLimited);
    app.clock().advance(Duration::minutes(15));
    change(&app, &tokens, PASSWORD, NEW_PASSWORD).await.tokens();
}
