//! Findings that come from real servers and real databases.

use super::{SOUND, deploy, ids, message, with};
use crate::support::servers::{Files, Server, unused_address};
use crate::support::{Database, ManualClock, ONE_SECOND, PASSWORD, TestApp, TestDb, on_both_databases};
use api::cli::check::deployment;
use api::clock::{Clock, SharedClock, SystemClock};
use api::config::{Inspection, Variables};
use api::store::migrations::Migrations;
use std::sync::Arc;

on_both_databases![
    missing_migrations_are_found_and_not_applied,
    a_clock_that_is_far_off_is_found,
    a_check_changes_nothing_in_the_database,
    clients_with_a_proxys_address_are_found,
];

/// A development machine that uses this database and hashes quickly.
fn development(database_url: &str) -> Variables {
    Variables::default().with("DATABASE_URL", database_url).with("BCRYPT_COST", "4")
}

/// The servers of a sound deployment.
struct Servers {
    mail: Server,
    bucket: Server,
    redis: Server,
    files: Arc<Files>,
}

impl Servers {
    fn new() -> Self {
        let files = Arc::new(Files::default());
        let bucket = Server::bucket(Some(Arc::clone(&files)));
        Self { mail: Server::mail("n4Xw8pQe"), bucket, redis: Server::redis("+PONG"), files }
    }

    fn variables(&self, db: &TestDb) -> Variables {
        with(&[("BCRYPT_COST", "11")])
            .with("DATABASE_URL", db.url())
            .with("EMAIL_URL", format!("smtp://latchkey:n4Xw8pQe@{}", self.mail.address()))
            .with("AWS_S3_ENDPOINT_URL", format!("http://{}", self.bucket.address()))
            .with("REDIS_URL", format!("redis://{}", self.redis.address()))
    }
}

#[actix_web::test]
async fn a_sound_deployment_has_no_finding() {
    let (db, servers) = (TestDb::migrated(Database::Postgres), Servers::new());
    let report = deploy(servers.variables(&db)).await;
    // The speed of hashing is left out: this machine may run other tests at the same time.
    let found: Vec<_> = ids(&report).into_iter().filter(|id| !id.starts_with("hashing.")).collect();
    assert_eq!(found, [""; 0], "{report}");
    assert!(servers.files.lock().unwrap().is_empty(), "the object still exists");
}

#[actix_web::test]
async fn servers_that_refuse_connections_are_found() {
    let closed = unused_address();
    let report = deploy(
        with(&[("BCRYPT_COST", "11")])
            .with("DATABASE_URL", format!("postgres://u:p@{closed}/latchkey"))
            .with("EMAIL_URL", format!("smtp://u:p@{closed}"))
            .with("AWS_S3_ENDPOINT_URL", format!("http://{closed}"))
            .with("REDIS_URL", format!("redis://{closed}")),
    )
    .await;
    for id in ["database.unreachable", "mail.unreachable", "storage.unreachable", "redis.unreachable"] {
        assert!(message(&report, id).contains("refused"), "{report}");
    }
}

/// Signs in with this `X-Forwarded-For`.
async fn sign_in_behind(app: &TestApp, forwarded: &str) {
    app.clock().advance(ONE_SECOND);
    app.sign_in_from(forwarded, "ada@example.com", PASSWORD).await.tokens();
}

/// The number of hops was right until a second proxy was added.
async fn clients_with_a_proxys_address_are_found(database: Database) {
    let builder = TestApp::builder(database).user("ada@example.com").set("TRUSTED_PROXY_HOPS", "1");
    let app = builder.start().await;
    app.clock().set(SystemClock.now()); // the check reads the time from the database
    let found = async |proxies: (&str, &str)| {
        let variables = development(app.db().url()).with(proxies.0, proxies.1);
        deploy(variables).await
    };
    for client in ["203.0.113.9", "203.0.113.10"] {
        sign_in_behind(&app, client).await;
    }
    assert!(!ids(&found(("TRUSTED_PROXY_HOPS", "1")).await).contains(&"proxy.clients"));
    sign_in_behind(&app, "203.0.113.9, 104.22.17.40").await;
    sign_in_behind(&app, "203.0.113.9, 10.21.157.68").await;
    sign_in_behind(&app, "203.0.113.9").await;
    let report = found(("TRUSTED_PROXY_HOPS", "1")).await;
    let message = message(&report, "proxy.clients");
    assert!(message.starts_with("2 of the newest 5 sessions have "), "{message}");
    assert!(message.ends_with(" 10.21.157.68"), "{message}");
    // Where no proxy is configured, a private address may be a person's own.
    let finding = super::message(&found(("TRUSTED_PROXIES", "")).await, "proxy.clients");
    assert!(finding.starts_with("1 of the newest 5 ") && finding.ends_with(" 104.22.17.40"), "{finding}");
    app.db().execute("UPDATE sessions SET created_at = '2020-01-01 00:00:00+00:00'");
    assert!(!ids(&found(("TRUSTED_PROXY_HOPS", "1")).await).contains(&"proxy.clients"), "old sessions are not counted");
}

#[actix_web::test]
async fn an_old_list_of_a_proxys_networks_is_reported() {
    let clock = Arc::new(ManualClock::new());
    let is_reported = async |proxies: &str, days: i64| {
        let published = chrono::NaiveDate::from_ymd_opt(2026, 10, 14).unwrap().and_hms_opt(12, 0, 0).unwrap().and_utc();
        clock.advance(published + chrono::Duration::days(days) - clock.now());
        let variables = Variables::default().with("BCRYPT_COST", "4").with("TRUSTED_PROXIES", proxies);
        let report =
            deployment(&Inspection::of(variables), &(clock.clone() as SharedClock), &Migrations::default()).await;
        ids(&report).contains(&"proxy.ranges")
    };
    assert!(!is_reported("cloudflare", 400).await);
    assert!(!is_reported("private", 401).await);
    assert!(is_reported("render", 401).await);
}

/// A firewall that drops every packet looks like this; the check still ends.
#[actix_web::test]
async fn servers_that_never_respond_are_found() {
    let silent = Server::silent();
    let address = silent.address();
    let report = deploy(
        with(&[("BCRYPT_COST", "11")])
            .with("DATABASE_URL", format!("postgres://u:p@{address}/latchkey"))
            .with("EMAIL_URL", format!("smtp://u:p@{address}"))
            .with("AWS_S3_ENDPOINT_URL", format!("http://{address}"))
            .with("REDIS_URL", format!("redis://{address}")),
    )
    .await;
    for id in ["database.unreachable", "mail.unreachable", "storage.unreachable", "redis.unreachable"] {
        message(&report, id);
    }
}

#[actix_web::test]
async fn servers_that_refuse_access_are_found() {
    let (db, servers, closed) = (TestDb::migrated(Database::Postgres), Servers::new(), Server::bucket(None));
    let mut url = url::Url::parse(db.url()).unwrap();
    url.set_path("no_such_database");
    let variables = servers
        .variables(&db)
        .with("DATABASE_URL", url)
        .with("EMAIL_URL", format!("smtp://latchkey:another@{}", servers.mail.address()))
        .with("AWS_S3_ENDPOINT_URL", format!("http://{}", closed.address()));
    let report = deploy(variables).await;
    assert!(message(&report, "database.unreachable").contains("no_such_database"), "{report}");
    assert!(message(&report, "mail.refused").contains("535"), "{report}");
    assert!(message(&report, "storage.unreachable").contains("cannot write"), "{report}");
}

/// A folder cannot be created inside a file, not even by root.
#[actix_web::test]
async fn folders_that_cannot_be_written_to_are_found() {
    let (servers, file) = (Servers::new(), tempfile::NamedTempFile::new().unwrap());
    let inside = |scheme: &str| format!("{scheme}{}/in/it", file.path().display());
    let no_bucket = SOUND.iter().filter(|(name, _)| name.starts_with("AWS_"));
    let variables = no_bucket
        .fold(with(&[("BCRYPT_COST", "11")]), |variables, (name, _)| variables.with(name, ""))
        .with("DATABASE_URL", inside("sqlite:"))
        .with("EMAIL_URL", inside("file:"))
        .with("REDIS_URL", format!("redis://{}", servers.redis.address()));
    let report = deploy(variables).await;
    for id in ["database.unreachable", "mail.unreachable"] {
        assert!(message(&report, id).contains("cannot be written to"), "{report}");
    }
    message(&report, "storage.local");
}

#[actix_web::test]
async fn a_password_hashed_too_quickly_or_too_slowly_is_found() {
    let unreachable = format!("postgres://u:p@{}/latchkey", unused_address());
    for (cost, id) in [("4", "hashing.fast"), ("15", "hashing.slow")] {
        let report = deploy(development(&unreachable).with("BCRYPT_COST", cost)).await;
        assert!(message(&report, id).contains(&format!("at cost {cost}")), "{report}");
    }
}

/// A deployment is checked as production, and reported when it is not.
#[actix_web::test]
async fn a_development_machine_is_not_fit_for_deployment() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new.sqlite3");
    let report = deploy(development(&format!("sqlite:{}", file.display()))).await;
    for id in ["environment.development", "origins.localhost", "mail.nowhere", "database.sqlite", "database.migrations"]
    {
        message(&report, id);
    }
    assert!(!file.exists(), "the check created a database");
}

async fn missing_migrations_are_found_and_not_applied(database: Database) {
    let db = TestDb::empty(database);
    let report = deploy(development(db.url())).await;
    assert!(message(&report, "database.migrations").contains("00000000000001_accounts_and_sessions"), "{report}");
    let report = deploy(development(db.url())).await;
    message(&report, "database.migrations");

    let db = TestDb::migrated(database);
    db.execute("DELETE FROM __diesel_schema_migrations WHERE version = '00000000000001'");
    let report = deploy(development(db.url())).await;
    assert!(message(&report, "database.migrations").contains("00000000000001_"), "{report}");
}

#[actix_web::test]
async fn a_read_only_database_is_found() {
    let db = TestDb::migrated(Database::Postgres);
    assert!(!ids(&deploy(development(db.url())).await).contains(&"database.read_only"));
    db.execute(&format!("ALTER DATABASE {} SET default_transaction_read_only = on", db.name()));
    assert!(message(&deploy(development(db.url())).await, "database.read_only").contains("takes no writes"));
}

#[actix_web::test]
async fn an_encoding_without_all_characters_is_found() {
    let db = TestDb::migrated(Database::Postgres);
    assert!(!ids(&deploy(development(db.url())).await).contains(&"database.encoding"));
    for encoding in ["LATIN1", "SQL_ASCII"] {
        db.set_encoding(encoding);
        assert!(message(&deploy(development(db.url())).await, "database.encoding").contains(encoding));
    }
}

async fn a_clock_that_is_far_off_is_found(database: Database) {
    let db = TestDb::migrated(database);
    let clock = Arc::new(ManualClock::new());
    let inspection = Inspection::of(development(db.url()));
    clock.set(SystemClock.now() + chrono::Duration::seconds(60));
    let shared: SharedClock = clock.clone();
    assert!(
        message(&deployment(&inspection, &shared, &Migrations::default()).await, "database.clock")
            .contains("differ by")
    );
    clock.set(SystemClock.now());
    assert!(!ids(&deployment(&inspection, &shared, &Migrations::default()).await).contains(&"database.clock"));
}

async fn a_check_changes_nothing_in_the_database(database: Database) {
    let (empty, full) = (TestDb::empty(database), TestDb::migrated(database));
    for db in [&empty, &full] {
        let (tables, content) = (all_tables(db), db.content());
        deploy(development(db.url())).await;
        assert_eq!((all_tables(db), db.content()), (tables, content));
    }
}

/// The number of tables, including diesel's own.
fn all_tables(db: &TestDb) -> i64 {
    db.number(match db.database() {
        Database::Sqlite => "SELECT count(*) FROM sqlite_schema",
        Database::Postgres => "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'",
    })
}
