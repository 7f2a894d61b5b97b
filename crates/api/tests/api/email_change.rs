//! Changing the email address of an account.

use crate::support::{Database, Mail, ONE_SECOND, PASSWORD, TestApp, TestResponse, on_both_databases, send};
use auth_types::Reason;
use auth_types::requests::RegisterRequest;
use auth_types::responses::{TokenResponse, UserResponse};
use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};

on_both_databases![
    the_new_address_is_confirmed_by_a_link_and_the_old_one_is_notified,
    nothing_is_changed_before_the_link_is_followed,
    a_wrong_password_is_named_and_recorded_and_sends_no_mail,
    a_taken_address_gets_the_same_response_and_its_owner_is_notified,
    the_export_is_the_same_for_a_taken_and_a_free_address,
    an_address_taken_in_the_meantime_stays_with_its_owner,
    of_two_changes_the_newer_counts,
    links_to_the_old_address_are_not_valid_after_the_change,
    a_revoked_session_changes_nothing,
    a_change_to_the_current_address_changes_nothing_and_sends_no_mail,
];

const ADA: &str = "ada@example.com";
const NEW: &str = "countess@example.org";

async fn start(database: Database) -> (TestApp, TokenResponse) {
    let app = TestApp::builder(database).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    (app, tokens)
}

async fn ask(app: &TestApp, tokens: &TokenResponse, new_email: &str, password: &str) -> TestResponse {
    let body = json!({"new_email": new_email, "password": password});
    send(app.request_as(tokens, Method::POST, "/api/auth/email/change/").json(&body)).await
}

async fn follow(app: &TestApp, token: &str) -> TestResponse {
    app.post("/api/auth/email/verify/", &json!({"token": token})).await
}

fn to<'a>(mails: &'a [Mail], address: &str) -> &'a Mail {
    mails.iter().find(|mail| mail.to == address).unwrap_or_else(|| panic!("no mail to {address} in {mails:?}"))
}

async fn the_export_is_the_same_for_a_taken_and_a_free_address(database: Database) {
    const EVE: &str = "eve@example.com";
    let app = TestApp::builder(database).user(ADA).user(EVE).start().await;
    app.db().execute(
        "UPDATE users SET email = 'Countess@example.org', email_canonical = 'countess@example.org' WHERE id = 2",
    );
    let tokens = app.login(ADA).await;
    let mut exports = Vec::new();
    for address in [NEW, "countess@example.net"] {
        ask(&app, &tokens, address, PASSWORD).await.has_status(202);
        app.deliver_mail().await;
        let file = send(app.request_as(&tokens, Method::GET, "/api/auth/me/export/")).await.json::<Value>();
        let links = file["links"].as_array().unwrap().iter().filter(|link| link["email"] == address);
        let links: Vec<_> = links.map(|link| (link["purpose"].clone(), link["used_at"].is_null())).collect();
        exports.push((links, file["mails"].clone()));
    }
    assert_eq!(exports[0], exports[1]);
    assert_eq!(exports[0].0, [(json!("change_email"), true)]);
}

async fn a_change_to_the_current_address_changes_nothing_and_sends_no_mail(database: Database) {
    let (app, tokens) = start(database).await;
    let before = app.db().content();
    ask(&app, &tokens, ADA, PASSWORD).await.has_status(202);
    assert_eq!(app.db().content(), before);
    // Another spelling is a change, and so is the first confirmation.
    ask(&app, &tokens, "Ada@example.com", PASSWORD).await.has_status(202);
    let link = app.deliver_one_mail().await;
    assert_eq!((link.to.as_str(), link.subject.as_str()), ("Ada@example.com", "Confirm your new email address"));
    follow(&app, &link.token()).await.done();
    assert_eq!(app.deliver_mail().await.len(), 0);
    app.db().execute("UPDATE users SET email_verified_at = NULL");
    ask(&app, &tokens, ADA, PASSWORD).await.has_status(202);
    assert_eq!(app.deliver_one_mail().await.to, ADA);
}

async fn the_new_address_is_confirmed_by_a_link_and_the_old_one_is_notified(database: Database) {
    let (app, tokens) = start(database).await;
    ask(&app, &tokens, " Countess@Example.ORG ", PASSWORD).await.has_status(202);
    let mails = app.deliver_mail().await;
    assert_eq!(mails.len(), 2);
    assert_eq!(to(&mails, ADA).subject, "Your email address is about to change");
    assert!(!to(&mails, ADA).text.contains("#token="));
    let link = to(&mails, "Countess@example.org");
    assert!(link.text.contains("http://127.0.0.1:8080/change-email#token="), "{}", link.text);

    follow(&app, &link.token()).await.done();
    let me: UserResponse = app.me(&tokens).await.json();
    assert_eq!((me.email.as_str(), me.email_verified), ("Countess@Example.ORG", true));
    app.sign_in(NEW, PASSWORD).await.tokens();
    app.sign_in(ADA, PASSWORD).await.unauthorized(Reason::CredentialsWrong);
    let notice = app.deliver_one_mail().await;
    assert_eq!((notice.to.as_str(), notice.subject.as_str()), (ADA, "Your email address was changed"));
    follow(&app, &link.token()).await.problem_of(400, Reason::LinkNotValid);
    let kinds = "SELECT count(*) FROM auth_events WHERE kind IN ('email_change_requested', 'email_changed')";
    assert_eq!(app.db().number(kinds), 2);
    // The old address is free at once.
    let again = RegisterRequest { email: ADA.to_owned(), password: PASSWORD.to_owned(), ..Default::default() };
    app.register(&again).await.created();
}

async fn nothing_is_changed_before_the_link_is_followed(database: Database) {
    let (app, tokens) = start(database).await;
    ask(&app, &tokens, NEW, PASSWORD).await.has_status(202);
    let mails = app.deliver_mail().await;
    assert_eq!(app.me(&tokens).await.json::<UserResponse>().email, ADA);
    app.login(ADA).await;
    app.clock().advance(Duration::hours(24));
    follow(&app, &to(&mails, NEW).token()).await.problem_of(400, Reason::LinkNotValid);
}

async fn a_wrong_password_is_named_and_recorded_and_sends_no_mail(database: Database) {
    let (app, tokens) = start(database).await;
    ask(&app, &tokens, NEW, "violet harbor lantern 43").await.invalid_fields(&["password"]);
    ask(&app, &tokens, "none", "").await.invalid_fields(&["new_email", "password"]);
    ask(&app, &tokens, "a@example.com\r\nBcc: eve@example.com", PASSWORD).await.invalid_fields(&["new_email"]);
    assert_eq!(app.deliver_mail().await.len(), 0);
    let failures = "SELECT count(*) FROM auth_events WHERE kind = 'reauthentication_failed'";
    assert_eq!(app.db().number(failures), 1);
}

async fn a_taken_address_gets_the_same_response_and_its_owner_is_notified(database: Database) {
    let app = TestApp::builder(database).user(ADA).user(NEW).start().await;
    let tokens = app.login(ADA).await;
    let taken = ask(&app, &tokens, "Countess@Example.org", PASSWORD).await;
    let mails = app.deliver_mail().await;
    assert_eq!(to(&mails, NEW).subject, "You already have an account");
    assert!(!mails.iter().any(|mail| mail.text.contains("#token=")), "{mails:?}");
    app.clock().advance(ONE_SECOND);
    let free = ask(&app, &tokens, "free@example.org", PASSWORD).await;
    assert_eq!((taken.status, taken.body), (free.status, free.body));
}

async fn an_address_taken_in_the_meantime_stays_with_its_owner(database: Database) {
    let (app, tokens) = start(database).await;
    ask(&app, &tokens, NEW, PASSWORD).await.has_status(202);
    let token = to(&app.deliver_mail().await, NEW).token();
    let owner = RegisterRequest { email: NEW.to_owned(), password: PASSWORD.to_owned(), ..Default::default() };
    app.register(&owner).await.created();
    let before = app.db().content();
    follow(&app, &token).await.problem_of(409, Reason::EmailTaken);
    assert_eq!(app.db().content(), before);
}

async fn of_two_changes_the_newer_counts(database: Database) {
    let (app, tokens) = start(database).await;
    ask(&app, &tokens, "first@example.org", PASSWORD).await.has_status(202);
    let first = to(&app.deliver_mail().await, "first@example.org").token();
    ask(&app, &tokens, "second@example.org", PASSWORD).await.has_status(202);
    follow(&app, &first).await.problem_of(400, Reason::LinkNotValid);
    ask(&app, &tokens, NEW, PASSWORD).await.has_status(202);
    let mails = app.deliver_mail().await;
    assert!(!mails.iter().any(|mail| mail.to == "second@example.org"), "{mails:?}");
    follow(&app, &to(&mails, NEW).token()).await.done();
    assert_eq!(app.me(&tokens).await.json::<UserResponse>().email, NEW);
}

async fn links_to_the_old_address_are_not_valid_after_the_change(database: Database) {
    let (app, tokens) = start(database).await;
    app.post("/api/auth/password/reset/", &json!({"email": ADA})).await.done();
    let reset = app.deliver_one_mail().await.token();
    ask(&app, &tokens, NEW, PASSWORD).await.has_status(202);
    follow(&app, &to(&app.deliver_mail().await, NEW).token()).await.done();
    let body = json!({"token": reset, "new_password": "amber lighthouse window 17"});
    app.post("/api/auth/password/reset/confirm/", &body).await.problem_of(400, Reason::LinkNotValid);
    app.sign_in(NEW, PASSWORD).await.tokens();
}

async fn a_revoked_session_changes_nothing(database: Database) {
    let (app, tokens) = start(database).await;
    // Revoked by another process, and not polled here yet.
    app.db().execute("UPDATE sessions SET revoked_at = created_at, revoke_reason = 'logout'");
    let before = app.db().content();
    ask(&app, &tokens, NEW, PASSWORD).await.unauthorized(Reason::SessionRevoked);
    assert_eq!(app.db().content(), before);
}
