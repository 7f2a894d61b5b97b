//! A mail server refuses a recipient or us. When it refuses us, no mail is lost.

use crate::support::delivery::{
    ADA, BEN, ONE_MINUTE, TOKEN, WAITING, deliver, has_metric, request_reset, start, url_of,
};
use crate::support::{
    CERTIFICATE, Database, MailServer, PASSWORD, Refusal, ScriptedMailServer, TestApp, on_both_databases, send,
};
use api::service::mail::measure;
use chrono::Duration;
use reqwest::Method;
use serde_json::json;

on_both_databases![
    only_a_refused_recipient_is_final,
    a_mail_that_is_given_up_is_an_event_of_its_account,
    while_the_server_refuses_us_one_mail_probes_and_all_are_sent_afterwards,
    expired_mails_do_not_wait_for_a_server_that_refuses_us,
    a_server_that_refuses_us_does_so_until_it_responds_differently,
];

const FAILED: &str = "SELECT count(*) FROM auth_events WHERE kind = 'mail_failed'";
async fn request_both_resets(app: &TestApp) {
    request_reset(app, ADA).await;
    request_reset(app, BEN).await;
}

/// A refusal, and the step that the metrics name; `None` where it does not refuse us.
type Case = (&'static str, Refusal, Option<&'static str>);

/// Every step, with temporary and permanent refusals, and a broken connection.
fn cases() -> Vec<Case> {
    let codes = ["421 not now", "450 not now", "500 never", "530 5.7.0 log in", "550 5.7.1 you are listed", "554 no"];
    let steps = [
        ("CONNECT", "connect"),
        ("EHLO", "connect"),
        ("AUTH", "auth"),
        ("MAIL", "mail"),
        ("DATA", "data"),
        ("MESSAGE", "message"),
    ];
    let mut cases = Vec::new();
    for (step, name) in steps {
        for code in codes {
            let is_of_us = code.starts_with('5') || !matches!(step, "DATA" | "MESSAGE");
            cases.push((step, Refusal::Reply(code), is_of_us.then_some(name)));
        }
        cases.push((step, Refusal::HangUp, None));
    }
    cases.extend([
        ("RCPT", Refusal::Reply("421 not now"), None),
        ("RCPT", Refusal::Reply("450 4.2.1 not now"), None),
        ("RCPT", Refusal::Reply("452 too many"), None),
        ("RCPT", Refusal::Reply("503 what?"), Some("rcpt")),
        ("RCPT", Refusal::Reply("530 log in"), Some("rcpt")),
        ("RCPT", Refusal::Reply("550 5.7.1 relaying denied"), Some("rcpt")),
        ("RCPT", Refusal::Reply("554 5.7.1 client host rejected"), Some("rcpt")),
        ("RCPT", Refusal::Reply("550 5.1.8 <s@us.example>: Sender address rejected: Domain not found"), Some("rcpt")),
        ("RCPT", Refusal::Reply("550 5.1.7 Bad sender address"), Some("rcpt")),
        ("RCPT", Refusal::Reply("550 5.3.2 system not accepting network messages"), Some("rcpt")),
        ("RCPT", Refusal::Reply("550-Message blocked because of your IP\r\n550 5.7.1 see there"), Some("rcpt")),
        ("RCPT", Refusal::Reply("550-no\r\n550-no\r\n550 #5.7.1 see there"), Some("rcpt")),
        ("RCPT", Refusal::Reply("550 relay not permitted"), Some("rcpt")),
        ("RCPT", Refusal::Reply("550 Administrative prohibition"), Some("rcpt")),
        ("RCPT", Refusal::Reply("550 5.4.5 Daily user sending quota exceeded"), Some("rcpt")),
        ("RCPT", Refusal::Reply("550 no"), Some("rcpt")),
        ("RCPT", Refusal::Reply("554 Client host [192.0.2.1] blocked using zen.spamhaus.org"), Some("rcpt")),
        ("RCPT", Refusal::Reply("550 #5.7.1 not authorized"), Some("rcpt")),
        (
            "RCPT",
            Refusal::Reply(
                "550-Requested action not taken: mailbox unavailable\r\n550-Reject due to policy restrictions.\r\n\
                 550 For explanation visit https://postmaster.mail.test/?ip=192.0.2.1",
            ),
            Some("rcpt"),
        ),
        ("RCPT", Refusal::Reply("550 Invalid recipient: you may only send to verified addresses"), Some("rcpt")),
        ("RCPT", Refusal::Reply("550 5.1.3 bad syntax in envelope sender"), Some("rcpt")),
        ("RCPT", Refusal::Reply("553 sorry, your envelope sender domain must exist"), Some("rcpt")),
        ("RCPT", Refusal::HangUp, None),
        // No authentication mechanism that we support.
        ("EHLO", Refusal::Reply("250-mail.test\r\n250 AUTH GSSAPI"), Some("auth")),
    ]);
    // Replies that mean success, but of other steps.
    for (step, replies, name) in [
        ("AUTH", &["221 bye", "354 go on"][..], Some("auth")),
        ("MAIL", &["221 bye", "235 welcome", "334 ", "354 go on"], Some("mail")),
        ("RCPT", &["221 bye", "235 welcome", "334 ", "354 go on"], None),
        ("DATA", &["221 bye", "250 ok", "334 "], None),
        ("MESSAGE", &["221 closing, nothing queued", "235 welcome", "334 ", "354 go on"], None),
    ] {
        cases.extend(replies.iter().map(|reply| (step, Refusal::Reply(reply), name)));
    }
    cases
}

async fn only_a_refused_recipient_is_final(database: Database) {
    let server = ScriptedMailServer::start();
    let app = start(database, url_of(&server)).await;
    for (step, refusal, refused_at) in cases() {
        let case = format!("{refusal:?} at {step}");
        server.refuse(step, refusal);
        request_both_resets(&app).await;
        assert_eq!(deliver(&app).await, 0, "{case}");
        assert_eq!(app.db().number(WAITING), 2, "lost: {case}");
        let refuses = i32::from(refused_at.is_some());
        assert!(has_metric(&app, &format!("latchkey_mail_server_refuses {refuses}")).await, "{case}");
        if let Some(step) = refused_at {
            let never = format!("latchkey_mail_refusals_total{{step=\"{step}\"}} 0");
            assert!(!has_metric(&app, &never).await, "{case}");
        }

        server.accept_all();
        // The longest wait of a mail that has failed once.
        app.clock().advance(ONE_MINUTE * 2);
        assert_eq!(deliver(&app).await, 2, "{case}");
        let mut taken = server.accepted();
        taken.sort();
        assert_eq!(taken, [ADA, BEN], "{case}");
        assert!(has_metric(&app, "latchkey_mail_server_refuses 0").await, "{case}");
    }
    assert_eq!(app.db().number(FAILED), 0);
    for reply in [
        "550 5.1.1 unknown",
        "550 user unknown",
        "551 user not local",
        "552 mailbox full",
        "553 mailbox name not allowed",
        "554 5.1.1 unknown",
    ] {
        server.refuse("RCPT", Refusal::Reply(reply));
        request_reset(&app, ADA).await;
        assert_eq!(deliver(&app).await, 0, "{reply}");
        assert_eq!(app.db().number(WAITING), 0, "{reply}");
        assert!(has_metric(&app, "latchkey_mail_server_refuses 0").await, "{reply}");
    }
    assert_eq!(app.db().number(FAILED), 6);
}

/// Most mails are requested for an address, and their account is not known before they are sent.
async fn a_mail_that_is_given_up_is_an_event_of_its_account(database: Database) {
    const EVE: &str = "eve@example.net";
    let server = ScriptedMailServer::start();
    server.refuse("RCPT", Refusal::Reply("550 5.1.1 unknown"));
    let app = start(database, url_of(&server)).await;
    let mandatory = TestApp::builder_on(app.db().clone()).clock(app.clock()).set("EMAIL_VERIFICATION", "mandatory");
    let mandatory = mandatory.set("EMAIL_URL", url_of(&server)).start().await;
    let failed = |email: &str| {
        let of = "FROM auth_events JOIN users ON users.id = user_id WHERE kind = 'mail_failed'";
        let detail = app.db().value(&format!("SELECT min(detail) {of} AND email = '{email}'"));
        let all = app.db().number(&format!("SELECT count(*) {of}"));
        app.db().execute("DELETE FROM auth_events");
        (detail, all)
    };
    let once = |kind: &str| (Some(format!(r#"{{"mail":"{kind}"}}"#)), 1);
    let sign_up = |email: &str| json!({"email": email, "password": PASSWORD});

    request_reset(&app, ADA).await;
    deliver(&app).await;
    assert_eq!(failed(ADA), once("reset_password"));

    app.post("/api/auth/register/", &sign_up(EVE)).await.created();
    deliver(&app).await;
    assert_eq!(failed(EVE), once("verify_email"));

    // The owner of an account whose address someone else signs up with.
    mandatory.post("/api/auth/register/", &sign_up(ADA)).await.has_status(202);
    deliver(&app).await;
    assert_eq!(failed(ADA), once("account_exists"));

    // A sign-up has no account yet. Ben's account is of an older release, and the sign-up may be someone else's.
    app.db().execute(&format!("UPDATE users SET email_verified_at = NULL, last_login_at = NULL WHERE email = '{BEN}'"));
    for email in [BEN, "new@example.net"] {
        mandatory.post("/api/auth/register/", &sign_up(email)).await.has_status(202);
        mandatory.post("/api/auth/email/resend/", &json!({"email": email})).await.has_status(202);
        deliver(&app).await;
        assert_eq!((app.db().number(WAITING), failed(email)), (0, (None, 0)), "{email}");
    }
    request_reset(&app, "nobody@example.net").await;
    deliver(&app).await;
    assert_eq!((app.db().number(WAITING), failed(ADA)), (0, (None, 0)));
}

/// RFC 5321, section 2.4, and what servers wrote before RFC 2554.
#[actix_web::test]
async fn auth_offers_are_read_in_any_case_and_in_the_old_form() {
    for offer in [
        "250-mail.test\r\n250 auth plain",
        "250-mail.test\r\n250 Auth Login Plain",
        "250-mail.test\r\n250 AUTH=PLAIN LOGIN",
        "250-mail.test\r\n250-AUTH=LOGIN\r\n250 auth login",
    ] {
        let server = ScriptedMailServer::start();
        server.refuse("EHLO", Refusal::Reply(offer));
        let app = start(Database::Sqlite, url_of(&server)).await;
        request_reset(&app, ADA).await;
        assert_eq!(deliver(&app).await, 1, "{offer}");
        assert!(has_metric(&app, "latchkey_mail_server_refuses 0").await, "{offer}");
    }
}

/// With a real mail server, not a script.
#[actix_web::test]
async fn a_real_server_that_refused_us_gets_the_mail_once_it_is_fixed() {
    for (refuse_at, code) in [("connect", 554), ("mail", 550), ("message", 554), ("message", 552)] {
        let server = MailServer::start(&json!({"port": 0, "tls": "none", "refuse": code, "refuse_at": refuse_at}));
        let port = server.port();
        let app = start(Database::Sqlite, format!("smtp://127.0.0.1:{port}")).await;
        request_both_resets(&app).await;
        assert_eq!(deliver(&app).await, 0, "{refuse_at}");
        assert!(has_metric(&app, "latchkey_mail_server_refuses 1").await, "{refuse_at}");
        server.stop();
        let server = MailServer::start(&json!({"port": port, "tls": "none"}));
        app.clock().advance(ONE_MINUTE);
        assert_eq!(deliver(&app).await, 2, "{refuse_at}");
        let mut to = [server.next()["to"].to_string(), server.next()["to"].to_string()];
        to.sort();
        assert_eq!(to, [json!([ADA]).to_string(), json!([BEN]).to_string()]);
    }
}

#[actix_web::test]
async fn a_server_that_refused_to_encrypt_gets_the_mail_once_it_does() {
    let tls = format!("tls=required&ca_file={}", CERTIFICATE.path().display());
    for refusal in [Refusal::Reply("454 not now"), Refusal::Reply("554 never"), Refusal::HangUp] {
        let script = ScriptedMailServer::start();
        script.refuse("STARTTLS", refusal);
        let app = start(Database::Sqlite, format!("{}?{tls}", url_of(&script))).await;
        request_reset(&app, ADA).await;
        assert_eq!(deliver(&app).await, 0, "{refusal:?}");
        let refuses = i32::from(refusal != Refusal::HangUp);
        assert!(has_metric(&app, &format!("latchkey_mail_server_refuses {refuses}")).await, "{refusal:?}");
        let port = script.address().port();
        drop(script);
        let server = MailServer::start(&json!({
            "port": port, "tls": "starttls", "certificate": CERTIFICATE.path(), "key": CERTIFICATE.key(),
            "user": "latchkey", "password": "secret",
        }));
        app.clock().advance(ONE_MINUTE);
        assert_eq!(deliver(&app).await, 1, "{refusal:?}");
        assert_eq!(server.next(), json!({"login": "latchkey", "secure": true}));
    }
}

async fn while_the_server_refuses_us_one_mail_probes_and_all_are_sent_afterwards(database: Database) {
    let server = ScriptedMailServer::start();
    let people: Vec<_> = (0..40).map(|number| format!("user{number}@example{number}.com")).collect();
    let builder = people.iter().fold(TestApp::builder(database), |builder, email| builder.user(email));
    let app = builder.set("METRICS_TOKEN", TOKEN).set("EMAIL_URL", url_of(&server)).start().await;
    for email in &people {
        request_reset(&app, email).await;
    }
    server.refuse("MAIL", Refusal::Reply("550 sender rejected"));
    deliver(&app).await;
    let attempts = || app.db().number("SELECT sum(attempts) FROM mail_outbox");
    let at_first = attempts();
    assert!(at_first <= 16, "{at_first}");
    // The pauses grow to a minute: in ten minutes there are a dozen attempts, not forty each second.
    for _ in 0..600 {
        app.clock().advance(Duration::seconds(1));
        deliver(&app).await;
    }
    let later = attempts() - at_first;
    assert!((10..=14).contains(&later), "{later}");

    server.accept_all();
    app.clock().advance(ONE_MINUTE);
    assert_eq!(deliver(&app).await, 40);
    let mut taken = server.accepted();
    taken.sort();
    let mut expected = people.clone();
    expected.sort();
    assert_eq!(taken, expected);
    assert!(has_metric(&app, r#"latchkey_mails_total{outcome="given_up"} 0"#).await);
}

async fn expired_mails_do_not_wait_for_a_server_that_refuses_us(database: Database) {
    let server = ScriptedMailServer::start();
    let app = start(database, url_of(&server)).await;
    server.refuse("CONNECT", Refusal::Reply("554 go away"));
    for number in 0..250 {
        request_reset(&app, &format!("nobody{number}@example.com")).await;
    }
    app.db().execute("UPDATE mail_outbox SET kind = 'email_changed'");
    request_reset(&app, ADA).await;
    deliver(&app).await;
    app.clock().advance(Duration::hours(1));
    request_reset(&app, ADA).await;
    deliver(&app).await;
    assert_eq!(app.db().number(WAITING), 1);
}

/// While it cannot be reached, its last response still applies, so the alert does not end.
async fn a_server_that_refuses_us_does_so_until_it_responds_differently(database: Database) {
    const REFUSES: &str = "latchkey_mail_server_refuses 1";
    let server = ScriptedMailServer::start();
    let app = start(database, url_of(&server)).await;
    request_reset(&app, ADA).await;
    server.refuse("CONNECT", Refusal::Reply("554 go away"));
    deliver(&app).await;
    assert!(has_metric(&app, REFUSES).await);
    for step in ["CONNECT", "EHLO", "AUTH", "MAIL"] {
        server.refuse(step, Refusal::HangUp);
        app.clock().advance(ONE_MINUTE);
        deliver(&app).await;
        assert!(has_metric(&app, REFUSES).await, "disconnected at {step}");
    }

    // A mail that never reaches the server says nothing about it. The pause of the outage goes on, too.
    server.refuse("CONNECT", Refusal::Reply("554 go away"));
    for _ in 0..2 {
        app.clock().advance(ONE_MINUTE);
        deliver(&app).await;
    }
    request_reset(&app, BEN).await;
    app.db().execute("UPDATE mail_outbox SET kind = 'email_changed', recipient = 'nowhere' WHERE attempts = 0");
    app.db().execute("UPDATE mail_outbox SET turn_at = expires_at WHERE attempts > 0");
    app.clock().advance(ONE_MINUTE);
    deliver(&app).await;
    assert_eq!(app.db().number(WAITING), 1);
    assert!(has_metric(&app, REFUSES).await, "a mail without a mailable address");

    server.refuse("RCPT", Refusal::Reply("450 not now"));
    app.clock().advance(ONE_MINUTE * 4);
    deliver(&app).await;
    assert!(!has_metric(&app, REFUSES).await);
}

/// The operator's test goes as far as naming the sender, and sends nothing.
#[actix_web::test]
async fn the_test_of_the_server_names_the_refused_step() {
    let server = ScriptedMailServer::start();
    let app = start(Database::Sqlite, url_of(&server)).await;
    let mailer = &app.services().mailer;
    mailer.test().await.unwrap();
    for (step, name) in [("CONNECT", "connect"), ("EHLO", "connect"), ("AUTH", "auth"), ("MAIL", "mail")] {
        server.refuse(step, Refusal::Reply("550 not you"));
        assert_eq!(mailer.test().await.unwrap_err().to_string(), format!("refuses us at {name}"));
        server.refuse(step, Refusal::HangUp);
        assert_eq!(mailer.test().await.unwrap_err().to_string(), "cannot be used");
    }
    assert_eq!(server.accepted(), Vec::<String>::new());
}

/// Another process has sent the rest, so this one stops reporting a refusal.
#[actix_web::test]
async fn with_an_empty_outbox_no_refusal_is_reported() {
    let server = ScriptedMailServer::start();
    let app = start(Database::Sqlite, url_of(&server)).await;
    server.refuse("AUTH", Refusal::Reply("535 5.7.8 wrong password"));
    request_reset(&app, ADA).await;
    deliver(&app).await;
    assert!(has_metric(&app, "latchkey_mail_server_refuses 1").await);
    app.db().execute("DELETE FROM mail_outbox");
    measure(app.services()).await.unwrap();
    assert!(has_metric(&app, "latchkey_mail_server_refuses 0").await);
}

/// The address is refused permanently by a server that accepts other recipients over the same connection.
#[actix_web::test]
async fn a_refused_recipient_does_not_stop_other_mail() {
    let server = MailServer::start(&json!({"port": 0, "tls": "none", "refuse": 550, "refuse_to": "gone.example"}));
    let people = ["a@one.example", "b@gone.example", "c@gone.example", "d@two.example"];
    let builder = people.iter().fold(TestApp::builder(Database::Sqlite), |builder, email| builder.user(email));
    let app = builder.set("EMAIL_URL", format!("smtp://127.0.0.1:{}", server.port())).start().await;
    for email in people {
        let tokens = app.login(email).await;
        let body = json!({"current_password": PASSWORD, "new_password": "amber lighthouse window 17"});
        send(app.request_as(&tokens, Method::POST, "/api/auth/password/change/").json(&body)).await.tokens();
    }
    assert_eq!(deliver(&app).await, 2);
    assert_eq!(app.db().number(WAITING), 0);
    assert_eq!(app.db().number(FAILED), 2);
}
