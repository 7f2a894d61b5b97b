//! Mail over SMTP, to a real server: with TLS and without, refused, postponed, down and up again.

use crate::support::servers::Server;
use crate::support::{
    CERTIFICATE, Database, Mail, MailServer, ONE_SECOND, PASSWORD, Process, Refusal, ScriptedMailServer, TestApp,
    TestDb, create_user, send,
};
use api::service::mail::deliver_due;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};
use std::error::Error;

const ADA: &str = "ada@example.com";
const WAITING: &str = "SELECT count(*) FROM mail_outbox";
const FIRST_WAIT: Duration = Duration::seconds(30);

async fn start(url: impl Into<String>) -> TestApp {
    let builder = TestApp::builder(Database::Sqlite).user(ADA).set("EMAIL_FROM", "Latchkey <no-reply@example.com>");
    builder.set("EMAIL_URL", url).start().await
}

async fn request_reset(app: &TestApp) {
    app.post("/api/auth/password/reset/", &json!({"email": ADA})).await.has_status(202);
}

async fn deliver(app: &TestApp) -> usize {
    deliver_due(app.services()).await.unwrap()
}

fn with_tls(tls: &str) -> Value {
    json!({
        "port": 0, "tls": tls, "certificate": CERTIFICATE.path(), "key": CERTIFICATE.key(),
        "user": "latchkey", "password": "p@ss +&%",
    })
}

/// `EMAIL_URL`, with the login of [`with_tls`].
fn url(scheme: &str, server: &MailServer, parameters: &str) -> String {
    format!("{scheme}://latchkey:p%40ss%20+&%25@127.0.0.1:{}?{parameters}", server.port())
}

fn trusting() -> String {
    format!("tls=required&ca_file={}", CERTIFICATE.path().display())
}

#[actix_web::test]
async fn a_server_on_this_machine_gets_the_mail() {
    let server = MailServer::plain();
    let app = start(format!("smtp://127.0.0.1:{}", server.port())).await;
    app.services().mailer.test().await.unwrap();
    request_reset(&app).await;
    request_reset(&app).await;
    assert_eq!(deliver(&app).await, 2);
    let mails = [server.next(), server.next()];
    for mail in &mails {
        assert_eq!((&mail["from"], &mail["to"]), (&json!("no-reply@example.com"), &json!([ADA])));
        assert_eq!(mail["secure"], false);
    }
    let tokens = mails.map(|mail| Mail::parse(mail["source"].as_str().unwrap()).token());
    assert_ne!(tokens[0], tokens[1]);
    assert_eq!(app.db().number(WAITING), 0);
}

#[actix_web::test]
async fn a_remote_server_gets_the_password_over_tls_only() {
    for (scheme, tls) in [("smtp", "starttls"), ("smtps", "implicit")] {
        let server = MailServer::start(&with_tls(tls));
        let app = start(url(scheme, &server, &trusting())).await;
        request_reset(&app).await;
        assert_eq!(deliver(&app).await, 1, "{scheme}");
        assert_eq!(server.next(), json!({"login": "latchkey", "secure": true}));
        let mail = server.next();
        assert_eq!((&mail["secure"], &mail["user"]), (&json!(true), &json!("latchkey")));
        app.services().mailer.test().await.unwrap();
    }
}

#[actix_web::test]
async fn an_untrusted_server_gets_neither_login_nor_mail() {
    let untrusted = "tls=required".to_owned();
    for (scheme, tls, parameters) in
        [("smtp", "starttls", &untrusted), ("smtps", "implicit", &untrusted), ("smtp", "none", &trusting())]
    {
        let server = MailServer::start(&with_tls(tls));
        let app = start(url(scheme, &server, parameters)).await;
        request_reset(&app).await;
        assert_eq!(deliver(&app).await, 0);
        assert_eq!(app.db().number(WAITING), 1, "the operator may fix it");
        let problem = app.services().mailer.test().await.unwrap_err().to_string();
        assert!(!problem.contains("p@ss") && !problem.contains("p%40ss"), "{problem}");
        assert_eq!(server.stop(), Vec::<Value>::new(), "{scheme} {tls}");
    }
}

#[actix_web::test]
async fn mail_waits_until_a_refused_login_is_fixed() {
    let server = MailServer::start(&with_tls("starttls"));
    let wrong = url("smtp", &server, &trusting()).replace("p%40ss", "wrong");
    let app = start(wrong).await;
    request_reset(&app).await;
    assert_eq!(deliver(&app).await, 0);
    let problem = app.services().mailer.test().await.unwrap_err();
    assert!(problem.source().unwrap().to_string().contains("535"), "{problem}");
    // Started again with the right password.
    let right = url("smtp", &server, &trusting());
    let builder = TestApp::builder_on(app.db().clone()).clock(app.clock()).set("EMAIL_URL", right);
    let fixed = builder.start().await;
    app.clock().advance(FIRST_WAIT);
    assert_eq!(deliver(&fixed).await, 1);
}

/// A code is a reply (RFC 5321, section 4.2).
#[actix_web::test]
async fn a_server_that_replies_with_codes_only_gets_the_mail() {
    let server = ScriptedMailServer::start();
    server.omit_reply_texts();
    let app = start(format!("smtp://latchkey:secret@{}", server.address())).await;
    app.services().mailer.test().await.unwrap();
    request_reset(&app).await;
    assert_eq!(deliver(&app).await, 1);
    assert_eq!(server.accepted(), [ADA]);
}

/// A reply may repeat the command: the password, or the recipient.
#[actix_web::test]
async fn no_word_of_a_mail_server_is_logged() {
    let login = STANDARD.encode("\0latchkey\0hunter2");
    for (step, before) in [
        ("AUTH", "500 5.5.1 Unrecognized command: "),
        ("AUTH", "500\t"),
        ("RCPT", "550 5.1.1 unknown: "),
        ("RCPT", "550\t5.1.1 unknown: "),
        ("RCPT", "550"),
        ("RCPT", "750 "),
        ("RCPT", "no such user: "),
    ] {
        let server = Server::echoing_mail(step, before);
        let db = TestDb::migrated(Database::Sqlite);
        create_user(&db, ADA);
        let url = format!("smtp://latchkey:hunter2@{}", server.address());
        let process = Process::start_with(db.url(), &[("EMAIL_URL", &url), ("EMAIL_FROM", "no-reply@example.com")]);
        let reset = process.request(Method::POST, "/api/auth/password/reset/").json(&json!({"email": ADA}));
        send(reset).await.has_status(202);
        let line = process.live_log().wait_for("mail 1 (reset_password)");
        assert!(line.contains(&format!("({})", step.to_lowercase())), "{before:?}: {line}");
        let repeats = |line: &String| line.contains(ADA) || line.contains(&login);
        let log = process.whole_log().await;
        assert!(!log.iter().any(repeats), "{before:?}: {log:?}");
    }
}

/// The client buffers a reply until its line ends, so a line without an end must not be read without a bound.
#[actix_web::test]
async fn a_reply_without_an_end_is_not_read_to_its_end() {
    let server = ScriptedMailServer::start();
    let app = start(format!("smtp://latchkey:secret@{}", server.address())).await;
    for step in ["CONNECT", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "MESSAGE"] {
        server.refuse(step, Refusal::Flood);
        request_reset(&app).await;
        assert_eq!(deliver(&app).await, 0, "{step}");
        assert_eq!((server.floods_read(), app.db().number(WAITING)), (0, 1), "{step}");
        server.accept_all();
        app.clock().advance(Duration::minutes(2));
        assert_eq!(deliver(&app).await, 1, "{step}");
        app.clock().advance(Duration::hours(2));
    }
}

/// Restarts the server on its port with other options.
fn restart(server: MailServer, mut options: Value) -> MailServer {
    options["port"] = json!(server.port());
    server.stop();
    MailServer::start(&options)
}

#[actix_web::test]
async fn a_temporary_refusal_is_retried_later() {
    let server = MailServer::start(&json!({"port": 0, "tls": "none", "refuse": 450}));
    let app = start(format!("smtp://127.0.0.1:{}", server.port())).await;
    request_reset(&app).await;
    assert_eq!(deliver(&app).await, 0);
    let server = restart(server, json!({"tls": "none"}));
    app.clock().advance(FIRST_WAIT - ONE_SECOND);
    assert_eq!(deliver(&app).await, 0);
    app.clock().advance(ONE_SECOND);
    assert_eq!(deliver(&app).await, 1);
    // The link that was sent works.
    let token = Mail::parse(server.next()["source"].as_str().unwrap()).token();
    let body = json!({"token": token, "new_password": "amber lighthouse window 17"});
    app.post("/api/auth/password/reset/confirm/", &body).await.done();
}

#[actix_web::test]
async fn a_permanent_refusal_is_not_retried() {
    let server = MailServer::start(&json!({"port": 0, "tls": "none", "refuse": 550}));
    let app = start(format!("smtp://127.0.0.1:{}", server.port())).await;
    let tokens = app.login(ADA).await;
    let body = json!({"current_password": PASSWORD, "new_password": "amber lighthouse window 17"});
    send(app.request_as(&tokens, Method::POST, "/api/auth/password/change/").json(&body)).await.tokens();
    assert_eq!(deliver(&app).await, 0);
    assert_eq!(app.db().number(WAITING), 0);
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE kind = 'mail_failed'"), 1);
}

#[actix_web::test]
async fn while_the_mail_server_is_down_requests_succeed_and_their_mail_is_sent_afterwards() {
    let server = MailServer::plain();
    let app = start(format!("smtp://127.0.0.1:{}", server.port())).await;
    request_reset(&app).await;
    assert_eq!(deliver(&app).await, 1);
    let port = server.port();
    server.stop(); // a connection to it is in the pool
    // As many as may wait for one address.
    for _ in 0..5 {
        request_reset(&app).await;
    }
    assert_eq!(deliver(&app).await, 0);
    assert_eq!(deliver(&app).await, 0);
    assert_eq!(app.db().number(WAITING), 5);

    let server = MailServer::start(&json!({"port": port, "tls": "none"}));
    app.clock().advance(FIRST_WAIT);
    // Of the five waiting mails only the last one is sent.
    assert_eq!(deliver(&app).await, 1);
    assert_eq!(server.next()["to"], json!([ADA]));
    assert_eq!(app.db().number(WAITING), 0);
}

#[actix_web::test]
async fn a_server_that_hangs_delays_no_request_and_times_out() {
    let server = Server::silent();
    let url = format!("smtp://{}", server.address());
    let app = start(url.clone()).await;
    request_reset(&app).await;
    tokio::select! {
        biased;
        _ = deliver(&app) => panic!("the delivery ended"),
        () = request_reset(&app) => {}
    }
    let hurried = TestApp::builder_on(app.db().clone()).clock(app.clock()).set("EMAIL_URL", url);
    let hurried = hurried.timeouts(|timeouts| timeouts.mail = std::time::Duration::from_millis(50)).start().await;
    assert_eq!(deliver(&hurried).await, 0);
    assert_eq!(app.db().number(WAITING), 2);
}

#[actix_web::test]
async fn an_address_that_could_break_out_of_its_line_reaches_no_server() {
    let server = MailServer::plain();
    let app = start(format!("smtp://127.0.0.1:{}", server.port())).await;
    let tokens = app.login(ADA).await;
    let body = json!({"current_password": PASSWORD, "new_password": "amber lighthouse window 17"});
    send(app.request_as(&tokens, Method::POST, "/api/auth/password/change/").json(&body)).await.tokens();
    // Sign-up refuses such an address, but a row may hold one.
    let planted = "ada@example.com>' || char(13) || char(10) || 'RCPT TO:<eve@example.com";
    app.db().execute(&format!("UPDATE mail_outbox SET recipient = '{planted}'"));
    assert_eq!(deliver(&app).await, 0);
    assert_eq!(app.db().number(WAITING), 0);
    assert_eq!(server.stop(), Vec::<Value>::new());
}
