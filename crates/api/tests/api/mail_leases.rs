//! Leases: a mail belongs to one worker, and what a worker does after its lease has ended changes nothing.

use crate::support::delivery::{ADA, TOKEN, WAITING, any_due, deliver, has_metric, request_reset, url_of};
use crate::support::{Database, ONE_SECOND, PASSWORD, Refusal, ScriptedMailServer, TestApp, on_both_databases, send};
use api::store::AnyConnection;
use api::store::mail_outbox::{self, DueMail, MailRow};
use chrono::{DateTime, Duration, Utc};
use reqwest::Method;
use serde_json::json;

on_both_databases![
    mail_of_a_worker_that_died_is_sent_by_another,
    a_worker_that_was_too_slow_changes_nothing,
    a_worker_that_was_too_slow_changes_nothing_after_a_deferral,
    a_worker_that_was_too_slow_reports_nothing,
    a_worker_whose_mail_was_leased_before_it_was_prepared_reports_nothing,
];

fn list_due(connection: &mut AnyConnection, now: DateTime<Utc>) -> Option<DueMail> {
    let due = mail_outbox::list_due(connection, now, &any_due(), 1);
    due.unwrap().into_iter().next()
}

/// Leases a mail and does nothing more, like a worker that dies.
fn lease(connection: &mut AnyConnection, now: DateTime<Utc>, until: DateTime<Utc>) -> Option<MailRow> {
    let due = list_due(connection, now)?;
    mail_outbox::lease(connection, &due, now, until).unwrap()
}

async fn mail_of_a_worker_that_died_is_sent_by_another(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    request_reset(&app, ADA).await;
    let now = app.services().now();
    let until = now + Duration::minutes(5);
    assert!(lease(&mut app.db().connect(), now, until).is_some());

    app.clock().advance(Duration::minutes(5) - ONE_SECOND);
    assert_eq!(app.deliver_mail().await.len(), 0);
    app.clock().advance(ONE_SECOND);
    assert_eq!(app.deliver_mail().await.len(), 1);
}

async fn a_worker_that_was_too_slow_changes_nothing(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    request_reset(&app, ADA).await;
    let (mut connection, now) = (app.db().connect(), app.services().now());
    let slow = lease(&mut connection, now, now).unwrap();
    let quick = lease(&mut connection, now, now + Duration::minutes(5)).unwrap();
    assert_eq!((slow.attempts, quick.attempts), (1, 2));
    connection.write(|connection| mail_outbox::postpone(connection, &slow, now)).unwrap();
    connection.write(|connection| mail_outbox::delete(connection, &slow)).unwrap();
    assert!(lease(&mut connection, now, now).is_none());
    assert_eq!(app.db().number(WAITING), 1);
    connection.write(|connection| mail_outbox::delete(connection, &quick)).unwrap();
    assert_eq!(app.db().number(WAITING), 0);
}

/// A deferral does not count as an attempt, so the leases before and after it have the same number.
async fn a_worker_that_was_too_slow_changes_nothing_after_a_deferral(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    request_reset(&app, ADA).await;
    let mut connection = app.db().connect();
    let now = app.services().now();
    let time = Duration::minutes(2);
    let read = list_due(&mut connection, now).unwrap();
    let slow = lease(&mut connection, now, now + time).unwrap();
    let deferring = lease(&mut connection, now + time, now + time * 2).unwrap();
    connection.write(|connection| mail_outbox::defer(connection, &deferring, now + time * 3)).unwrap();
    let early = mail_outbox::lease(&mut connection, &read, now + time, now + time * 2).unwrap();
    assert!(early.is_none(), "a mail that was deferred after it had been read is not due");

    let holding = lease(&mut connection, now + time * 3, now + time * 4).unwrap();
    assert_eq!(slow.attempts, holding.attempts);
    assert!(!mail_outbox::lock(&mut connection, &slow).unwrap());
    let postponed = connection.write(|connection| mail_outbox::postpone(connection, &slow, now));
    let deleted = connection.write(|connection| mail_outbox::delete(connection, &slow));
    connection.write(|connection| mail_outbox::defer(connection, &slow, now)).unwrap();
    assert_eq!((postponed.unwrap(), deleted.unwrap()), (false, false));
    assert!(mail_outbox::lock(&mut connection, &holding).unwrap());
}

/// As soon as `event` happens, the mail's lease has ended and another worker has leased the mail.
fn lease_by_another_after(app: &TestApp, event: &str, mail_id: &str) {
    let lease = format!("UPDATE mail_outbox SET attempts = attempts + 1 WHERE id = {mail_id}");
    match app.db().database() {
        Database::Sqlite => app.db().execute(&format!("CREATE TRIGGER another AFTER {event} BEGIN {lease}; END")),
        Database::Postgres => {
            app.db().execute(&format!(
                "CREATE FUNCTION another() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {lease}; RETURN NULL; END $$"
            ));
            app.db().execute(&format!("CREATE TRIGGER another AFTER {event} EXECUTE FUNCTION another()"))
        }
    };
}

async fn start(database: Database, server: &ScriptedMailServer) -> TestApp {
    let app = TestApp::builder(database).user(ADA).limited().set("METRICS_TOKEN", TOKEN);
    let app = app.set("EMAIL_URL", url_of(server)).start().await;
    let tokens = app.login(ADA).await;
    let body = json!({"current_password": PASSWORD, "new_password": "amber lighthouse window 17"});
    send(app.request_as(&tokens, Method::POST, "/api/auth/password/change/").json(&body)).await.tokens();
    app
}

async fn assert_nothing_reported(app: &TestApp, case: &str) {
    for outcome in ["sent", "dropped", "over_amount", "deferred", "postponed", "unacknowledged", "given_up"] {
        let counted = format!("latchkey_mails_total{{outcome=\"{outcome}\"}} 0");
        assert!(has_metric(app, &counted).await, "{case}: {outcome}");
    }
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE kind = 'mail_failed'"), 0, "{case}");
    assert_eq!(app.db().number("SELECT count(*) FROM mail_outbox WHERE attempts = 2"), 1, "{case}");
}

/// Another worker leases the mail while this one waits for the server's response.
async fn a_worker_that_was_too_slow_reports_nothing(database: Database) {
    const PREPARED: (&str, &str) = ("INSERT ON sent_mails FOR EACH ROW", "new.mail_id");
    const HANDED_OVER: (&str, &str) = ("UPDATE OF unacknowledged ON mail_outbox FOR EACH ROW", "new.id");
    for ((event, mail_id), response, accepted) in [
        (PREPARED, Some(("RCPT", "550 5.1.1 user unknown")), 0),
        (PREPARED, Some(("RCPT", "450 not now")), 0),
        (PREPARED, Some(("MAIL", "451 not now")), 0),
        (PREPARED, None, 0),
        (HANDED_OVER, Some(("MESSAGE", "554 no")), 0),
        (HANDED_OVER, Some(("MESSAGE", "221 bye")), 0),
        (HANDED_OVER, None, 1),
    ] {
        let case = format!("{event}, {response:?}");
        let server = ScriptedMailServer::start();
        let app = start(database, &server).await;
        lease_by_another_after(&app, event, mail_id);
        if let Some((step, reply)) = response {
            server.refuse(step, Refusal::Reply(reply));
        }
        deliver(&app).await;
        assert_nothing_reported(&app, &case).await;
        assert_eq!(server.accepted().len(), accepted, "{case}");
        assert_eq!(app.db().number("SELECT count(*) FROM sent_mails"), 1, "{case}: the other worker's count");
    }
}

async fn a_worker_whose_mail_was_leased_before_it_was_prepared_reports_nothing(database: Database) {
    let server = ScriptedMailServer::start();
    let app = start(database, &server).await;
    let first_lease = "UPDATE ON mail_outbox FOR EACH ROW WHEN (old.attempts = 0)";
    lease_by_another_after(&app, first_lease, "new.id");
    assert_eq!(deliver(&app).await, 0);
    assert_nothing_reported(&app, "leased").await;
    assert!(server.accepted().is_empty());
}
