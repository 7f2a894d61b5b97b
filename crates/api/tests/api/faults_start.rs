//! Starting on a database that does not exist, is another program's, or is not ready.

use crate::support::{
    Cluster, Database, DiskError, FaultyDisk, Process, TestDb, bounds, create_user, eventually, execute,
    on_both_databases, try_start,
};
use api::config::DatabaseUrl;
use api::gate::Resource;
use api::store::AnyConnection;
use api::store::connection::open;
use api::store::layouts;
use auth_types::Reason;
use diesel::connection::{Connection, SimpleConnection};
use diesel::sqlite::SqliteConnection;
use reqwest::Method;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

on_both_databases![
    a_process_killed_in_a_migration_leaves_nothing_half_done,
    a_migration_that_fails_ends_the_start_and_changes_nothing,
    a_release_works_on_the_schema_of_the_next_one,
    a_failed_query_is_not_mistaken_for_a_missing_table,
];

const ADA: &str = "ada@example.com";

/// Every route that declares that it uses the database.
fn closed_routes() -> impl Iterator<Item = (Method, String)> {
    let routes = bounds().into_iter().filter(|(_, bounds)| bounds.resources.contains(&Resource::Database));
    routes.map(|(route, _)| {
        let (method, path) = route.split_once(' ').unwrap();
        (method.parse().unwrap(), path.replace("{id}", "any"))
    })
}

/// Alive, not ready, and 503 wherever the database is needed.
async fn assert_closed(process: &Process) {
    process.get("/healthz").await.done();
    let ready = process.get("/readyz").await;
    ready.has_status(503);
    assert!(!ready.header("retry-after").is_empty());
    // The same route in other spellings: the router decodes a path.
    let spellings = ["/api/%61uth/verify/", "/%61pi/auth/verif%79"].map(|path| (Method::POST, path.to_owned()));
    for (method, path) in closed_routes().chain(spellings) {
        let request = process.request(method, &path).bearer_auth("any").json(&serde_json::json!({"token": "any"}));
        let response = crate::support::send(request.header("Origin", "http://127.0.0.1:8080")).await;
        assert_eq!(response.header("access-control-allow-origin"), "http://127.0.0.1:8080", "a browser must see it");
        response.problem_of(503, Reason::Unavailable);
    }
    process.get("/api/auth/config/").await.done();
    process.get("/nowhere").await.problem_of(404, Reason::NotFound);
}

#[actix_web::test]
async fn a_process_waits_for_its_server_and_then_does_its_work() {
    let mut cluster = Cluster::stopped();
    let process = Process::start_unready(&cluster.url(), &[]);
    assert_closed(&process).await;
    process.live_log().wait_for("start.waiting: cannot connect to the database");

    cluster.start();
    process.wait_until_ready().await;
    let tokens = process.register(ADA).await.created();
    process.me(&tokens).await.done();
    assert!(process.whole_log().await.iter().all(|line| !line.contains("panic")));
}

#[actix_web::test]
async fn a_process_waits_for_a_file_that_another_one_holds() {
    let db = TestDb::empty(Database::Sqlite);
    let AnyConnection::Sqlite(mut other) = db.connect() else { panic!("not SQLite") };
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    let process = Process::start_unready(db.url(), &[]);
    assert_closed(&process).await;
    process.live_log().wait_for("database is locked");
    other.batch_execute("ROLLBACK").unwrap();
    process.wait_until_ready().await;
}

#[actix_web::test]
async fn an_error_that_an_operator_has_to_fix_ends_the_start_with_a_message() {
    let cluster = {
        let mut cluster = Cluster::stopped();
        cluster.require_passwords();
        cluster.start();
        cluster
    };
    let db = TestDb::empty(Database::Postgres);
    let no_database = format!("{}_not_there", db.url().split('?').next().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("no-database");
    std::fs::write(&text, "These are not the tables that you are looking for. ".repeat(100)).unwrap();
    for (url, words) in [
        (cluster.url().replace("latchkey@", "latchkey:wrong@"), "password authentication failed"),
        (cluster.url(), "no password supplied"),
        (no_database, "does not exist"),
        (format!("{}&pool_timeout=5", cluster.url()), "invalid URI query parameter"),
        (format!("{}&sslmode=strict", cluster.url()), "an unknown sslmode"),
        (format!("{}&target_session_attrs=bogus", cluster.url()), "an unknown target_session_attrs"),
        (format!("{}&channel_binding=maybe", cluster.url()), "an unknown channel_binding"),
        (format!("{}&require_auth=maybe", cluster.url()), "invalid require_auth value"),
        (format!("{}&require_auth=md5,md5", cluster.url()), "more than once"),
        (format!("{}&ssl_min_protocol_version=1", cluster.url()), "ssl_min_protocol_version"),
        (format!("{}&hostaddr=abc", cluster.url()), "could not parse network address"),
        (format!("{}&hostaddr=127.0.0.1,127.0.0.2", cluster.url()), "could not match"),
        (format!("{}&service=x", cluster.url()), "\"x\" not found"),
        (format!("{}&sslmode=require&sslrootcert=system", cluster.url()), "weak sslmode"),
        (format!("{}&connect_timeout=soon", cluster.url()), "for connection option"),
        (format!("sqlite:{}", text.display()), "file is not a database"),
        (format!("sqlite:{}", folder.path().display()), "names a folder"),
        (format!("sqlite:{}/latchkey.sqlite3", text.display()), "cannot create the folder"),
    ] {
        let (status, output) = try_start(&url).await;
        assert!(!status.success(), "{output}");
        let last = output.lines().filter(|line| line.starts_with("api: ")).collect::<Vec<_>>();
        assert!(!last.is_empty() && output.contains(words), "{words:?} is not in {output}");
        assert!(!output.contains(":wrong"), "a password was printed: {output}");
    }
}

#[actix_web::test]
async fn an_encoding_without_all_characters_ends_the_start() {
    let db = TestDb::migrated(Database::Postgres);
    for encoding in ["LATIN1", "SQL_ASCII"] {
        db.set_encoding(encoding);
        let (status, output) = try_start(db.url()).await;
        assert!(!status.success(), "{output}");
        assert!(output.contains(&format!("has the encoding {encoding} and needs UTF8")), "{output}");
    }
    db.set_encoding("UTF8");
    Process::start(db.url()).wait_until_ready().await;
}

#[actix_web::test]
async fn a_permanent_refusal_by_the_server_ends_the_start() {
    let mut cluster = Cluster::stopped();
    cluster.start();
    let AnyConnection::Postgres(mut owner) = open(&DatabaseUrl::Postgres(cluster.url().into())).unwrap() else {
        panic!("not PostgreSQL")
    };
    owner.batch_execute("CREATE ROLE guest NOLOGIN; CREATE ROLE visitor LOGIN").unwrap();
    owner.batch_execute("REVOKE CONNECT ON DATABASE postgres FROM PUBLIC").unwrap();
    owner.batch_execute("CREATE DATABASE closed ALLOW_CONNECTIONS false").unwrap();
    let as_user = |name: &str| cluster.url().replace("latchkey@", &format!("{name}@"));
    for (url, words) in [
        (as_user("guest"), "is not permitted to log in"),
        (as_user("visitor"), "permission denied for database"),
        (cluster.url().replace("/postgres?", "/closed?"), "not currently accepting connections"),
        (format!("{}&sslkey", cluster.url()), "missing key/value separator"),
        (format!("{}&require_auth=scram-sha-256", cluster.url()), "authentication method requirement"),
        (format!("{}&channel_binding=require", cluster.url()), "channel binding required"),
        (format!("{}&replication=database", cluster.url()), "replication connection"),
        (format!("{}&replication=true", cluster.url()), "replication connection"),
        (format!("{}&options=-c%20serach_path%3Da", cluster.url()), "unrecognized configuration parameter"),
    ] {
        let (status, output) = try_start(&url).await;
        assert!(!status.success() && output.contains(words), "{words:?} is not in {output}");
    }
}

/// As in psql.
#[actix_web::test]
async fn a_url_may_end_before_its_options_or_between_them() {
    let mut cluster = Cluster::stopped();
    cluster.start();
    let plain = cluster.url().split('?').next().unwrap().to_owned();
    for url in
        [plain.clone(), format!("{plain}?"), format!("{plain}?sslmode=disable&"), format!("{plain}?connect_timeout=9&")]
    {
        let process = Process::start(&url);
        process.get("/readyz").await.done();
        process.kill();
    }
}

/// Keeps a migration from going on after it has begun: its table exists already, or the file is locked.
fn hold_migrations(url: &DatabaseUrl) -> AnyConnection {
    let mut holder = open(url).unwrap();
    match &mut holder {
        AnyConnection::Postgres(postgres) => postgres.batch_execute("BEGIN; CREATE TABLE sessions (x int)").unwrap(),
        AnyConnection::Sqlite(sqlite) => sqlite.batch_execute("BEGIN IMMEDIATE").unwrap(),
    }
    holder
}

async fn a_process_killed_in_a_migration_leaves_nothing_half_done(database: Database) {
    let db = TestDb::empty(database);
    for _ in 0..3 {
        let holder = hold_migrations(&db.parsed_url());
        let process = Process::start_unready(db.url(), &[]);
        if database == Database::Postgres {
            eventually("it is in the migration", async || (db.number(WAITS_IN_A_MIGRATION) == 1).then_some(())).await;
        }
        process.kill();
        drop(holder); // rolls back
        assert_eq!(db.tables(), Vec::<String>::new());
    }
    let process = Process::start(db.url());
    process.register(ADA).await.created();
}

const WAITS_IN_A_MIGRATION: &str =
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";

/// The server is restarted, or an operator ends its sessions, while the first start migrates or waits for another process
/// that does; it is available again before the next attempt.
#[actix_web::test]
async fn a_start_whose_connection_is_lost_in_a_migration_tries_again() {
    let db = TestDb::empty(Database::Postgres);
    let holder = hold_migrations(&db.parsed_url());
    let process = Process::start_unready(db.url(), &[]);
    eventually("it is in the migration", async || (db.number(WAITS_IN_A_MIGRATION) == 1).then_some(())).await;
    db.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE wait_event_type = 'Lock' AND datname = current_database()",
    );
    process.live_log().wait_for("start.waiting: the connection to the database was lost in a migration");
    drop(holder); // rolls back
    process.wait_until_ready().await;
    process.register(ADA).await.created();
}

/// Requests of the previous release hold locks that a migration needs, and the role has a limit for such waits.
#[actix_web::test]
async fn a_start_that_is_blocked_by_a_lock_tries_again() {
    let db = TestDb::empty(Database::Postgres);
    let holder = hold_migrations(&db.parsed_url());
    let separator = if db.url().contains('?') { '&' } else { '?' };
    let url = format!("{}{separator}options=-c%20lock_timeout%3D200ms", db.url());
    let process = Process::start_unready(&url, &[]);
    process.live_log().wait_for("canceling statement due to lock timeout; trying again");
    drop(holder); // rolls back
    process.wait_until_ready().await;
    process.register(ADA).await.created();
}

/// A full disk, a quota that is used up, or a device that fails for a while.
#[actix_web::test]
async fn a_start_whose_migration_lacked_room_tries_again() {
    for error in [DiskError::Full, DiskError::Quota, DiskError::Broken] {
        let db = TestDb::empty(Database::Sqlite);
        drop(db.connect()); // creates the file
        let disk = FaultyDisk::of(&db);
        disk.fail_after(20, error); // connecting writes a dozen times, migrating hundreds of times
        let process = Process::start_unready(db.url(), &disk.variables());
        process.live_log().wait_for("start.waiting: a migration failed");
        disk.recover();
        process.wait_until_ready().await;
        process.register(ADA).await.created();
    }
}

#[actix_web::test]
async fn a_start_whose_migration_lacked_room_on_the_server_tries_again() {
    let db = TestDb::empty(Database::Postgres);
    db.execute(
        "CREATE FUNCTION fail() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
            RAISE disk_full USING MESSAGE = 'could not extend file \"base/1/2\": No space left on device';
         END $$",
    );
    db.execute(
        "CREATE EVENT TRIGGER full_disk ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION fail()",
    );
    let process = Process::start_unready(db.url(), &[]);
    process.live_log().wait_for("start.waiting: a migration failed");
    db.execute("DROP EVENT TRIGGER full_disk");
    process.wait_until_ready().await;
    process.register(ADA).await.created();
}

async fn a_migration_that_fails_ends_the_start_and_changes_nothing(database: Database) {
    let db = TestDb::empty(database);
    db.execute("CREATE TABLE sessions (of_somebody_else int)");
    let (status, output) = try_start(db.url()).await;
    assert!(!status.success());
    assert!(output.contains("api: a migration failed") && output.contains("already exists"), "{output}");
    assert_eq!(db.tables(), ["sessions"]);
    assert_eq!(db.columns("sessions"), ["of_somebody_else"]);
}

/// A migration only adds what the previous release ignores, so that a release can be rolled back.
async fn a_release_works_on_the_schema_of_the_next_one(database: Database) {
    let db = TestDb::migrated(database);
    create_user(&db, ADA);
    db.execute("ALTER TABLE users ADD COLUMN of_the_next_release int");
    db.execute("CREATE TABLE of_the_next_release (id int)");
    db.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('99999999999999')");

    let process = Process::start(db.url());
    let tokens = process.login(ADA).await;
    process.refresh(&tokens, None).await.tokens();
    process.wait_until_ready().await;
    process.live_log().wait_for("migrations.unknown: the database was migrated by a newer release, or by one with another feature: 99999999999999");
    assert_eq!(db.number("SELECT count(*) FROM __diesel_schema_migrations WHERE version = '99999999999999'"), 1);
}

/// How many first starts a test makes, and how many of them at once.
const FIRST_STARTS: usize = 20;
const STARTS_AT_ONCE: usize = 4;
/// How many clients probe `/readyz` of a process, without a pause.
const PROBES: usize = 4;

/// Probes from the moment that the process listens until it is ready or has ended.
async fn probe_until_ready(process: &Process, responses: &AtomicUsize) {
    let over = AtomicBool::new(false);
    let probes = (0..PROBES).map(|_| async {
        while !over.load(Ordering::SeqCst) {
            let response = process.request(Method::GET, "/readyz").send().await;
            responses.fetch_add(1, Ordering::SeqCst);
            let ready = response.as_ref().map_or(true, |response| response.status().is_success());
            over.fetch_or(ready, Ordering::SeqCst);
        }
    });
    futures_util::future::join_all(probes).await;
}

/// Lets the migration and the probes overlap: the migration waits for diesel's table, and each probe gets a response or
/// waits, too.
async fn hold_until_both_wait(db: &TestDb, mut holder: AnyConnection, responses: &AtomicUsize) {
    const WAITING: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
        AND wait_event_type = 'Lock' AND wait_event <> 'advisory'";
    eventually("a migration waits", async || (db.number(WAITING) > 0).then_some(())).await;
    let before = responses.load(Ordering::SeqCst);
    let overlap = || responses.load(Ordering::SeqCst) > before + PROBES || db.number(WAITING) > 1;
    eventually("probes get a response, or wait", async || overlap().then_some(())).await;
    execute(&mut holder, "ROLLBACK");
}

/// `processes` first starts on one empty database.
async fn start_probed(processes: usize) {
    let db = TestDb::empty(Database::Postgres);
    let mut holder = db.connect();
    execute(&mut holder, "SET idle_in_transaction_session_timeout = 0");
    execute(&mut holder, "BEGIN");
    execute(&mut holder, "CREATE TABLE __diesel_schema_migrations (version text)");
    let starts = (0..processes).map(|_| {
        let url = db.url().to_owned();
        tokio::task::spawn_blocking(move || Process::start_unready(&url, &[]))
    });
    let started = futures_util::future::join_all(starts).await;
    let started: Vec<Process> = started.into_iter().map(Result::unwrap).collect();
    let responses = AtomicUsize::new(0);
    let probed = futures_util::future::join_all(started.iter().map(|process| probe_until_ready(process, &responses)));
    tokio::join!(probed, hold_until_both_wait(&db, holder, &responses));
    for process in started {
        let ready = process.request(Method::GET, "/readyz").send().await;
        let ready = ready.unwrap_or_else(|error| panic!("{error}: {}", process.log().join("\n")));
        assert!(ready.status().is_success(), "{}", process.log().join("\n"));
    }
    assert_eq!(db.tables(), TestDb::of_the_program(Database::Postgres).tables());
}

/// Platforms probe a process from the moment that it starts.
async fn first_starts_come_up(processes: usize) {
    for _ in 0..FIRST_STARTS / STARTS_AT_ONCE {
        futures_util::future::join_all((0..STARTS_AT_ONCE).map(|_| start_probed(processes))).await;
    }
}

#[actix_web::test]
async fn a_first_start_that_is_probed_comes_up() {
    first_starts_come_up(1).await;
}

#[actix_web::test]
async fn two_first_starts_that_are_probed_both_come_up() {
    first_starts_come_up(2).await;
}

/// The process would end instead of trying again.
async fn a_failed_query_is_not_mistaken_for_a_missing_table(database: Database) {
    let db = TestDb::migrated(database);
    let mut other = db.connect();
    let mut connection = match &mut other {
        AnyConnection::Postgres(_) => {
            let AnyConnection::Postgres(mut aborted) = db.connect() else { panic!("not PostgreSQL") };
            aborted.batch_execute("BEGIN").unwrap();
            aborted.batch_execute("SELECT 1 / 0").unwrap_err();
            AnyConnection::Postgres(aborted)
        }
        AnyConnection::Sqlite(writer) => {
            // Without its log, SQLite lets a writer keep readers out.
            writer.batch_execute("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE").unwrap();
            let path = db.url().strip_prefix("sqlite:").unwrap();
            AnyConnection::Sqlite(SqliteConnection::establish(path).unwrap())
        }
    };
    layouts::users().absence(&mut connection).unwrap_err();
    drop(other);
    drop(connection);
    assert_eq!(layouts::users().absence(&mut db.connect()), Ok(None));
}
