//! Confirming the address of an account, or rejecting an account that another person created with it.

use crate::support::{Database, ONE_SECOND, PASSWORD, TestApp, TestResponse, on_both_databases, pictures, send};
use auth_types::Reason;
use auth_types::requests::RegisterRequest;
use auth_types::responses::UserResponse;
use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};

on_both_databases![
    signing_up_mails_a_link_that_confirms_the_address,
    a_link_confirms_once_within_a_day,
    a_link_is_mailed_again_while_the_address_is_not_confirmed,
    a_link_to_an_old_address_confirms_no_new_one,
    rejecting_a_sign_up_deletes_the_account,
    a_confirmed_account_is_not_deleted_by_a_link,
    a_rejected_link_changes_no_address,
    a_field_of_a_wrong_type_is_named,
];

const ADA: &str = "ada@example.com";
const EVE: &str = "eve@example.com";

fn request(email: &str) -> RegisterRequest {
    RegisterRequest { email: email.to_owned(), password: PASSWORD.to_owned(), ..Default::default() }
}

async fn verify(app: &TestApp, token: &str) -> TestResponse {
    app.post("/api/auth/email/verify/", &json!({"token": token})).await
}

async fn resend(app: &TestApp, email: &str) {
    let response = app.post("/api/auth/email/resend/", &json!({"email": email})).await;
    response.has_status(202);
    assert_eq!(response.json::<Value>(), json!({}));
}

async fn signing_up_mails_a_link_that_confirms_the_address(database: Database) {
    let app = TestApp::builder(database).start().await;
    let created = app.register(&request(ADA)).await.created();
    let mail = app.deliver_one_mail().await;
    assert_eq!((mail.to.as_str(), mail.subject.as_str()), (ADA, "Confirm your email address"));
    assert!(mail.text.contains("http://127.0.0.1:8080/verify-email#token="), "{}", mail.text);

    let response = verify(&app, &mail.token()).await;
    response.has_status(200);
    assert_eq!(response.json::<Value>(), json!({}));
    assert!(app.me(&created).await.json::<UserResponse>().email_verified);
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE kind = 'email_verified'"), 1);
}

async fn a_link_confirms_once_within_a_day(database: Database) {
    let app = TestApp::builder(database).start().await;
    app.register(&request(ADA)).await.created();
    let token = app.deliver_one_mail().await.token();
    let uses = futures_util::future::join_all((0..100).map(|_| verify(&app, &token))).await;
    let (done, refused): (Vec<_>, Vec<_>) = uses.into_iter().partition(|response| response.status == 200);
    assert_eq!((done.len(), refused.len()), (1, 99));
    for response in refused {
        response.problem_of(400, Reason::LinkNotValid);
    }

    app.register(&request(EVE)).await.created();
    let token = app.deliver_one_mail().await.token();
    app.clock().advance(Duration::hours(24));
    verify(&app, &token).await.problem_of(400, Reason::LinkNotValid);
}

async fn a_link_is_mailed_again_while_the_address_is_not_confirmed(database: Database) {
    let app = TestApp::builder(database).start().await;
    app.register(&request(ADA)).await.created();
    let older = app.deliver_one_mail().await.token();
    resend(&app, " ADA@example.com").await;
    let newer = app.deliver_one_mail().await;
    assert_eq!(newer.to, ADA);
    verify(&app, &older).await.problem_of(400, Reason::LinkNotValid);
    verify(&app, &newer.token()).await.done();

    resend(&app, ADA).await;
    resend(&app, "nobody@example.com").await;
    assert_eq!(app.deliver_mail().await.len(), 0);
    app.post("/api/auth/email/resend/", &json!({"email": "none"})).await.invalid_fields(&["email"]);
}

async fn a_link_to_an_old_address_confirms_no_new_one(database: Database) {
    let app = TestApp::builder(database).start().await;
    app.register(&request(ADA)).await.created();
    let token = app.deliver_one_mail().await.token();
    app.db().execute("UPDATE users SET email = 'new@example.com', email_canonical = 'new@example.com'");
    verify(&app, &token).await.problem_of(400, Reason::LinkNotValid);
    app.clock().advance(ONE_SECOND);
    assert_eq!(app.db().number("SELECT count(*) FROM users WHERE email_verified_at IS NULL"), 1);
}

async fn reject(app: &TestApp, token: &str) -> TestResponse {
    app.post("/api/auth/email/verify/", &json!({"token": token, "reject": true})).await
}

async fn rejecting_a_sign_up_deletes_the_account(database: Database) {
    let app = TestApp::builder(database).start().await;
    let sign_up = RegisterRequest { username: Some("countess".to_owned()), ..request(ADA) };
    let tokens = app.register(&sign_up).await.created();
    let mail = app.deliver_one_mail().await;
    assert!(mail.text.contains("I did not sign up"), "{}", mail.text);
    let picture = app.request_as(&tokens, Method::PUT, "/api/auth/me/avatar/").header("Content-Type", "image/png");
    send(picture.body(pictures::png(&pictures::badge(20)))).await.has_status(200);

    let response = reject(&app, &mail.token()).await;
    response.has_status(200);
    assert_eq!(response.json::<Value>(), json!({}));
    app.me(&tokens).await.unauthorized(Reason::SessionRevoked);
    app.refresh(&tokens).await.unauthorized(Reason::SessionRevoked);
    app.sign_in(ADA, PASSWORD).await.unauthorized(Reason::CredentialsWrong);
    assert!(!app.db().content().iter().any(|line| line.contains(ADA) || line.contains("countess")));
    assert!(std::fs::read_dir(app.files().join("avatars")).unwrap().next().is_none(), "the picture still exists");
    assert_eq!(app.deliver_mail().await.len(), 0);
    reject(&app, &mail.token()).await.problem_of(400, Reason::LinkNotValid);
    verify(&app, &mail.token()).await.problem_of(400, Reason::LinkNotValid);
    // Both names are free.
    app.register(&sign_up).await.created();
}

async fn a_confirmed_account_is_not_deleted_by_a_link(database: Database) {
    let app = TestApp::builder(database).start().await;
    let tokens = app.register(&request(ADA)).await.created();
    let token = app.deliver_one_mail().await.token();
    app.db().execute("UPDATE users SET email_verified_at = created_at");
    reject(&app, &token).await.problem_of(400, Reason::LinkNotValid);
    app.me(&tokens).await.done();
}

async fn a_rejected_link_changes_no_address(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    let change = json!({"new_email": EVE, "password": PASSWORD});
    send(app.request_as(&tokens, Method::POST, "/api/auth/email/change/").json(&change)).await.has_status(202);
    let mails = app.deliver_mail().await;
    let token = mails.iter().find(|mail| mail.to == EVE).unwrap().token();

    reject(&app, &token).await.has_status(200);
    verify(&app, &token).await.problem_of(400, Reason::LinkNotValid);
    assert_eq!(app.me(&tokens).await.json::<UserResponse>().email, ADA);
    assert_eq!(app.deliver_mail().await.len(), 0);
}

async fn a_field_of_a_wrong_type_is_named(database: Database) {
    let app = TestApp::builder(database).start().await;
    for (value, field) in [
        (json!({"token": "x", "reject": "yes"}), "reject"),
        (json!({"token": "x", "reject": 1}), "reject"),
        (json!({"token": "x", "registration": true}), "registration"),
        (json!({"reject": true}), "token"),
    ] {
        app.post("/api/auth/email/verify/", &value).await.invalid_fields(&[field]);
    }
    let both = json!({"token": 1, "reject": []});
    app.post("/api/auth/email/verify/", &both).await.invalid_fields(&["reject", "token"]);
    let absent = json!({"token": "x", "reject": null, "registration": null});
    app.post("/api/auth/email/verify/", &absent).await.problem_of(400, Reason::LinkNotValid);
}
