//! One client's mails never delay another's.

use crate::support::delivery::any_due;
use crate::support::{Database, PASSWORD, TestApp, on_both_databases, send};
use api::store::mail_outbox;
use auth_types::requests::RegisterRequest;
use chrono::{DateTime, Duration, Utc};
use reqwest::Method;
use serde_json::json;

on_both_databases![
    twelve_thousand_mails_without_a_recipient_delay_no_real_mail,
    a_real_mail_is_sent_while_others_keep_requesting,
    mails_without_a_recipient_are_dropped_by_the_thousand_and_no_others,
    clients_take_turns,
];

const ADA: &str = "ada@example.com";
const TOKEN: &str = "a-token-for-the-operators-eyes";
const WAITING: &str = "SELECT count(*) FROM mail_outbox";

/// Resets that one client has requested for addresses without an account.
fn insert_without_account(app: &TestApp, number: usize) {
    let time = |at: DateTime<Utc>| match app.db().database() {
        Database::Sqlite => at.format("'%Y-%m-%d %H:%M:%S%.6f'").to_string(),
        Database::Postgres => at.format("CAST('%Y-%m-%d %H:%M:%S%.6f+00' AS timestamptz)").to_string(),
    };
    let (now, until) = (time(app.services().now()), time(app.services().now() + Duration::hours(1)));
    app.db().execute(&format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {number})
         INSERT INTO mail_outbox (kind, recipient, requester, created_at, due_at, turn_at, expires_at)
         SELECT 'reset_password', 'nobody' || n || '@example.com', '203.0.113.9', {now}, {now}, {now}, {until}
         FROM numbers"
    ));
}

async fn request_reset_from(app: &TestApp, client: &str, email: &str) {
    let request = app.request(Method::POST, "/api/auth/password/reset/").header("X-Forwarded-For", client);
    send(request.json(&json!({"email": email}))).await.has_status(202);
}

async fn twelve_thousand_mails_without_a_recipient_delay_no_real_mail(database: Database) {
    let app = TestApp::builder(database).user(ADA).limited().set("METRICS_TOKEN", TOKEN).start().await;
    insert_without_account(&app, 12_000);
    app.clock().advance(Duration::minutes(1));
    request_reset_from(&app, "198.51.100.7", ADA).await;
    assert_eq!(app.deliver_one_mail().await.to, ADA);
    assert_eq!(app.db().number(WAITING), 0);
    let metrics = send(app.request(Method::GET, "/metrics").bearer_auth(TOKEN)).await.text();
    assert!(metrics.contains(r#"latchkey_mails_total{outcome="dropped"} 12000"#), "{metrics}");
}

/// For each dropped mail without a recipient, an attacker requests another one, as long as the real mail waits.
fn keep_requesting(app: &TestApp) {
    let insert = format!(
        "INSERT INTO mail_outbox (kind, recipient, requester, created_at, due_at, turn_at, expires_at)
         SELECT old.kind, old.recipient, old.requester, old.created_at, old.created_at, old.expires_at, old.expires_at
         WHERE EXISTS (SELECT 1 FROM mail_outbox WHERE recipient = '{ADA}')"
    );
    let trigger = "CREATE TRIGGER keep_requesting AFTER DELETE ON mail_outbox";
    let condition = "WHEN (old.recipient LIKE 'nobody%')";
    match app.db().database() {
        Database::Sqlite => app.db().execute(&format!("{trigger} {condition} BEGIN {insert}; END")),
        Database::Postgres => {
            app.db().execute(&format!(
                "CREATE FUNCTION keep_requesting() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {insert}; RETURN NULL; END $$"
            ));
            app.db().execute(&format!("{trigger} FOR EACH ROW {condition} EXECUTE FUNCTION keep_requesting()"))
        }
    };
}

async fn a_real_mail_is_sent_while_others_keep_requesting(database: Database) {
    let app = TestApp::builder(database).user(ADA).limited().start().await;
    insert_without_account(&app, 10);
    app.clock().advance(Duration::minutes(1));
    request_reset_from(&app, "198.51.100.7", ADA).await;
    keep_requesting(&app);
    let end = std::time::Duration::from_mins(1);
    let delivered = tokio::time::timeout(end, app.deliver_one_mail()).await;
    assert_eq!(delivered.expect("the worker only drops mails without a recipient").to, ADA);
    assert_eq!(app.db().number(WAITING), 0);
}

async fn mails_without_a_recipient_are_dropped_by_the_thousand_and_no_others(database: Database) {
    let app = TestApp::builder(database).user(ADA).user("eve@example.com").limited().start().await;
    app.register(&RegisterRequest { email: "new@example.com".into(), password: PASSWORD.into(), ..Default::default() })
        .await
        .created();
    insert_without_account(&app, 1_500);
    request_reset_from(&app, "198.51.100.7", ADA).await;
    insert_without_account(&app, 1_500);
    request_reset_from(&app, "198.51.100.8", "eve@example.com").await;
    let mut to: Vec<_> = app.deliver_mail().await.into_iter().map(|mail| mail.to).collect();
    to.sort();
    assert_eq!(to, [ADA, "eve@example.com", "new@example.com"]);
    assert_eq!(app.db().number(WAITING), 0);
}

async fn clients_take_turns(database: Database) {
    let people: Vec<_> = (0..6).map(|number| format!("user{number}@example.com")).collect();
    let builder = people.iter().fold(TestApp::builder(database), |builder, email| builder.user(email));
    let app = builder.limited().start().await;
    for email in &people[..4] {
        request_reset_from(&app, "203.0.113.9", email).await;
    }
    for email in &people[4..] {
        request_reset_from(&app, "198.51.100.7", email).await;
    }
    let now = app.services().now();
    let mut connection = app.db().connect();
    let due = mail_outbox::list_due(&mut connection, now, &any_due(), 10).unwrap();
    let order: Vec<_> = due.iter().map(|mail| mail.recipient.as_str()).collect();
    let expected = [0, 4, 1, 5, 2, 3].map(|number: usize| people[number].as_str());
    assert_eq!(order, expected);
}
