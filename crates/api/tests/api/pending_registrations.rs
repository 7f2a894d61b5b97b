//! Signing up where an address must be confirmed first: a registration becomes an account when its mailed link is opened.

use crate::support::sign_ups::{ADA, EVE, click, mandatory, pending, request, sign_up, users, verify};
use crate::support::{Database, PASSWORD, TestApp, TestResponse, on_both_databases, send};
use auth_types::Reason;
use auth_types::requests::RegisterRequest;
use auth_types::responses::{PendingRegistrationResponse, TokenResponse};
use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};

on_both_databases![
    the_browser_that_signed_up_is_signed_in_by_its_link,
    another_browser_is_sent_to_sign_in,
    a_sign_in_before_confirmation_is_refused_and_mails_the_link_again,
    a_taken_address_gets_the_same_response_after_the_same_work,
    a_pending_username_is_not_reserved,
    a_username_that_was_taken_meanwhile_is_left_out,
    a_username_of_an_account_is_refused_for_every_address,
    one_hundred_concurrent_confirmations_create_one_account,
    a_link_expires_after_a_day,
    an_address_that_got_an_account_meanwhile_keeps_that_account,
    all_mails_of_a_sign_up_have_the_same_link,
    a_reset_mails_nothing_to_an_address_with_registrations_only,
    expired_registrations_are_pruned,
    deleting_an_account_deletes_the_registrations_of_its_address,
    deleting_an_unconfirmed_account_keeps_the_registrations_of_its_address,
    deleting_an_unconfirmed_account_keeps_a_link_that_was_requested_again,
    only_the_confirmed_owner_of_an_address_exports_its_registrations,
    the_first_language_of_the_browser_is_stored,
];

fn named(email: &str, username: &str) -> RegisterRequest {
    RegisterRequest { username: Some(username.to_owned()), ..request(email) }
}

async fn the_browser_that_signed_up_is_signed_in_by_its_link(database: Database) {
    let app = mandatory(database).await;
    let full = RegisterRequest { display_name: Some("Eve".to_owned()), ..named("Eve@Example.com", "Apple") };
    let registration = sign_up(&app, &full).await;
    assert_eq!((users(&app), pending(&app)), (1, 1));
    let content = app.db().content();
    assert!(!content.iter().any(|line| line.contains(&registration) || line.contains(PASSWORD)), "{content:?}");
    let mail = app.deliver_one_mail().await;
    assert_eq!((mail.to.as_str(), mail.subject.as_str()), ("Eve@example.com", "Confirm your email address"));
    assert!(mail.text.contains("http://127.0.0.1:8080/verify-email#token="), "{}", mail.text);

    let response = verify(&app, &json!({"token": mail.token(), "registration": registration})).await;
    assert_eq!(response.json::<Value>().get("notice"), None);
    let tokens: TokenResponse = response.created();
    let user = &tokens.user;
    assert_eq!((user.email.as_str(), user.username.as_deref()), ("Eve@Example.com", Some("Apple")));
    assert_eq!((user.display_name.as_str(), user.role.as_str()), ("Eve", "user"));
    assert!(user.email_verified && user.last_login_at == Some(user.created_at));
    app.me(&tokens).await.done();
    app.sign_in("apple", PASSWORD).await.tokens();
    assert_eq!((users(&app), pending(&app)), (2, 0));
    let events = app.db().texts("SELECT kind AS value FROM auth_events WHERE user_id = 2 ORDER BY id");
    assert_eq!(events, ["registered", "email_verified", "logged_in"]);
    // The link is spent.
    let again = verify(&app, &json!({"token": mail.token(), "registration": registration})).await;
    again.problem_of(400, Reason::LinkNotValid);
}

async fn another_browser_is_sent_to_sign_in(database: Database) {
    let app = mandatory(database).await;
    for (email, sent) in [
        ("one@example.com", None),
        ("two@example.com", Some(String::new())),
        ("three@example.com", Some("not-what-was-given".to_owned())),
        ("four@example.com", Some(sign_up(&app, &request(ADA)).await)), // of another sign-up
    ] {
        app.deliver_mail().await;
        sign_up(&app, &request(email)).await;
        let token = app.deliver_one_mail().await.token();
        let response = verify(&app, &json!({"token": token, "registration": sent})).await;
        response.has_status(200);
        assert_eq!(response.json::<Value>(), json!({}));
        assert!(app.sign_in(email, PASSWORD).await.tokens().user.email_verified);
    }
}

async fn a_sign_in_before_confirmation_is_refused_and_mails_the_link_again(database: Database) {
    let app = mandatory(database).await;
    app.login(ADA).await; // the operator has confirmed her address
    sign_up(&app, &request(EVE)).await;
    let first = app.deliver_one_mail().await;

    app.sign_in(EVE, "violet harbor lantern 43").await.unauthorized(Reason::CredentialsWrong);
    assert_eq!(app.deliver_mail().await.len(), 0);
    let right = app.sign_in(EVE, PASSWORD).await;
    let unknown = app.sign_in("nobody@example.com", PASSWORD).await;
    assert_eq!(right.comparable(), unknown.comparable());
    right.unauthorized(Reason::CredentialsWrong);
    assert_eq!(app.db().number("SELECT count(*) FROM sessions"), 1);
    let second = app.deliver_one_mail().await;
    assert_eq!(second.to, EVE);

    assert_eq!(second.token(), first.token());
    click(&app, &second).await.has_status(200);
    app.sign_in(EVE, PASSWORD).await.tokens();
    assert_eq!(app.deliver_mail().await.len(), 0);
}

/// The tables of the new rows, which must be the same for each sign-up.
fn added(app: &TestApp, before: &[String]) -> Vec<String> {
    let new = app.db().content().into_iter().filter(|line| !before.contains(line));
    new.map(|line| line.split(':').next().unwrap().to_owned()).collect()
}

async fn a_taken_address_gets_the_same_response_after_the_same_work(database: Database) {
    let app = mandatory(database).await;
    let before = app.db().content();
    let free = app.register(&request(EVE)).await;
    let for_free = added(&app, &before);
    let before = app.db().content();
    let taken = app.register(&request("Ada@Example.com")).await;

    assert_eq!(for_free, added(&app, &before));
    assert_eq!(for_free, ["mail_outbox", "pending_registrations"]);
    let blank = |response: &TestResponse| {
        let registration = response.json::<PendingRegistrationResponse>().registration;
        assert_eq!(registration.len(), 43);
        (response.status, response.text().replace(&registration, ""))
    };
    free.has_status(202);
    assert_eq!(blank(&free), blank(&taken));
    let names = |response: &TestResponse| response.headers.keys().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(&free), names(&taken));
    // Only the reader of the mail at the address sees the difference.
    let mails = app.deliver_mail().await;
    let sent: Vec<_> = mails.iter().map(|mail| (mail.to.as_str(), mail.subject.as_str())).collect();
    assert_eq!(sent, [(EVE, "Confirm your email address"), (ADA, "You already have an account")]);
    assert!(!mails[1].text.contains("#token="));
    assert_eq!(app.db().texts("SELECT kind AS value FROM auth_events WHERE user_id = 1"), ["register_repeated"]);
    app.login(ADA).await;
}

async fn a_pending_username_is_not_reserved(database: Database) {
    let app = mandatory(database).await;
    for email in [EVE, ADA, "free@example.com", EVE] {
        sign_up(&app, &named(email, "countess")).await;
    }
    app.sign_in("countess", PASSWORD).await.unauthorized(Reason::CredentialsWrong);
    let tokens = app.login(ADA).await;
    let profile = app.request_as(&tokens, Method::PATCH, "/api/auth/me/").json(&json!({"username": "countess"}));
    send(profile).await.has_status(200);
}

async fn a_username_that_was_taken_meanwhile_is_left_out(database: Database) {
    let app = mandatory(database).await;
    let registration = sign_up(&app, &named(EVE, "Countess")).await;
    let eve = app.deliver_one_mail().await;
    sign_up(&app, &named("bob@example.com", "countess")).await;
    let bob = app.deliver_one_mail().await;
    app.db().execute("UPDATE users SET username = 'countess', username_canonical = 'countess' WHERE id = 1");

    let response = verify(&app, &json!({"token": eve.token(), "registration": registration})).await;
    let body: Value = response.json();
    assert_eq!((&body["notice"], &body["username"]), (&json!("username_taken"), &Value::Null));
    assert!(body.as_object().unwrap().contains_key("username"));
    let tokens = response.created();
    assert_eq!((tokens.user.email.as_str(), tokens.user.username), (EVE, None));
    let response = click(&app, &bob).await;
    response.has_status(200);
    assert_eq!(response.json::<Value>(), json!({"username": null, "notice": "username_taken"}));
    app.sign_in("bob@example.com", PASSWORD).await.tokens();
}

async fn a_username_of_an_account_is_refused_for_every_address(database: Database) {
    let app = mandatory(database).await;
    app.db().execute("UPDATE users SET username = 'countess', username_canonical = 'countess' WHERE id = 1");
    let before = app.db().content();
    for email in [ADA, EVE, "free@example.com"] {
        app.register(&named(email, "Countess")).await.problem_of(409, Reason::UsernameTaken);
    }
    assert_eq!(app.db().content(), before);
}

async fn one_hundred_concurrent_confirmations_create_one_account(database: Database) {
    let app = mandatory(database).await;
    let registration = sign_up(&app, &request(EVE)).await;
    let body = json!({"token": app.deliver_one_mail().await.token(), "registration": registration});
    let responses = futures_util::future::join_all((0..100).map(|_| verify(&app, &body))).await;
    let (created, refused): (Vec<_>, Vec<_>) = responses.into_iter().partition(|response| response.status == 201);
    assert_eq!((created.len(), refused.len()), (1, 99));
    for response in refused {
        response.problem_of(400, Reason::LinkNotValid);
    }
    assert_eq!((users(&app), app.db().number("SELECT count(*) FROM sessions")), (2, 1));
}

async fn a_link_expires_after_a_day(database: Database) {
    let app = mandatory(database).await;
    sign_up(&app, &request(EVE)).await;
    let mail = app.deliver_one_mail().await;
    app.clock().advance(Duration::hours(24));
    click(&app, &mail).await.problem_of(400, Reason::LinkNotValid);
    app.sign_in(EVE, PASSWORD).await.unauthorized(Reason::CredentialsWrong);
    app.post("/api/auth/email/resend/", &json!({"email": EVE})).await.has_status(202);
    assert_eq!(app.deliver_mail().await.len(), 0);
    assert_eq!(users(&app), 1);
}

async fn an_address_that_got_an_account_meanwhile_keeps_that_account(database: Database) {
    let app = mandatory(database).await;
    sign_up(&app, &request(EVE)).await;
    let mail = app.deliver_one_mail().await;
    app.db().execute(&format!("UPDATE users SET email = '{EVE}', email_canonical = '{EVE}' WHERE id = 1"));
    let before = app.db().content();
    click(&app, &mail).await.problem_of(400, Reason::LinkNotValid);
    assert_eq!(app.db().content(), before);
}

async fn a_reset_mails_nothing_to_an_address_with_registrations_only(database: Database) {
    let app = mandatory(database).await;
    sign_up(&app, &request(EVE)).await;
    app.deliver_one_mail().await;
    app.post("/api/auth/password/reset/", &json!({"email": EVE})).await.has_status(202);
    assert_eq!(app.deliver_mail().await.len(), 0);
}

async fn expired_registrations_are_pruned(database: Database) {
    let app = mandatory(database).await;
    sign_up(&app, &request(EVE)).await;
    app.clock().advance(Duration::hours(23));
    api::service::upkeep::prune::prune(app.services()).await.unwrap();
    assert_eq!(pending(&app), 1);
    app.clock().advance(Duration::hours(1) + Duration::seconds(1));
    api::service::upkeep::prune::prune(app.services()).await.unwrap();
    assert_eq!(pending(&app), 0);
}

async fn deleting_an_account_deletes_the_registrations_of_its_address(database: Database) {
    let app = mandatory(database).await;
    let tokens = app.login(ADA).await;
    sign_up(&app, &named(ADA, "somebody")).await;
    let request = app.request_as(&tokens, Method::DELETE, "/api/auth/me/");
    send(request.json(&json!({"password": PASSWORD}))).await.has_status(204);
    assert_eq!(pending(&app), 0);
}

/// The registrations for an address that the account never confirmed may be the real owner's.
async fn deleting_an_unconfirmed_account_keeps_the_registrations_of_its_address(database: Database) {
    let app = mandatory(database).await;
    let tokens = app.login(ADA).await;
    app.db().execute("UPDATE users SET email_verified_at = NULL WHERE id = 1");
    let registration = sign_up(&app, &request(ADA)).await;
    let deletion = app.request_as(&tokens, Method::DELETE, "/api/auth/me/");
    send(deletion.json(&json!({"password": PASSWORD}))).await.has_status(204);
    assert_eq!(pending(&app), 1);
    // The waiting mail is sent to the address.
    let mails = app.deliver_mail().await;
    let token = mails.iter().find(|mail| mail.subject == "Confirm your email address").unwrap().token();
    verify(&app, &json!({"token": token, "registration": registration})).await.created();
}

/// The request that waits names no account: it is for whatever its address confirms, here a registration.
async fn deleting_an_unconfirmed_account_keeps_a_link_that_was_requested_again(database: Database) {
    let app = mandatory(database).await;
    let tokens = app.login(ADA).await;
    app.db().execute("UPDATE users SET email_verified_at = NULL WHERE id = 1");
    let registration = sign_up(&app, &request(ADA)).await;
    app.deliver_mail().await;
    let resend = app.request(Method::POST, "/api/auth/email/resend/");
    send(resend.json(&json!({"email": ADA, "registration": registration}))).await.has_status(202);
    let deletion = app.request_as(&tokens, Method::DELETE, "/api/auth/me/");
    send(deletion.json(&json!({"password": PASSWORD}))).await.has_status(204);
    let mails = app.deliver_mail().await;
    let token = mails.iter().find(|mail| mail.subject == "Confirm your email address").unwrap().token();
    verify(&app, &json!({"token": token, "registration": registration})).await.created();
}

async fn only_the_confirmed_owner_of_an_address_exports_its_registrations(database: Database) {
    let app = mandatory(database).await;
    let tokens = app.login(ADA).await;
    let sign_up = app.request(Method::POST, "/api/auth/register/").header("Accept-Language", "de");
    send(sign_up.json(&named("Ada@example.com", "other"))).await.has_status(202);
    let export = async || {
        let response = send(app.request_as(&tokens, Method::GET, "/api/auth/me/export/")).await;
        response.json::<Value>()["registrations"].clone()
    };
    let exported = export().await;
    let columns = app.db().columns("pending_registrations");
    let proofs = ["id", "email_canonical", "username_canonical", "password_hash", "registration_hash", "link_hash"];
    for column in columns {
        assert_ne!(exported[0].get(&column).is_some(), proofs.contains(&column.as_str()), "{column}");
    }
    assert_eq!(exported[0]["email"], "Ada@example.com");
    app.db().execute("UPDATE users SET email_verified_at = NULL");
    assert_eq!(export().await, json!([]));
    // An account that never confirmed its address does not see the mails to its owner, either.
    let response = send(app.request_as(&tokens, Method::GET, "/api/auth/me/export/")).await;
    assert_eq!(response.json::<Value>()["mails"], json!([]));
    app.deliver_mail().await;
    let response = send(app.request_as(&tokens, Method::GET, "/api/auth/me/export/")).await;
    assert_eq!(response.json::<Value>()["sent_mails"], json!([]));
}

async fn the_first_language_of_the_browser_is_stored(database: Database) {
    let app = mandatory(database).await;
    let long = "x".repeat(36);
    for (number, (header, kept)) in [
        (Some("de-AT,de;q=0.9,en;q=0.8"), Some("de-AT")),
        (Some("en;q=0.5"), Some("en")),
        (Some("*"), None),
        (Some("<script>"), None),
        (Some(""), None),
        (Some(long.as_str()), None),
        (None, None),
    ]
    .into_iter()
    .enumerate()
    {
        let sign_up = app.request(Method::POST, "/api/auth/register/").json(&request(EVE));
        let sign_up = header.into_iter().fold(sign_up, |request, value| request.header("Accept-Language", value));
        send(sign_up).await.has_status(202);
        let language = format!("SELECT language FROM pending_registrations WHERE id = {}", number + 1);
        assert_eq!(app.db().value(&language).as_deref(), kept, "{header:?}");
    }
}

/// An older mail may arrive after a newer one.
async fn all_mails_of_a_sign_up_have_the_same_link(database: Database) {
    let app = mandatory(database).await;
    let registration = sign_up(&app, &request(EVE)).await;
    let first = app.deliver_one_mail().await.token();
    app.clock().advance(Duration::hours(1));
    app.post("/api/auth/email/resend/", &json!({"email": EVE, "registration": registration})).await.has_status(202);
    assert_eq!(app.deliver_one_mail().await.token(), first);
    // The link is valid as long as the newest mail says.
    app.clock().advance(Duration::hours(23) + Duration::minutes(30));
    app.post("/api/auth/email/verify/", &json!({"token": first, "registration": registration})).await.created();
}
