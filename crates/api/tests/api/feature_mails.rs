//! Mails of features: queued with the feature's own work, written when they are sent, and otherwise treated like Latchkey's own.

use crate::support::delivery::{WAITING, deliver, request_reset, url_of};
use crate::support::{
    Database, Mail, MailServer, ONE_SECOND, Refusal, ScriptedMailServer, TestApp, TestResponse, on_both_databases, send,
};
use api::app::Feature;
use api::clock::Clock;
use api::prelude::{
    AnyConnection, ClientInfo, FeatureMail, MailContext, MailText, QueryResult, RequestContext, UserId, queue_mail,
};
use api::service::mail::measure;
use api::service::upkeep::prune::prune;
use auth_types::responses::TokenResponse;
use chrono::Duration;
use diesel::prelude::*;
use reqwest::Method;
use serde_json::{Value, json};

on_both_databases![
    a_mail_is_sent_as_text_and_html_and_no_value_breaks_out,
    a_mail_is_queued_if_the_work_commits,
    a_mail_whose_row_is_gone_is_dropped,
    only_the_confirmed_address_of_an_active_account_gets_a_mail,
    mails_of_features_have_a_quota_of_their_own,
    mails_about_one_row_are_merged,
    a_mail_that_is_refused_is_sent_later,
    a_mail_that_cannot_be_written_delays_no_other_and_is_given_up,
    a_program_without_the_feature_leaves_its_mails_until_they_expire,
    a_mail_is_exported_and_deleted_with_its_recipient,
];

const ADA: &str = "ada@example.com";
const EVE: &str = "eve@example.com";
const ROOT: &str = "root@example.com";
const POLLS: &str = "/api/fixture-polls/";

async fn ask(app: &TestApp, tokens: &TokenResponse, question: &str) -> i64 {
    let poll = json!({
        "question": question, "choices": ["yes"], "most": 1, "quorum": 0.5, "is_open": true, "kind": "secret", "colours": {},
        "opens_at": "09:30"
    });
    let asked = send(app.request_as(tokens, Method::POST, POLLS).json(&poll)).await;
    asked.json::<Value>()["id"].as_i64().unwrap_or_else(|| panic!("{}", asked.text()))
}

async fn close(app: &TestApp, tokens: &TokenResponse, poll: i64) -> TestResponse {
    send(app.request_as(tokens, Method::POST, &format!("{POLLS}{poll}/closing/"))).await
}

async fn a_mail_is_sent_as_text_and_html_and_no_value_breaks_out(database: Database) {
    let server = MailServer::plain();
    let builder = TestApp::builder(database).with_features().user(ADA).set("FRONTEND_URL", "https://app.example.com");
    let app = builder.set("EMAIL_URL", format!("smtp://127.0.0.1:{}", server.port())).start().await;
    let tokens = app.login(ADA).await;
    let poll = ask(&app, &tokens, "Tea?").await;
    close(&app, &tokens, poll).await.has_status(204);
    // It is written when it is sent.
    let question = "<b>Tea</b> & \"cake\"?\r\nBcc: eve@example.com\r\n.\r\nQUIT\rRSET\u{8}";
    let change = json!({"question": question, "version": 1});
    send(app.request_as(&tokens, Method::PATCH, &format!("{POLLS}{poll}/")).json(&change)).await.has_status(200);
    assert_eq!(deliver(&app).await, 1);

    let sent = server.next();
    assert_eq!(sent["to"], json!([ADA]));
    let mail = Mail::parse(sent["source"].as_str().unwrap());
    let head = mail.source.split_once("\r\n\r\n").unwrap().0.replace("\r\n ", " ");
    let names: Vec<_> = head.split("\r\n").map(|line| line.split_once(':').unwrap().0).collect();
    let expected = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"];
    assert_eq!(names.len(), expected.len(), "{head}");
    assert!(expected.iter().all(|name| names.contains(name)), "{head}");
    assert!(head.contains("Subject: Closed: <b>Tea</b> & \"cake\"?"), "{head}");
    assert_eq!(
        mail.text,
        "Your poll at app.example.com takes no more votes:\n\n\
         <b>Tea</b> & \"cake\"?\nBcc: eve@example.com\n.\nQUIT\nRSET \n\nhttps://app.example.com/fixture-polls\n"
    );
    let body = "<p>&lt;b&gt;Tea&lt;/b&gt; &amp; &quot;cake&quot;?<br>\nBcc: eve@example.com<br>\n.<br>\nQUIT<br>\nRSET </p>\n\
                <p><a href=\"https://app.example.com/fixture-polls\">See your polls</a></p>\n</body>";
    assert!(mail.html.contains(body), "{}", mail.html);
    assert!(mail.html.contains("<title>Closed: &lt;b&gt;Tea&lt;/b&gt;"), "{}", mail.html);
}

async fn a_mail_whose_row_is_gone_is_dropped(database: Database) {
    let app = TestApp::builder(database).with_features().user(ADA).administrator(ROOT).limited().start().await;
    let (ada, root) = (app.login(ADA).await, app.login(ROOT).await);
    let poll = ask(&app, &ada, "Tea?").await;
    close(&app, &ada, poll).await.has_status(204);
    let remove = app.request_as(&root, Method::POST, "/api/fixture-polls-administration/");
    send(remove.json(&json!({"ids": [poll]}))).await.has_status(200);
    assert_eq!(app.deliver_mail().await.len(), 0);
    assert_eq!(app.db().number(WAITING), 0);
    assert_eq!(app.metric(r#"latchkey_mails_total{outcome="dropped"}"#), 1);
    assert_eq!(app.db().number("SELECT count(*) FROM sent_mails"), 0, "it does not count for its address");
}

/// What a user receives from others. The key decides what is written.
static LETTER: FeatureMail<String> =
    FeatureMail::new("letters.received", Duration::days(1), write_letter).caused_by_others();
static REMINDER: FeatureMail<i64> = FeatureMail::new("letters.due", Duration::days(1), write_reminder);

fn write_letter(
    connection: &mut AnyConnection,
    context: &MailContext<'_>,
    key: String,
) -> QueryResult<Option<MailText>> {
    match key.as_str() {
        "panics" => panic!("on purpose"),
        "fails" => diesel::sql_query("SELECT nothing FROM nowhere").execute(connection).map(|_| None),
        _ => Ok(Some(MailText::new(&key).paragraph(key + &format!(": {} times", context.occurrences)))),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the type of every such function")]
fn write_reminder(_: &mut AnyConnection, _: &MailContext<'_>, key: i64) -> QueryResult<Option<MailText>> {
    Ok(Some(MailText::new(format!("Reminder {key}"))))
}

fn letters() -> Feature {
    Feature::new("letters").mail(&LETTER).mail(&REMINDER)
}

fn id_of(app: &TestApp, email: &str) -> UserId {
    UserId(app.db().number(&format!("SELECT id FROM users WHERE email = '{email}'")))
}

async fn post_letter(app: &TestApp, to: &str, key: &str) {
    let (user, key) = (id_of(app, to), key.to_owned());
    let client = ClientInfo {
        ip_address: Some("203.0.113.9".to_owned()),
        user_agent: Some("the sender's".to_owned()),
        ..ClientInfo::default()
    };
    let context = app.services().context(client);
    let letter = move |connection: &mut _| queue_mail(connection, user, LETTER.about(&key), &context);
    app.services().store.write(letter).await.unwrap();
}

async fn remind(app: &TestApp, to: &str, key: i64) {
    let (user, now) = (id_of(app, to), app.clock().now());
    let reminder = move |connection: &mut _| {
        queue_mail(connection, user, REMINDER.about(&key), &RequestContext::without_client(now))
    };
    app.services().store.write(reminder).await.unwrap();
}

async fn subjects(app: &TestApp) -> Vec<String> {
    app.deliver_mail().await.into_iter().map(|mail| mail.subject).collect()
}

async fn a_mail_is_queued_if_the_work_commits(database: Database) {
    let app = TestApp::builder(database).with_features().feature(letters()).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    let (user, now) = (tokens.user.id, app.clock().now());
    let fails = move |connection: &mut AnyConnection| {
        queue_mail(connection, user, REMINDER.about(&1), &RequestContext::without_client(now))?;
        Err::<(), _>(diesel::result::Error::RollbackTransaction)
    };
    app.services().store.write(fails).await.unwrap_err();
    let poll = ask(&app, &tokens, "Tea?").await;
    close(&app, &tokens, poll + 1).await.problem(404);
    assert_eq!(app.db().number(WAITING), 0);
    close(&app, &tokens, poll).await.has_status(204);
    close(&app, &tokens, poll).await.problem(409);
    assert_eq!(subjects(&app).await, ["Closed: Tea?"]);
    assert_eq!(app.db().number(WAITING), 0);
}

async fn only_the_confirmed_address_of_an_active_account_gets_a_mail(database: Database) {
    let app = TestApp::builder(database).feature(letters()).user(ADA).start().await;
    let (user, now) = (id_of(&app, ADA), app.clock().now());
    let set = |change: &str| app.db().execute(&format!("UPDATE users SET {change} WHERE id = {user}"));
    // To the address that is the account's when the mail is sent.
    remind(&app, ADA, 1).await;
    set("email = 'countess@example.org', email_canonical = 'countess@example.org'");
    assert_eq!(app.deliver_one_mail().await.to, "countess@example.org");

    for change in ["is_active = false", "is_active = true, email_verified_at = NULL"] {
        remind(&app, "countess@example.org", 2).await;
        set(change);
        assert_eq!(app.deliver_mail().await.len(), 0, "{change}");
        assert_eq!(app.db().number(WAITING), 0, "{change}");
        set(&format!("is_active = true, email_verified_at = '{}'", now.format("%Y-%m-%d %H:%M:%S%.6f")));
    }

    set("is_active = false");
    remind(&app, "countess@example.org", 3).await;
    let nobody = move |connection: &mut _| {
        queue_mail(connection, UserId(user.0 + 1), REMINDER.about(&4), &RequestContext::without_client(now))
    };
    app.services().store.write(nobody).await.unwrap();
    assert_eq!(app.db().number(WAITING), 0, "there is nobody to queue it for");
}

async fn mails_of_features_have_a_quota_of_their_own(database: Database) {
    let app = TestApp::builder(database).feature(letters()).user(ADA).limited().start().await;
    for number in 0..7 {
        post_letter(&app, ADA, &format!("Letter {number}")).await;
    }
    assert_eq!(app.deliver_mail().await.len(), 5);
    assert_eq!(app.metric(r#"latchkey_mails_total{outcome="deferred"}"#), 2);
    // Neither another mail of the feature nor one of Latchkey's is delayed.
    remind(&app, ADA, 1).await;
    assert_eq!(subjects(&app).await, ["Reminder 1"]);
    request_reset(&app, ADA).await;
    assert_eq!(subjects(&app).await, ["Choose a new password"]);
    app.clock().advance(Duration::hours(1));
    assert_eq!(app.deliver_mail().await.len(), 2);
    assert_eq!(app.db().number(WAITING), 0);
}

async fn mails_about_one_row_are_merged(database: Database) {
    let app = TestApp::builder(database).feature(letters()).user(ADA).user(EVE).limited().start().await;
    for _ in 0..3 {
        post_letter(&app, ADA, "Board 1").await;
    }
    post_letter(&app, ADA, "Bücher für Zoë 中文").await;
    post_letter(&app, EVE, "Board 1").await;
    let mails = app.deliver_mail().await;
    let mut sent: Vec<_> =
        mails.iter().map(|mail| (mail.to.as_str(), mail.subject.as_str(), mail.text.as_str())).collect();
    sent.sort_unstable();
    let expected = [
        (ADA, "Board 1", "Board 1: 3 times\n"),
        (ADA, "Bücher für Zoë 中文", "Bücher für Zoë 中文: 1 times\n"),
        (EVE, "Board 1", "Board 1: 1 times\n"),
    ];
    assert_eq!(sent, expected);
    // One that waits for the quota is merged, too.
    for number in 3..6 {
        post_letter(&app, ADA, &format!("Board {number}")).await;
    }
    assert_eq!(app.deliver_mail().await.len(), 3);
    for _ in 0..4 {
        post_letter(&app, ADA, "Board 1").await;
        assert_eq!(app.deliver_mail().await.len(), 0);
    }
    assert_eq!(app.db().number(WAITING), 1);
    app.clock().advance(Duration::hours(1));
    assert_eq!(app.deliver_one_mail().await.text, "Board 1: 4 times\n");
}

async fn a_mail_that_is_refused_is_sent_later(database: Database) {
    let server = ScriptedMailServer::start();
    let app = TestApp::builder(database).feature(letters()).user(ADA).set("EMAIL_URL", url_of(&server)).start().await;
    server.refuse("MESSAGE", Refusal::Reply("451 not now"));
    remind(&app, ADA, 1).await;
    assert_eq!(deliver(&app).await, 0);
    let id = server.last_message_id();
    server.accept_all();
    app.clock().advance(Duration::seconds(29));
    assert_eq!(deliver(&app).await, 0);
    app.clock().advance(ONE_SECOND);
    assert_eq!(deliver(&app).await, 1);
    assert_eq!((server.accepted(), server.last_message_id()), (vec![ADA.to_owned()], id));
}

async fn a_mail_that_cannot_be_written_delays_no_other_and_is_given_up(database: Database) {
    let app = TestApp::builder(database).feature(letters()).user(ADA).limited().start().await;
    for key in ["panics", "fails", "Letter"] {
        post_letter(&app, ADA, key).await;
    }
    remind(&app, ADA, 1).await;
    app.db().execute("UPDATE mail_outbox SET about = 'no number' WHERE kind = 'letters.due'");
    remind(&app, ADA, 2).await;
    let mut sent = subjects(&app).await;
    sent.sort_unstable();
    assert_eq!(sent, ["Letter", "Reminder 2"]);
    assert_eq!(app.metric(r#"latchkey_mails_total{outcome="postponed"}"#), 3);
    assert_eq!(app.db().number("SELECT count(*) FROM sent_mails"), 2);
    app.clock().advance(Duration::days(1));
    assert_eq!(app.deliver_mail().await.len(), 0);
    assert_eq!(app.db().number(WAITING), 0);
    let failed = app.db().texts("SELECT detail AS value FROM auth_events WHERE kind = 'mail_failed' ORDER BY detail");
    let [due, received] = [r#"{"mail":"letters.due"}"#, r#"{"mail":"letters.received"}"#];
    assert_eq!(failed, [due, received, received]);
}

async fn a_program_without_the_feature_leaves_its_mails_until_they_expire(database: Database) {
    let app = TestApp::builder(database).feature(letters()).user(ADA).start().await;
    let other = TestApp::builder_on(app.db().clone()).clock(app.clock()).start().await;
    remind(&app, ADA, 1).await;
    app.clock().advance(Duration::hours(23));
    assert_eq!(other.deliver_mail().await.len(), 0);
    prune(other.services()).await.unwrap();
    measure(other.services()).await.unwrap();
    assert_eq!(other.metric("latchkey_mail_waiting"), 1);
    assert_eq!(other.metric("latchkey_mail_oldest_age_seconds"), 0, "it does not wait for a mail server");
    measure(app.services()).await.unwrap();
    assert_eq!(app.metric("latchkey_mail_oldest_age_seconds"), 23 * 60 * 60);
    assert_eq!(subjects(&app).await, ["Reminder 1"]);

    remind(&app, ADA, 2).await;
    app.clock().advance(Duration::days(1));
    prune(app.services()).await.unwrap();
    assert_eq!(app.db().number(WAITING), 1, "it is given up, and not just deleted");
    prune(other.services()).await.unwrap();
    assert_eq!(app.db().number(WAITING), 0);
}

async fn a_mail_is_exported_and_deleted_with_its_recipient(database: Database) {
    let app = TestApp::builder(database).feature(letters()).user(ADA).user(EVE).start().await;
    let tokens = app.login(ADA).await;
    post_letter(&app, ADA, "Letter 1").await;
    post_letter(&app, EVE, "Letter 1").await;
    let export: Value = send(app.request_as(&tokens, Method::GET, "/api/auth/me/export/")).await.json();
    let [mail] = export["mails"].as_array().unwrap().as_slice() else { panic!("{export}") };
    let of_the_sender = [&mail["ip_address"], &mail["user_agent"]];
    assert_eq!((&mail["kind"], &mail["about"]), (&json!("letters.received"), &json!("Letter 1")));
    assert_eq!(of_the_sender, [&Value::Null, &Value::Null]);
    let delete = app.request_as(&tokens, Method::DELETE, "/api/auth/me/");
    send(delete.json(&json!({"password": crate::support::PASSWORD}))).await.has_status(204);
    let waiting = app.db().texts("SELECT kind || ' ' || recipient AS value FROM mail_outbox ORDER BY id");
    assert_eq!(waiting, [format!("letters.received {EVE}"), format!("account_deleted {ADA}")]);
}
