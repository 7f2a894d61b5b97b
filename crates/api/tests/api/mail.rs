//! Mail on its way out: its contents, that it is sent once, and what happens when it cannot be sent.

use crate::support::{Database, ONE_SECOND, PASSWORD, TestApp, on_both_databases, send};
use api::service::mail::deliver_due;
use auth_types::Reason;
use auth_types::requests::RegisterRequest;
use chrono::Duration;
use reqwest::Method;
use serde_json::json;

on_both_databases![
    mail_is_sent_once_by_any_number_of_workers,
    mail_of_a_newer_release_waits_and_does_not_delay_other_mail,
    mail_that_cannot_be_sent_is_retried_with_backoff_until_it_is_given_up,
    a_reused_refresh_token_is_reported_to_its_owner,
];

const ADA: &str = "ada@example.com";
const WAITING: &str = "SELECT count(*) FROM mail_outbox";

fn request(email: &str) -> RegisterRequest {
    RegisterRequest { email: email.to_owned(), password: PASSWORD.to_owned(), ..Default::default() }
}

async fn request_reset(app: &TestApp, email: &str) {
    app.post("/api/auth/password/reset/", &json!({"email": email})).await.has_status(202);
}

async fn mail_is_sent_once_by_any_number_of_workers(database: Database) {
    let people: Vec<_> = (0..20).map(|number| format!("user{number}@example.com")).collect();
    let app = people.iter().fold(TestApp::builder(database), |builder, email| builder.user(email)).start().await;
    let second = TestApp::builder_on(app.db().clone()).clock(app.clock()).start().await;
    for email in &people {
        request_reset(&app, email).await;
    }
    let workers = (0..8).map(|number| deliver_due(if number % 2 == 0 { app.services() } else { second.services() }));
    let sent = futures_util::future::join_all(workers).await.into_iter().map(Result::unwrap).sum::<usize>();
    assert_eq!(sent, 20);
    assert_eq!(app.deliver_mail().await.len() + second.deliver_mail().await.len(), 20);
    assert_eq!(app.db().number(WAITING), 0);
}

/// A rollback leaves mails in the outbox whose kind the older release does not know.
async fn mail_of_a_newer_release_waits_and_does_not_delay_other_mail(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    request_reset(&app, ADA).await;
    app.db().execute("UPDATE mail_outbox SET kind = 'from_the_future'");
    request_reset(&app, ADA).await;
    assert_eq!(app.deliver_one_mail().await.to, ADA);
    assert_eq!(app.db().number("SELECT count(*) FROM mail_outbox WHERE kind = 'from_the_future'"), 1);
}

async fn mail_that_cannot_be_sent_is_retried_with_backoff_until_it_is_given_up(database: Database) {
    // A file exists where the parent folder should be.
    let blocked = tempfile::NamedTempFile::new().unwrap();
    let url = format!("file:{}/outbox", blocked.path().display());
    let app = TestApp::builder(database).user(ADA).set("EMAIL_URL", url).start().await;
    let tokens = app.login(ADA).await;
    let body = json!({"current_password": PASSWORD, "new_password": "amber lighthouse window 17"});
    send(app.request_as(&tokens, Method::POST, "/api/auth/password/change/").json(&body)).await.tokens();

    let attempts = || app.db().number("SELECT attempts FROM mail_outbox");
    let mut wait = Duration::seconds(30);
    for attempt in 1..=7 {
        assert_eq!(deliver_due(app.services()).await.unwrap(), 0);
        assert_eq!(attempts(), attempt);
        app.clock().advance(wait - ONE_SECOND);
        deliver_due(app.services()).await.unwrap();
        assert_eq!(attempts(), attempt, "it is retried no earlier than after {wait}");
        app.clock().advance(ONE_SECOND);
        wait = wait * 2;
    }
    app.clock().advance(Duration::hours(72));
    deliver_due(app.services()).await.unwrap();
    assert_eq!(app.db().number(WAITING), 0);
    let failed = app.db().value("SELECT detail FROM auth_events WHERE kind = 'mail_failed'").unwrap();
    assert_eq!(failed, r#"{"mail":"password_changed"}"#);
}

async fn a_reused_refresh_token_is_reported_to_its_owner(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    let first = app.login(ADA).await;
    app.refresh(&first).await.tokens();
    app.clock().advance(app.settings().lifetimes.leeway + ONE_SECOND);
    app.refresh(&first).await.unauthorized(Reason::RefreshReused);
    app.refresh(&first).await.unauthorized(Reason::SessionRevoked);
    let notice = app.deliver_one_mail().await;
    assert_eq!((notice.to.as_str(), notice.subject.as_str()), (ADA, "A device was signed out"));
}

#[actix_web::test]
async fn a_mail_repeats_nothing_that_a_user_typed() {
    let app = TestApp::builder(Database::Sqlite).start().await;
    let evil = "<a href='https://evil.example'>Win</a>";
    let body =
        RegisterRequest { display_name: Some(evil.to_owned()), username: Some("evil".to_owned()), ..request(ADA) };
    let sign_up = app.request(Method::POST, "/api/auth/register/").json(&body);
    send(sign_up.header("User-Agent", "Firefox/1 evil <b>").header("Host", "evil.example")).await.created();
    let mail = app.deliver_one_mail().await;
    assert!(!mail.source.contains("evil"), "{}", mail.source);
    assert!(mail.text.contains("Device: Firefox. Address: 127.0.0.1."), "{}", mail.text);
    assert!(mail.text.contains("When: 4 March 2026, 05:06 UTC."), "{}", mail.text);
}

#[actix_web::test]
async fn a_mail_has_one_recipient_and_the_headers_of_a_machine() {
    let app = TestApp::builder(Database::Sqlite).set("EMAIL_FROM", "Latchkey <no-reply@example.com>").start().await;
    app.register(&request("Ada.L+x@Exämple.de")).await.created();
    let mail = app.deliver_one_mail().await;
    assert_eq!(mail.to, "Ada.L+x@xn--exmple-cua.de");
    let head = mail.source.split_once("\r\n\r\n").unwrap().0;
    let mut names: Vec<_> = head.split("\r\n").filter_map(|line| line.split_once(':')).map(|(name, _)| name).collect();
    names.retain(|name| !name.starts_with(' '));
    names.sort_unstable();
    let expected = ["Auto-Submitted", "Content-Type", "Date", "From", "MIME-Version", "Message-ID", "Subject", "To"];
    assert_eq!(names, expected, "{head}");
    assert!(
        head.contains("From: Latchkey <no-reply@example.com>")
            || head.contains("From: \"Latchkey\" <no-reply@example.com>"),
        "{head}"
    );
    assert!(head.contains("Date: Wed, 04 Mar 2026 05:06:07 +0000"), "{head}");
    // Text and HTML have the same link.
    assert!(mail.html.contains(&format!("#token={}\"", mail.token())), "{}", mail.html);
}

#[actix_web::test]
async fn links_lead_to_the_front_end_whatever_a_request_says() {
    let builder = TestApp::builder(Database::Sqlite).set("FRONTEND_URL", "https://app.example.com/a&b'c/");
    let app = builder.user(ADA).start().await;
    let reset = app.request(Method::POST, "/api/auth/password/reset/").json(&json!({"email": ADA}));
    let reset = reset.header("Host", "evil.example").header("X-Forwarded-Host", "evil.example");
    send(reset.header("Origin", "http://127.0.0.1:8080")).await.has_status(202);
    let mail = app.deliver_one_mail().await;
    assert!(mail.text.contains("https://app.example.com/a&b'c/reset-password#token="), "{}", mail.text);
    assert!(mail.html.contains("https://app.example.com/a&amp;b&#39;c/reset-password#token="), "{}", mail.html);
    assert!(!mail.source.contains("evil"));
}

#[actix_web::test]
async fn a_mail_that_waited_too_long_is_not_sent() {
    let app = TestApp::builder(Database::Sqlite).user(ADA).start().await;
    request_reset(&app, ADA).await;
    app.clock().advance(Duration::hours(1));
    assert_eq!(app.deliver_mail().await.len(), 0);
    assert_eq!(app.db().number(WAITING), 0);
}

#[actix_web::test]
async fn one_client_can_request_twenty_mails_an_hour() {
    let app = TestApp::builder(Database::Sqlite).set("RATE_LIMITS", "on").start().await;
    for number in 0..20 {
        request_reset(&app, &format!("somebody{number}@example.com")).await;
    }
    let twenty_first = app.post("/api/auth/email/resend/", &json!({"email": "one.more@example.com"})).await;
    twenty_first.problem_of(429, Reason::RateLimited);
}
