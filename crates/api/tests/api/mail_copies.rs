//! Mails whose end the mail server did not acknowledge: each attempt may have arrived.

use crate::support::delivery::{ADA, TOKEN, WAITING, deliver, has_metric, request_reset, url_of};
use crate::support::{Database, PASSWORD, Refusal, ScriptedMailServer, TestApp, eventually, on_both_databases, send};
use api::service::mail;
use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::mpsc::Sender;

on_both_databases![
    a_mail_that_may_have_arrived_is_sent_at_most_three_times,
    the_last_copy_of_a_notice_is_sent_an_hour_later,
    a_mail_that_may_have_arrived_is_no_failed_mail,
    a_copy_is_counted_although_its_worker_dies,
    a_copy_is_counted_although_its_process_stops,
    copies_that_may_have_arrived_count_in_the_quota_of_their_address,
    a_refusal_refunds_its_own_attempt_only,
    a_mail_has_the_same_id_at_each_attempt,
];

const COPIES: &str = "SELECT coalesce(sum(copies), 0) FROM sent_mails";
const UNACKNOWLEDGED_ATTEMPTS: &str = "SELECT unacknowledged FROM mail_outbox";
const FAILED: &str = "SELECT count(*) FROM auth_events WHERE kind = 'mail_failed'";
/// What a server says, or does not say, after it has taken a mail.
const UNACKNOWLEDGED: [Refusal; 2] = [Refusal::HangUp, Refusal::Reply("221 bye")];

async fn start(database: Database, server: &ScriptedMailServer) -> TestApp {
    let builder = TestApp::builder(database).user(ADA).limited().set("METRICS_TOKEN", TOKEN);
    builder.set("EMAIL_URL", url_of(server)).start().await
}

/// Its owner is notified.
async fn change_password(app: &TestApp) {
    let tokens = app.login(ADA).await;
    let body = json!({"current_password": PASSWORD, "new_password": "amber lighthouse window 17"});
    send(app.request_as(&tokens, Method::POST, "/api/auth/password/change/").json(&body)).await.tokens();
}

/// Delivers once a minute, and returns after which minutes a mail was sent.
async fn attempts_within(app: &TestApp, minutes: i64) -> Vec<i64> {
    let attempts = || app.db().number("SELECT coalesce(sum(attempts), 0) FROM mail_outbox");
    let mut made = Vec::new();
    for minute in 0..minutes {
        let before = attempts();
        deliver(app).await;
        if attempts() != before {
            made.push(minute);
        }
        app.clock().advance(Duration::minutes(1));
    }
    made
}

async fn a_mail_that_may_have_arrived_is_sent_at_most_three_times(database: Database) {
    for refusal in UNACKNOWLEDGED {
        let server = ScriptedMailServer::start();
        let app = start(database, &server).await;
        server.refuse("MESSAGE", refusal);
        request_reset(&app, ADA).await;
        assert_eq!(attempts_within(&app, 31).await, [0, 2], "{refusal:?}");
        assert!(has_metric(&app, r#"latchkey_mails_total{outcome="unacknowledged"} 2"#).await, "{refusal:?}");
        assert!(has_metric(&app, r#"latchkey_mails_total{outcome="postponed"} 0"#).await, "{refusal:?}");
        deliver(&app).await;
        assert_eq!(app.db().number(WAITING), 0, "{refusal:?}: the third attempt was the last");
        assert!(has_metric(&app, r#"latchkey_mails_total{outcome="given_up"} 1"#).await, "{refusal:?}");
        assert_eq!(app.db().number(FAILED), 0, "{refusal:?}: it may have arrived");
        assert_eq!(app.db().number(COPIES), 3, "{refusal:?}");
        let export = app.request(Method::GET, "/api/auth/me/export/").bearer_auth(app.login(ADA).await.access);
        assert_eq!(send(export).await.json::<Value>()["sent_mails"][0]["copies"], 3, "{refusal:?}");
    }
}

/// It is of use for three days, but no mail waits longer than an hour.
async fn the_last_copy_of_a_notice_is_sent_an_hour_later(database: Database) {
    let server = ScriptedMailServer::start();
    let app = start(database, &server).await;
    change_password(&app).await;
    server.refuse("MESSAGE", Refusal::HangUp);
    assert_eq!(attempts_within(&app, 62).await, [0, 2]);
    server.accept_all();
    assert_eq!(deliver(&app).await, 1);
}

/// Whatever ends such a mail, no event says that it could not be sent.
async fn a_mail_that_may_have_arrived_is_no_failed_mail(database: Database) {
    for (step, reply) in [("RCPT", "550 5.1.1 user unknown"), ("MESSAGE", "451 not now")] {
        let server = ScriptedMailServer::start();
        let app = start(database, &server).await;
        request_reset(&app, ADA).await;
        server.refuse("MESSAGE", Refusal::HangUp);
        deliver(&app).await;
        server.refuse(step, Refusal::Reply(reply));
        attempts_within(&app, 61).await;
        assert_eq!((app.db().number(WAITING), app.db().number(FAILED)), (0, 0), "{reply}");
        assert!(has_metric(&app, r#"latchkey_mails_total{outcome="given_up"} 1"#).await, "{reply}");
    }
}

/// Begins to deliver, and returns the delivery once the server has all of a mail, which it does not acknowledge meanwhile.
async fn deliver_until_held<'a>(
    app: &'a TestApp,
    server: &ScriptedMailServer,
) -> (impl Future<Output = usize> + 'a, Sender<()>) {
    let held = server.hold();
    let mut delivery = Box::pin(deliver(app));
    tokio::select! {
        sent = &mut delivery => panic!("{sent} mails were acknowledged"),
        () = eventually("the mail arrives", async || server.is_holding().then_some(())) => {}
    }
    (delivery, held)
}

async fn a_copy_is_counted_although_its_worker_dies(database: Database) {
    let server = ScriptedMailServer::start();
    let app = start(database, &server).await;
    request_reset(&app, ADA).await;
    for copies in 1..=3 {
        drop(deliver_until_held(&app, &server).await);
        assert_eq!(app.db().number(UNACKNOWLEDGED_ATTEMPTS), copies);
        assert_eq!(deliver(&app).await, 0, "it is leased");
        app.clock().advance(Duration::minutes(2));
    }
    assert_eq!(deliver(&app).await, 0);
    assert_eq!(app.db().number(COPIES), 3);
    assert_eq!((app.db().number(WAITING), app.db().number(FAILED)), (0, 0));
    assert!(has_metric(&app, r#"latchkey_mails_total{outcome="given_up"} 1"#).await);
}

async fn a_copy_is_counted_although_its_process_stops(database: Database) {
    let server = ScriptedMailServer::start();
    let app = start(database, &server).await;
    let next = TestApp::builder_on(app.db().clone()).clock(app.clock()).limited().set("EMAIL_URL", url_of(&server));
    let next = next.start().await;
    request_reset(&app, ADA).await;
    let (delivery, _held) = deliver_until_held(&app, &server).await;
    mail::stop(app.services(), delivery).await;
    assert_eq!(app.db().number(UNACKNOWLEDGED_ATTEMPTS), 1);
    assert_eq!(deliver(&next).await, 0, "the server may still be busy with it");
    app.clock().advance(Duration::minutes(2));
    assert_eq!(deliver(&next).await, 1);
    assert_eq!(app.db().number(COPIES), 2);
}

async fn copies_that_may_have_arrived_count_in_the_quota_of_their_address(database: Database) {
    for refusal in UNACKNOWLEDGED {
        let server = ScriptedMailServer::start();
        let app = start(database, &server).await;
        server.refuse("MESSAGE", refusal);
        for _ in 0..4 {
            request_reset(&app, ADA).await;
        }
        let mut sent = 0;
        for _ in 0..50 {
            deliver(&app).await;
            sent = app.db().number(COPIES);
            app.clock().advance(Duration::minutes(1));
            if sent < 5 {
                request_reset(&app, ADA).await;
            }
        }
        assert_eq!(sent, 5, "{refusal:?}");
        assert_eq!(app.db().number(WAITING), 0, "{refusal:?}: what exceeds the quota is dropped");
        // They leave the window like other mails.
        server.accept_all();
        app.clock().advance(Duration::hours(1));
        request_reset(&app, ADA).await;
        assert_eq!(deliver(&app).await, 1, "{refusal:?}");
    }
}

async fn a_refusal_refunds_its_own_attempt_only(database: Database) {
    let server = ScriptedMailServer::start();
    let app = start(database, &server).await;
    request_reset(&app, ADA).await;
    for (refusal, copies) in [
        (Refusal::Reply("451 not now"), 0),
        (Refusal::HangUp, 1),
        (Refusal::Reply("451 not now"), 1),
        (Refusal::Reply("421 not now"), 1),
        (Refusal::HangUp, 2),
    ] {
        server.refuse("MESSAGE", refusal);
        assert_eq!(deliver(&app).await, 0);
        assert_eq!(app.db().number(COPIES), copies, "{refusal:?}");
        app.clock().advance(Duration::minutes(4));
    }
    server.accept_all();
    app.clock().advance(Duration::minutes(18));
    assert_eq!(deliver(&app).await, 1);
    assert_eq!(app.db().number(COPIES), 3);
}

async fn a_mail_has_the_same_id_at_each_attempt(database: Database) {
    let lost = ScriptedMailServer::start();
    let app = start(database, &lost).await;
    change_password(&app).await;
    let mut ids = Vec::new();
    for wait in [2, 60] {
        lost.refuse("MESSAGE", Refusal::HangUp);
        assert_eq!(deliver(&app).await, 0);
        ids.push(lost.last_message_id());
        app.clock().advance(Duration::minutes(wait));
    }
    lost.accept_all();
    assert_eq!(deliver(&app).await, 1);
    ids.push(lost.last_message_id());
    assert!(ids[0].contains('@') && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}
