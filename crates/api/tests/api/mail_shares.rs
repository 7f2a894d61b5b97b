//! One client's mails never hold up another's.

use crate::support::{Database, PASSWORD, TestApp, on_both_databases, send};
use api::store::mail_outbox;
use auth_types::requests::RegisterRequest;
use chrono::{DateTime, Duration, Utc};
use reqwest::Method;
use serde_json::json;

on_both_databases![
    twelve_thousand_mails_to_nobody_hold_up_no_real_one,
    while_strangers_go_on_asking_a_real_mail_leaves,
    mails_to_nobody_are_dropped_a_thousand_at_a_time_and_nobody_elses_with_them,
    clients_take_turns,
];

const ADA: &str = "ada@example.com";
const TOKEN: &str = "a-token-for-the-operators-eyes";
const WAITING: &str = "SELECT count(*) FROM mail_outbox";

/// Resets that one client has asked for, of addresses that nobody has.
fn insert_for_nobody(app: &TestApp, number: usize) {
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

async fn ask_from(app: &TestApp, client: &str, email: &str) {
    let request = app.request(Method::POST, "/api/auth/password/reset/").header("X-Forwarded-For", client);
    send(request.json(&json!({"email": email}))).await.has_status(202);
}

async fn twelve_thousand_mails_to_nobody_hold_up_no_real_one(database: Database) {
    let app = TestApp::builder(database).user(ADA).limited().set("METRICS_TOKEN", TOKEN).start().await;
    insert_for_nobody(&app, 12_000);
    app.clock().advance(Duration::minutes(1));
    ask_from(&app, "198.51.100.7", ADA).await;
    assert_eq!(app.deliver_one_mail().await.to, ADA);
    assert_eq!(app.db().number(WAITING), 0);
    let metrics = send(app.request(Method::GET, "/metrics").bearer_auth(TOKEN)).await.text();
    assert!(metrics.contains(r#"latchkey_mails_total{outcome="dropped"} 12000"#), "{metrics}");
}

/// For each mail to nobody that is dropped, a stranger asks for another one, as long as the real one waits.
fn go_on_asking(app: &TestApp) {
    let insert = format!(
        "INSERT INTO mail_outbox (kind, recipient, requester, created_at, due_at, turn_at, expires_at)
         SELECT old.kind, old.recipient, old.requester, old.created_at, old.created_at, old.expires_at, old.expires_at
         WHERE EXISTS (SELECT 1 FROM mail_outbox WHERE recipient = '{ADA}')"
    );
    let trigger = "CREATE TRIGGER go_on_asking AFTER DELETE ON mail_outbox";
    let condition = "WHEN (old.recipient LIKE 'nobody%')";
    match app.db().database() {
        Database::Sqlite => app.db().execute(&format!("{trigger} {condition} BEGIN {insert}; END")),
        Database::Postgres => {
            app.db().execute(&format!(
                "CREATE FUNCTION go_on_asking() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {insert}; RETURN NULL; END $$"
            ));
            app.db().execute(&format!("{trigger} FOR EACH ROW {condition} EXECUTE FUNCTION go_on_asking()"))
        }
    };
}

async fn while_strangers_go_on_asking_a_real_mail_leaves(database: Database) {
    let app = TestApp::builder(database).user(ADA).limited().start().await;
    insert_for_nobody(&app, 10);
    app.clock().advance(Duration::minutes(1));
    ask_from(&app, "198.51.100.7", ADA).await;
    go_on_asking(&app);
    let end = std::time::Duration::from_mins(1);
    let delivered = tokio::time::timeout(end, app.deliver_one_mail()).await;
    assert_eq!(delivered.expect("the worker drops mails to nobody and does nothing else").to, ADA);
    assert_eq!(app.db().number(WAITING), 0);
}

async fn mails_to_nobody_are_dropped_a_thousand_at_a_time_and_nobody_elses_with_them(database: Database) {
    let app = TestApp::builder(database).user(ADA).user("eve@example.com").limited().start().await;
    app.register(&RegisterRequest { email: "new@example.com".into(), password: PASSWORD.into(), ..Default::default() })
        .await
        .created();
    insert_for_nobody(&app, 1_500);
    ask_from(&app, "198.51.100.7", ADA).await;
    insert_for_nobody(&app, 1_500);
    ask_from(&app, "198.51.100.8", "eve@example.com").await;
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
        ask_from(&app, "203.0.113.9", email).await;
    }
    for email in &people[4..] {
        ask_from(&app, "198.51.100.7", email).await;
    }
    let now = app.services().now();
    let mut connection = app.db().connect();
    let due = mail_outbox::list_due(&mut connection, now, &mail_outbox::DueFilter::default(), (None, 10)).unwrap();
    let order: Vec<_> = due.iter().map(|mail| mail.recipient.as_str()).collect();
    let expected = [0, 4, 1, 5, 2, 3].map(|number: usize| people[number].as_str());
    assert_eq!(order, expected);
}
