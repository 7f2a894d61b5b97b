//! Whether a process reports that it is ready.

use crate::support::{Database, Process, Proxy, TestApp, TestDb, create_user, on_both_databases, revert_all};
use auth_types::Reason;
use auth_types::responses::HealthResponse;
use chrono::Duration;
use std::sync::Arc;

on_both_databases![
    a_working_process_is_ready,
    a_feed_that_is_ten_seconds_old_is_not_ready,
    a_clock_that_differs_from_the_databases_is_not_ready,
    a_database_without_its_schema_is_not_ready,
    a_readiness_check_creates_nothing,
    a_database_that_takes_no_writes_is_not_ready,
];

const ADA: &str = "ada@example.com";
const EVE: &str = "eve@example.com";

/// Starts the API on the real time, since no test can move the database's clock.
async fn start(db: Arc<TestDb>) -> TestApp {
    let app = TestApp::builder_on(db).start().await;
    app.clock().run(Duration::zero());
    app.compare_clocks().await;
    app.poll_revocations().await;
    app
}

#[track_caller]
fn failed(health: &HealthResponse) -> Vec<&str> {
    health.checks.iter().filter(|(_, result)| *result != "ok").map(|(name, _)| name.as_str()).collect()
}

async fn not_ready(app: &TestApp) -> HealthResponse {
    let response = app.get("/readyz").await;
    response.has_status(503);
    assert!(!response.header("retry-after").is_empty(), "a 503 says when to retry");
    let health: HealthResponse = response.json();
    assert_eq!(health.status, "unavailable");
    app.get("/healthz").await.has_status(200);
    health
}

async fn a_working_process_is_ready(database: Database) {
    let app = start(Arc::new(TestDb::migrated(database))).await;
    let response = app.get("/readyz").await;
    response.has_status(200);
    let health: HealthResponse = response.json();
    assert_eq!(health.status, "ok");
    let checks: Vec<_> = health.checks.keys().map(String::as_str).collect();
    assert_eq!(checks, ["clock", "database", "migrations", "revocation_feed"]);
    assert!(failed(&health).is_empty());
}

async fn a_feed_that_is_ten_seconds_old_is_not_ready(database: Database) {
    let app = TestApp::builder(database).start().await;
    app.clock().advance(Duration::seconds(11));
    assert_eq!(failed(&not_ready(&app).await), ["revocation_feed"]);
    app.poll_revocations().await;
    app.get("/readyz").await.has_status(200);
}

async fn a_clock_that_differs_from_the_databases_is_not_ready(database: Database) {
    let app = start(Arc::new(TestDb::migrated(database))).await;
    for seconds in [-60, 60] {
        app.clock().run(Duration::seconds(seconds));
        app.compare_clocks().await;
        app.poll_revocations().await;
        assert_eq!(failed(&not_ready(&app).await), ["clock"], "{seconds} s");
    }
    // A corrected clock shows before the next comparison.
    app.clock().run(Duration::zero());
    app.get("/readyz").await.has_status(200);
}

async fn a_database_without_its_schema_is_not_ready(database: Database) {
    let app = start(Arc::new(TestDb::migrated(database))).await;
    revert_all(&app.db().parsed_url()).unwrap();
    assert_eq!(failed(&not_ready(&app).await), ["migrations"]);
}

/// A starting process holds the lock of the migrations while it creates diesel's table. Creating it without the lock would
/// make that start fail.
async fn a_readiness_check_creates_nothing(database: Database) {
    let app = start(Arc::new(TestDb::migrated(database))).await;
    app.db().execute("DROP TABLE __diesel_schema_migrations");
    assert_eq!(failed(&not_ready(&app).await), ["migrations"]);
    assert!(!app.db().all_tables().contains(&"__diesel_schema_migrations".to_owned()));
}

#[actix_web::test]
async fn an_unreachable_database_is_not_ready_and_ready_once_it_is_back() {
    let db = Arc::new(TestDb::migrated(Database::Postgres));
    let proxy = Proxy::before(db.server_address());
    let builder = TestApp::builder_on(Arc::clone(&db)).set("DATABASE_URL", db.url_through(proxy.address()));
    let app = builder.start().await;
    proxy.cut();
    assert!(failed(&not_ready(&app).await).contains(&"database"));
    proxy.restore();
    app.poll_revocations().await;
    app.get("/readyz").await.has_status(200);
}

/// A host sets a database read-only when the disk is nearly full, a standby is read-only, and so is a file on a read-only
/// mount.
async fn a_database_that_takes_no_writes_is_not_ready(database: Database) {
    let db = Arc::new(TestDb::migrated(database));
    create_user(&db, ADA);
    let process = match database {
        Database::Postgres => {
            db.execute(&format!("ALTER DATABASE {} SET default_transaction_read_only = on", db.name()));
            Process::start(db.url())
        }
        Database::Sqlite => Process::start_on_read_only_files(&db),
    };
    let response = process.get("/readyz").await;
    response.has_status(503);
    let health: HealthResponse = response.json();
    assert_eq!(health.checks["database"], "takes no writes");
    assert_eq!(failed(&health), ["database"]);
    process.register(EVE).await.problem_of(503, Reason::Unavailable);
    // Revocations are read all the same.
    process.live_log().wait_for("revocation.lifetime");
    assert!(!process.whole_log().await.iter().any(|line| line.contains("revocation.poll")));
}
