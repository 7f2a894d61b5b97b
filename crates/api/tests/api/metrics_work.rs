//! The metrics of queues, mail, events and the process itself.

use crate::support::{Database, Process, TestApp, TestDb, create_user, eventually, hold_hashing};
use crate::support::{on_both_databases, queue_length, send};
use api::clock::{Clock, SystemClock};
use api::gate::Busy;
use api::service::mail;
use chrono::Duration;
use reqwest::Method;
use serde_json::json;

on_both_databases![
    work_that_finds_no_connection_is_counted,
    mail_is_counted_by_its_outcome,
    a_process_measures_the_outbox_by_itself,
    each_event_is_counted_where_it_is_recorded,
    each_application_counts_the_events_that_it_has_recorded,
];

const ADA: &str = "ada@example.com";
const TOKEN: &str = "a-token-for-the-operators-eyes";

async fn scrape(app: &TestApp) -> String {
    send(app.request(Method::GET, "/metrics").bearer_auth(TOKEN)).await.text()
}

/// The value of the series that a line starts with, without its fraction.
#[track_caller]
fn value(text: &str, series: &str) -> i64 {
    let value = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    let value = value.unwrap_or_else(|| panic!("{series} is not in\n{text}"));
    value.split('.').next().unwrap().parse().unwrap()
}

fn start(database: Database) -> crate::support::Builder {
    TestApp::builder(database).user(ADA).set("METRICS_TOKEN", TOKEN)
}

#[actix_web::test]
async fn waiting_and_refused_hashing_jobs_are_counted() {
    let app = start(Database::Sqlite).start().await;
    let before = value(&scrape(&app).await, "latchkey_hashing_wait_seconds_count");
    let held = hold_hashing(&app, queue_length()).await;
    assert_eq!(app.services().hashing.run(|| ()).await, Err(Busy));
    let text = scrape(&app).await;
    assert_eq!(value(&text, "latchkey_hashing_refused_total"), 1);
    let threads = value(&text, r#"latchkey_hashing_jobs{state="running"}"#);
    assert_eq!(value(&text, "latchkey_hashing_wait_seconds_count"), before + threads);
    drop(held);
}

async fn work_that_finds_no_connection_is_counted(database: Database) {
    // One connection, open since the account was created, so that checking it out takes no time.
    let alone = start(database).set("DATABASE_POOL_SIZE", "1");
    let app = alone.timeouts(|timeouts| timeouts.checkout = std::time::Duration::from_millis(50)).start().await;
    let before = value(&scrape(&app).await, "latchkey_database_wait_seconds_count");
    let (release, held) = std::sync::mpsc::channel::<()>();
    let (started, start) = tokio::sync::oneshot::channel();
    let work = app.services().store.run(move |_| Ok(started.send(()).is_ok() && held.recv().is_err()));
    let scraping = async {
        start.await.unwrap();
        app.services().store.run(|_| Ok(())).await.unwrap_err();
        let text = scrape(&app).await;
        drop(release);
        text
    };
    let (_, text) = tokio::join!(work, scraping);
    assert_eq!(value(&text, r#"latchkey_database_connections{state="used"}"#), 1);
    assert_eq!(value(&text, "latchkey_database_connections_max"), 1);
    assert_eq!(value(&text, "latchkey_database_refused_total"), 1);
    assert_eq!(value(&text, "latchkey_database_wait_seconds_count"), before + 1);
}

async fn request_reset(app: &TestApp, email: &str) {
    app.post("/api/auth/password/reset/", &json!({"email": email})).await.has_status(202);
}

/// The outcomes of mails so far, how many wait, and how long the oldest has waited.
async fn mails(app: &TestApp) -> [i64; 6] {
    mail::measure(app.services()).await.unwrap();
    let text = scrape(app).await;
    [
        r#"latchkey_mails_total{outcome="sent"}"#,
        r#"latchkey_mails_total{outcome="dropped"}"#,
        r#"latchkey_mails_total{outcome="postponed"}"#,
        r#"latchkey_mails_total{outcome="given_up"}"#,
        "latchkey_mail_waiting",
        "latchkey_mail_oldest_age_seconds",
    ]
    .map(|series| value(&text, series))
}

async fn mail_is_counted_by_its_outcome(database: Database) {
    let app = start(database).start().await;
    assert_eq!(mails(&app).await, [0; 6]);
    request_reset(&app, ADA).await;
    app.clock().advance(Duration::seconds(90));
    request_reset(&app, "nobody@example.com").await;
    assert_eq!(mails(&app).await, [0, 0, 0, 0, 2, 90]);
    app.deliver_mail().await;
    assert_eq!(mails(&app).await, [1, 1, 0, 0, 0, 0]);

    // A file exists where the parent folder should be.
    let blocked = tempfile::NamedTempFile::new().unwrap();
    let url = format!("file:{}/outbox", blocked.path().display());
    let builder = TestApp::builder_on(app.db().clone()).clock(app.clock()).set("METRICS_TOKEN", TOKEN);
    let stuck = builder.set("EMAIL_URL", url).start().await;
    request_reset(&stuck, ADA).await;
    mail::deliver_due(stuck.services()).await.unwrap();
    assert_eq!(mails(&stuck).await, [0, 0, 1, 0, 1, 0]);
    stuck.clock().advance(Duration::hours(1));
    assert_eq!(mails(&stuck).await, [0, 0, 1, 0, 1, 3600]);
    mail::deliver_due(stuck.services()).await.unwrap();
    assert_eq!(mails(&stuck).await, [0, 0, 1, 1, 0, 0]);
}

/// In production a link is sent through a mail server or not at all.
#[actix_web::test]
async fn mail_without_a_mail_server_waits() {
    let app = start(Database::Sqlite)
        .production()
        .set("EMAIL_URL", "console:")
        .set("FRONTEND_URL", "https://app.example.com")
        .start()
        .await;
    request_reset(&app, ADA).await;
    mail::deliver_due(app.services()).await.unwrap();
    assert_eq!(mails(&app).await, [0, 0, 1, 0, 1, 0]);
}

async fn wait_for_series(process: &Process, series: &str, holds: impl Fn(i64) -> bool) -> String {
    eventually(series, async || {
        let text = send(process.request(Method::GET, "/metrics").bearer_auth(TOKEN)).await.text();
        holds(value(&text, series)).then_some(text)
    })
    .await
}

async fn a_process_measures_the_outbox_by_itself(database: Database) {
    let db = TestDb::migrated(database);
    let (ago, later) = (SystemClock.now() - Duration::hours(2), SystemClock.now() + Duration::hours(1));
    db.execute(&format!(
        "INSERT INTO mail_outbox (kind, recipient, created_at, due_at, expires_at, attempts) VALUES \
         ('reset_password', '{ADA}', '{0}', '{1}', '{1}', 1)",
        ago.format("%Y-%m-%d %H:%M:%S%.6f"),
        later.format("%Y-%m-%d %H:%M:%S%.6f"),
    ));
    let process = Process::start_with(db.url(), &[("METRICS_TOKEN", TOKEN)]);
    let text = wait_for_series(&process, "latchkey_mail_waiting", |waiting| waiting == 1).await;
    let age = value(&text, "latchkey_mail_oldest_age_seconds");
    assert!((7200..7300).contains(&age), "{age}");
}

async fn each_event_is_counted_where_it_is_recorded(database: Database) {
    let db = TestDb::migrated(database);
    create_user(&db, ADA);
    let process = Process::start_with(db.url(), &[("METRICS_TOKEN", TOKEN)]);
    let wrong = json!({"email": ADA, "password": "not the right one"});
    send(process.request(Method::POST, "/api/auth/login/").json(&wrong)).await.has_status(401);
    let tokens = process.login(ADA).await;
    process.logout(&tokens).await.done();
    let text = wait_for_series(&process, r#"latchkey_events_total{kind="logged_out"}"#, |count| count == 1).await;
    for (kind, count) in [("login_failed", 1), ("logged_in", 1), ("registered", 0), ("refresh_reused", 0)] {
        assert_eq!(value(&text, &format!(r#"latchkey_events_total{{kind="{kind}"}}"#)), count, "{kind}");
    }
}

/// Several applications may run in one process, as they do in tests.
async fn each_application_counts_the_events_that_it_has_recorded(database: Database) {
    let (one, other) = (start(database).start().await, start(database).start().await);
    one.login(ADA).await;
    for (app, count) in [(&one, 1), (&other, 0)] {
        assert_eq!(value(&scrape(app).await, r#"latchkey_events_total{kind="logged_in"}"#), count);
    }
}

#[cfg(target_os = "linux")]
#[actix_web::test]
async fn process_metrics_match_the_system() {
    let (db, clock) = (TestDb::migrated(Database::Sqlite), SystemClock);
    let before = clock.now().timestamp();
    let process = Process::start_with(db.url(), &[("METRICS_TOKEN", TOKEN)]);
    let text =
        wait_for_series(&process, "process_start_time_seconds", |at| (before..=clock.now().timestamp()).contains(&at))
            .await;
    let (open, max) = (value(&text, "process_open_fds"), value(&text, "process_max_fds"));
    assert!(open > 5 && open < max, "{open} of {max}");
    // A program with threads and two database libraries has a few megabytes, not a terabyte.
    let memory = value(&text, "process_resident_memory_bytes");
    assert!((4_000_000..4_000_000_000).contains(&memory), "{memory}");
    assert!((0..60).contains(&value(&text, "process_cpu_seconds_total")), "{text}");
}

/// An alert on an increase would miss the first event of a series that starts at 1.
#[actix_web::test]
async fn series_with_alerts_start_at_zero() {
    let app = TestApp::builder(Database::Sqlite).set("METRICS_TOKEN", TOKEN).start().await;
    let text = scrape(&app).await;
    for series in [
        r#"latchkey_refreshes_total{outcome="reused"}"#,
        r#"latchkey_refreshes_total{outcome="ahead"}"#,
        r#"latchkey_sign_ins_total{outcome="refused"}"#,
        r#"latchkey_mails_total{outcome="given_up"}"#,
        r#"latchkey_limits_refused_total{budget="sign_in_stranger"}"#,
        "latchkey_limits_fallbacks_total",
        "latchkey_hashing_refused_total",
        "latchkey_database_refused_total",
    ] {
        assert_eq!(value(&text, series), 0, "{series}");
    }
}
