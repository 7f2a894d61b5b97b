//! `api check`: each finding, provoked; and a deployment in order, which has none.

use crate::support::servers::{Files, Server, nobody};
use crate::support::{Database, ManualClock, TestDb, on_both_databases};
use api::check::{RULES, Report, configuration, deployment};
use api::clock::{Clock, SharedClock, SystemClock};
use api::config::{Inspection, VARIABLES, Variable, Variables};
use std::collections::BTreeSet;
use std::process::{Command, Output};
use std::sync::Arc;

on_both_databases![
    a_schema_that_lacks_migrations_is_found_and_left_alone,
    a_clock_that_is_far_off_is_found,
    a_check_changes_nothing_in_the_database,
];

/// A production that has nothing to be told about, by what is configured.
const IN_ORDER: &[(&str, &str)] = &[
    ("APP_ENV", "production"),
    ("SECRET_KEY", "Zq7vK2mXw9bT4cR8nL5hJ3gF6dS1aP0yUeIo"),
    ("DATABASE_URL", "postgres://latchkey:b6Yt%40Rk2@db.example.com/latchkey"),
    ("CORS_ALLOWED_ORIGINS", "https://app.example.com"),
    ("SESSION_COOKIE_DOMAIN", ".example.com"),
    ("TRUSTED_PROXY_HOPS", "1"),
    ("EMAIL_URL", "smtps://latchkey:n4Xw8pQe@mail.example.com"),
    ("EMAIL_FROM", "no-reply@example.com"),
    ("AWS_ACCESS_KEY_ID", "AKIA1234"),
    ("AWS_SECRET_ACCESS_KEY", "h2Lk9sDf7aPq3ZxC"),
    ("AWS_STORAGE_BUCKET_NAME", "pictures"),
    ("AWS_S3_ENDPOINT_URL", "https://account.r2.cloudflarestorage.com"),
    ("REDIS_URL", "rediss://:t5Gv1mNb@redis.example.com:6380"),
    ("METRICS_TOKEN", "w3Er6tYu8iOp0aSd"),
];

/// The production in order with some variables changed; a blank value takes one away.
fn with(changes: &[(&str, &str)]) -> Variables {
    let all = IN_ORDER.iter().chain(changes);
    all.fold(Variables::default(), |variables, (name, value)| variables.with(name, *value))
}

fn check(changes: &[(&str, &str)]) -> Report {
    configuration(&Inspection::of(with(changes)))
}

fn ids(report: &Report) -> Vec<&'static str> {
    report.findings.iter().map(|finding| finding.rule.id).collect()
}

fn message(report: &Report, id: &str) -> String {
    let finding = report.findings.iter().find(|finding| finding.rule.id == id);
    finding.unwrap_or_else(|| panic!("{id} is not in {report}")).message.clone()
}

#[test]
fn a_configuration_in_order_has_no_finding() {
    assert_eq!(check(&[]).to_string(), "errors: 0, warnings: 0, for information: 0");
}

/// What is changed in the production in order, and what is found then.
type Provoked = (&'static [(&'static str, &'static str)], &'static [&'static str]);

const PROVOKED: &[Provoked] = &[
    (&[("DEBUG", "True")], &["config.refused"]),
    (&[("CORS_ALLOWED_ORIGINS", "*")], &["config.refused"]),
    (&[("CORS_ALLOWED_ORIGINS", "https://app.example.com/")], &["config.refused"]),
    (&[("CORS_ALLOWED_ORIGINS", "https://app.example.com/login")], &["config.refused"]),
    (&[("SECRET_KEY", "too short")], &["config.refused"]),
    (&[("SECRET_KEY", "")], &["config.refused"]),
    (&[("SECRET_KEY", ""), ("DJANGO_SECRET_KEY", "too short")], &["config.refused"]),
    (&[("REFRESH_LEEWAY", "0")], &["refresh.strict"]),
    (&[("RATE_LIMITS", "off")], &["config.refused", "limits.off"]),
    (&[("EMAIL_FROM", "")], &["config.refused"]),
    (&[("SECRET_KEYS", "x")], &["config.misspelt"]),
    (&[("CORS_ALLOWED_ORIGIN", "x")], &["config.misspelt"]),
    (&[("SECRET_KEY", "your-super-secret-key-here-make-it-long-and-random")], &["secrets.placeholder"]),
    (&[("METRICS_TOKEN", "CHANGE-ME-CHANGE-ME")], &["secrets.placeholder"]),
    (&[("AWS_SECRET_ACCESS_KEY", "your_r2_secret_key")], &["secrets.placeholder"]),
    (&[("DATABASE_URL", "postgres://u:your_postgres_password@h/d")], &["secrets.placeholder"]),
    (&[("SECRET_KEY", "django-insecure-q8#v2!k7z0m4x9c6b1n3p5r8t0w2y4")], &["secrets.weak"]),
    (&[("SECRET_KEY", "abcabcabcabcabcabcabcabcabcabcabcabc")], &["secrets.weak"]),
    (&[("SECRET_KEY_FALLBACKS", "abcabcabcabcabcabcabcabcabcabcabcabc")], &["secrets.weak"]),
    (&[("SECRET_KEY_FALLBACKS", "Zq7vK2mXw9bT4cR8nL5hJ3gF6dS1aP0yUeIo")], &["secrets.reused"]),
    (&[("METRICS_TOKEN", "Zq7vK2mXw9bT4cR8nL5hJ3gF6dS1aP0yUeIo")], &["secrets.reused"]),
    (&[("AWS_SECRET_ACCESS_KEY", "b6Yt@Rk2")], &["secrets.reused"]),
    (&[("EMAIL_URL", "smtp://u:t5Gv1mNb@h")], &["secrets.reused"]),
    (&[("REDIS_URL", "")], &["redis.none"]),
    (&[("API_DOCS", "open")], &["docs.open"]),
    (&[("RUST_LOG", "info,api=debug")], &["logs.verbose"]),
    (&[("TRUSTED_PROXY_HOPS", "0")], &["proxy.hops"]),
    (&[("TRUSTED_PROXY_HOPS", "0"), ("RENDER", "true")], &["proxy.hops"]),
    (&[("CORS_ALLOWED_ORIGINS", "")], &["origins.none", "frontend.missing"]),
    (&[("CORS_ALLOWED_ORIGINS", "http://app.example.com")], &["origins.http", "frontend.http"]),
    (&[("CORS_ALLOWED_ORIGINS", "https://app.example.com,http://localhost:8080")], &["origins.localhost"]),
    (&[("CORS_ALLOWED_ORIGINS", "https://app.example.com,http://127.0.0.1:8080")], &["origins.localhost"]),
    (&[("CORS_ALLOWED_ORIGINS", "https://app.example.com,http://[::1]")], &["origins.localhost"]),
    (&[("CSRF_TRUSTED_ORIGINS", "http://old.example.com")], &["origins.http"]),
    (&[("FRONTEND_URL", "http://app.example.com")], &["frontend.http", "frontend.not_allowed"]),
    (&[("FRONTEND_URL", "https://www.example.com/app")], &["frontend.not_allowed"]),
    (&[("SESSION_COOKIE_DOMAIN", ".onrender.com")], &["cookie.public_suffix"]),
    (&[("SESSION_COOKIE_DOMAIN", "co.uk")], &["cookie.public_suffix"]),
    (&[("TOKEN_TRANSPORT", "cookie")], &[]),
    (&[("TOKEN_TRANSPORT", "cookie"), ("SESSION_COOKIE_DOMAIN", "example.org")], &["cookie.cross_site"]),
    (&[("TOKEN_TRANSPORT", "cookie"), ("RENDER_EXTERNAL_HOSTNAME", "api.example.com")], &[]),
    (
        &[
            ("TOKEN_TRANSPORT", "cookie"),
            ("SESSION_COOKIE_DOMAIN", ""),
            ("CORS_ALLOWED_ORIGINS", "https://app.onrender.com"),
            ("RENDER_EXTERNAL_HOSTNAME", "api.onrender.com"),
        ],
        &["cookie.cross_site"],
    ),
    (&[("TOKEN_TRANSPORT", "cookie"), ("SESSION_COOKIE_DOMAIN", "")], &["cookie.site_unknown"]),
    (&[("EMAIL_URL", "")], &["mail.nowhere"]),
    (&[("EMAIL_URL", "file:outbox")], &["mail.nowhere"]),
    (&[("EMAIL_URL", "console:"), ("EMAIL_VERIFICATION", "mandatory")], &["mail.needed", "mail.nowhere"]),
    (&[("DATABASE_URL", "sqlite:/dev/shm/latchkey.sqlite3")], &["database.ephemeral", "database.sqlite"]),
    (&[("AWS_S3_ENDPOINT_URL", "http://minio.example.com")], &["storage.http"]),
];

#[test]
fn each_finding_is_told_and_nothing_else() {
    for (changes, expected) in PROVOKED {
        let report = check(changes);
        assert_eq!(ids(&report), *expected, "{changes:?}: {report}");
    }
}

/// The files are in the working directory then, of which a test does not know on what disk it is.
#[test]
fn files_without_a_bucket_are_told_of() {
    let none = IN_ORDER.iter().filter(|(name, _)| name.starts_with("AWS_")).map(|(name, _)| (*name, ""));
    let report = check(&none.chain([("RENDER", "true")]).collect::<Vec<_>>());
    assert!(ids(&report).contains(&"storage.local"), "{report}");
}

#[test]
fn a_public_suffix_is_explained() {
    let guide = [("SESSION_COOKIE_DOMAIN", ".onrender.com")];
    let finding = check(&guide).findings.remove(0);
    assert_eq!(finding.variable.as_deref(), Some("SESSION_COOKIE_DOMAIN"));
    assert!(finding.message.contains("browsers drop"), "{finding}");
    assert!(finding.rule.remedy.contains("a domain of your own"), "{finding}");
}

#[test]
fn what_is_refused_is_told_with_its_variable_and_the_rest_is_still_checked() {
    let report =
        check(&[("PORT", "http"), ("DATABASE_URL", "mysql://x"), ("CORS_ALLOWED_ORIGINS", "*,http://a.example")]);
    let refused = report.findings.iter().filter(|finding| finding.rule.id == "config.refused");
    let variables: Vec<_> = refused.filter_map(|finding| finding.variable.as_deref()).collect();
    assert_eq!(variables, ["PORT", "DATABASE_URL", "CORS_ALLOWED_ORIGINS"]);
    assert!(ids(&report).contains(&"origins.http"));
    assert!(!ids(&report).contains(&"database.sqlite"), "nobody asked for SQLite");
}

#[test]
fn a_developers_machine_is_in_order_as_it_is() {
    let report = configuration(&Inspection::of(Variables::default()));
    assert_eq!(ids(&report), [""; 0], "{report}");
}

/// What nobody can tell without asking, each provoked for real below.
const ASKED: &[&str] = &[
    "environment.development",
    "storage.ephemeral",
    "storage.local",
    "database.unreachable",
    "database.migrations",
    "database.clock",
    "mail.unreachable",
    "storage.unreachable",
    "redis.unreachable",
    "hashing.fast",
    "hashing.slow",
];

#[test]
fn every_rule_is_provoked_somewhere() {
    let provoked = PROVOKED.iter().flat_map(|(_, expected)| *expected).chain(ASKED);
    assert_eq!(provoked.copied().collect::<BTreeSet<_>>(), RULES.iter().map(|rule| rule.id).collect());
}

fn system_clock() -> SharedClock {
    Arc::new(SystemClock)
}

async fn deploy(variables: Variables) -> Report {
    deployment(&Inspection::of(variables), &system_clock()).await
}

/// A developer's machine on this database, which hashes quickly.
fn development(database_url: &str) -> Variables {
    Variables::default().with("DATABASE_URL", database_url).with("BCRYPT_COST", "4")
}

/// The servers of a deployment in order.
struct Surroundings {
    mail: Server,
    bucket: Server,
    redis: Server,
    files: Arc<Files>,
}

impl Surroundings {
    fn new() -> Self {
        let files = Arc::new(Files::default());
        let bucket = Server::bucket(Some(Arc::clone(&files)));
        Self { mail: Server::mail("n4Xw8pQe"), bucket, redis: Server::redis(), files }
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
async fn a_deployment_in_order_has_no_finding() {
    let (db, around) = (TestDb::migrated(Database::Postgres), Surroundings::new());
    let report = deploy(around.variables(&db)).await;
    // The bucket of this test speaks no TLS; and how quick a machine is that runs all tests at once, no test should judge.
    let found: Vec<_> = ids(&report).into_iter().filter(|id| !id.starts_with("hashing.")).collect();
    assert_eq!(found, ["storage.http"], "{report}");
    assert!(around.files.lock().unwrap().is_empty(), "the object is still there");
}

#[actix_web::test]
async fn what_does_not_answer_is_found() {
    let closed = nobody();
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

/// A firewall that swallows everything looks like this: the check ends all the same.
#[actix_web::test]
async fn what_never_answers_is_found_too() {
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
async fn what_refuses_us_is_found() {
    let (db, around, closed) = (TestDb::migrated(Database::Postgres), Surroundings::new(), Server::bucket(None));
    let mut url = url::Url::parse(db.url()).unwrap();
    url.set_path("no_such_database");
    let variables = around
        .variables(&db)
        .with("DATABASE_URL", url)
        .with("EMAIL_URL", format!("smtp://latchkey:another@{}", around.mail.address()))
        .with("AWS_S3_ENDPOINT_URL", format!("http://{}", closed.address()));
    let report = deploy(variables).await;
    assert!(message(&report, "database.unreachable").contains("no_such_database"), "{report}");
    assert!(message(&report, "mail.unreachable").contains("535"), "{report}");
    assert!(message(&report, "storage.unreachable").contains("cannot write"), "{report}");
}

/// A folder cannot be made in a file, whoever asks.
#[actix_web::test]
async fn folders_that_take_no_file_are_found() {
    let around = Surroundings::new();
    let db = TestDb::migrated(Database::Sqlite);
    let none = IN_ORDER.iter().filter(|(name, _)| name.starts_with("AWS_")).map(|(name, _)| (*name, ""));
    let variables = none
        .fold(around.variables(&db), |variables, (name, value)| variables.with(name, value))
        .with("DATABASE_URL", "sqlite:/proc/latchkey/latchkey.sqlite3")
        .with("EMAIL_URL", "file:/proc/latchkey/outbox");
    let report = deploy(variables).await;
    for id in ["database.unreachable", "mail.unreachable"] {
        assert!(message(&report, id).contains("/proc cannot be written to"), "{report}");
    }
    assert!(ids(&report).contains(&"storage.local"));
}

#[actix_web::test]
async fn a_password_hashed_too_quickly_or_too_slowly_is_found() {
    let unreachable = format!("postgres://u:p@{}/latchkey", nobody());
    for (cost, id) in [("4", "hashing.fast"), ("15", "hashing.slow")] {
        let report = deploy(development(&unreachable).with("BCRYPT_COST", cost)).await;
        assert!(message(&report, id).contains(&format!("at cost {cost}")), "{report}");
    }
}

/// A deployment is judged as production, and told that it is not.
#[actix_web::test]
async fn a_developers_machine_is_not_fit_for_the_internet() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new.sqlite3");
    let report = deploy(development(&format!("sqlite:{}", file.display()))).await;
    for id in ["environment.development", "origins.localhost", "mail.nowhere", "database.sqlite", "database.migrations"]
    {
        message(&report, id);
    }
    assert!(!file.exists(), "the check made a database");
}

async fn a_schema_that_lacks_migrations_is_found_and_left_alone(database: Database) {
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

async fn a_clock_that_is_far_off_is_found(database: Database) {
    let db = TestDb::migrated(database);
    let clock = Arc::new(ManualClock::new());
    let inspection = Inspection::of(development(db.url()));
    clock.set(SystemClock.now() + chrono::Duration::seconds(60));
    let shared: SharedClock = clock.clone();
    assert!(message(&deployment(&inspection, &shared).await, "database.clock").contains("differ by"));
    clock.set(SystemClock.now());
    assert!(!ids(&deployment(&inspection, &shared).await).contains(&"database.clock"));
}

async fn a_check_changes_nothing_in_the_database(database: Database) {
    let (empty, full) = (TestDb::empty(database), TestDb::migrated(database));
    for db in [&empty, &full] {
        let (tables, content) = (all_tables(db), db.content());
        deploy(development(db.url())).await;
        assert_eq!((all_tables(db), db.content()), (tables, content));
    }
}

/// diesel's own, too.
fn all_tables(db: &TestDb) -> i64 {
    db.number(match db.database() {
        Database::Sqlite => "SELECT count(*) FROM sqlite_schema",
        Database::Postgres => "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'",
    })
}

/// Runs the program itself in a folder of its own.
fn api(arguments: &[&str], variables: &[(&str, &str)]) -> (Output, usize) {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_api"))
        .args(arguments)
        .current_dir(folder.path())
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    (output, left)
}

fn run(arguments: &[&str], changes: &[(&str, &str)]) -> (Option<i32>, String) {
    let variables: Vec<_> = IN_ORDER.iter().chain(changes).copied().collect();
    let (output, _) = api(arguments, &variables);
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_exit_code_tells_how_bad_it_is() {
    for (arguments, changes, code) in [
        (&["check"][..], &[][..], 0),
        (&["check"], &[("REDIS_URL", "")], 0),
        (&["check", "--fail-level", "info"], &[("REDIS_URL", "")], 1),
        (&["check"], &[("TRUSTED_PROXY_HOPS", "0")], 1),
        (&["check", "--fail-level", "error"], &[("TRUSTED_PROXY_HOPS", "0")], 0),
        (&["check"], &[("CORS_ALLOWED_ORIGINS", "http://app.example.com")], 2),
        (&["check"], &[("PORT", "http")], 2),
    ] {
        let (status, said) = run(arguments, changes);
        assert_eq!(status, Some(code), "{arguments:?} {changes:?}: {said}");
    }
}

#[test]
fn machines_read_one_json_object() {
    let (_, said) = run(&["check", "--json"], &[("TRUSTED_PROXY_HOPS", "0"), ("REDIS_URL", "")]);
    let report: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(report["worst"], "warning");
    let findings = report["findings"].as_array().unwrap();
    let ids: Vec<_> = findings.iter().map(|finding| finding["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["proxy.hops", "redis.none"], "the worst first");
    assert_eq!(findings[0]["severity"], "warning");
    assert_eq!(findings[0]["variable"], "TRUSTED_PROXY_HOPS");
    for member in ["message", "remedy"] {
        assert!(findings[0][member].as_str().is_some_and(|text| !text.is_empty()), "{member}");
    }
    let (_, said) = run(&["check", "--json"], &[]);
    assert_eq!(said.split_whitespace().collect::<String>(), r#"{"worst":null,"findings":[]}"#);
}

/// Not even a development machine's key or database.
#[test]
fn a_check_leaves_no_file_behind() {
    for arguments in [&["check"][..], &["check", "--deploy"]] {
        let (output, left) = api(arguments, &[("BCRYPT_COST", "4")]);
        assert_eq!(left, 0, "{output:?}");
    }
}

const MARK: &str = "hunter2";

/// Every variable that holds a secret with [`MARK`] in it, and nobody listening anywhere.
fn marked(password: &str) -> Vec<(&'static str, String)> {
    let closed = nobody();
    let url = |scheme: &str| format!("{scheme}://user:{password}@{closed}/name");
    vec![
        // Refused in production, so that none is hashed here.
        ("BCRYPT_COST", "4".to_owned()),
        ("SECRET_KEY", MARK.repeat(6)),
        ("SECRET_KEY_FALLBACKS", MARK.repeat(7)),
        ("DATABASE_URL", url("postgres")),
        ("EMAIL_URL", url("smtp")),
        ("AWS_SECRET_ACCESS_KEY", MARK.repeat(3)),
        ("AWS_S3_ENDPOINT_URL", format!("http://{closed}")),
        ("REDIS_URL", url("redis")),
        ("METRICS_TOKEN", MARK.repeat(4)),
    ]
}

/// In order, with some variables changed to values made here.
fn production(changes: &[(&str, String)]) -> Variables {
    changes.iter().fold(with(&[]), |variables, (name, value)| variables.with(name, value))
}

/// What is wrong and what cannot be reached is told without it.
#[actix_web::test]
async fn no_secret_is_repeated() {
    let parts = [("DATABASE_URL", String::new()), ("DB_PASSWORD", MARK.repeat(2)), ("DB_HOST", "no host".to_owned())];
    let in_parts = marked(MARK).into_iter().chain(parts).collect();
    let asked = [marked(MARK), marked("hunter2%2Fhunter2%40"), marked("hunter2%zz"), in_parts];
    let asked = asked.iter().map(|changes| deploy(production(changes)));
    let mut reports = futures_util::future::join_all(asked).await;

    for name in VARIABLES.iter().filter(|variable| variable.secret).flat_map(Variable::names) {
        for wrong in
            ["-----BEGIN hunter2", "nonsense://u:hunter2@h", "postgres://u:hunter2@h:port/d#x", "hunter2 \u{e9}"]
        {
            let changes: Vec<_> = marked(MARK).into_iter().chain([(name, wrong.to_owned())]).collect();
            reports.push(configuration(&Inspection::of(production(&changes))));
        }
    }
    for report in reports {
        assert!(report.findings.len() > 2, "{report}");
        let said = format!("{report} {report:?} {}", serde_json::to_string(&report).unwrap());
        assert!(!said.contains(MARK), "{said}");
    }
}

/// A server may repeat what it was told.
#[actix_web::test]
async fn no_secret_that_a_server_repeats_is_printed() {
    let parrot =
        Server::start(|mut client| std::io::Write::write_all(&mut client, b"421 hunter2 and hunter2%2F, go away\r\n"));
    let changes = [("EMAIL_URL", format!("smtp://user:hunter2@{}", parrot.address()))];
    let all: Vec<_> = marked(MARK).into_iter().chain(changes).collect();
    let report = deploy(production(&all)).await;
    assert!(message(&report, "mail.unreachable").contains("***"), "{report}");
    assert!(!report.to_string().contains(MARK), "{report}");
}

#[test]
fn the_program_prints_no_secret() {
    let marked = marked(MARK);
    let texts = marked.iter().map(|(name, value)| (*name, value.as_str()));
    let all: Vec<_> = IN_ORDER.iter().copied().chain(texts).collect();
    for arguments in [&["check", "--deploy"][..], &["check", "--json"], &["serve"]] {
        let (output, _) = api(arguments, &all);
        let said = format!("{output:?}");
        assert!(said.contains("BCRYPT_COST") && !said.contains(MARK), "{arguments:?}: {said}");
    }
}

/// What starts all the same is on the log.
#[test]
fn a_start_in_production_logs_what_it_accepts() {
    let db = TestDb::migrated(Database::Sqlite);
    let mut child = Command::new(env!("CARGO_BIN_EXE_api"))
        .current_dir(tempfile::tempdir().unwrap().path())
        .env_clear()
        .envs(IN_ORDER.iter().copied())
        .envs([("DATABASE_URL", db.url()), ("PORT", "0"), ("SESSION_COOKIE_DOMAIN", ".onrender.com")])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let lines = std::io::BufRead::lines(std::io::BufReader::new(child.stderr.take().unwrap())).map(Result::unwrap);
    let said: Vec<_> = lines.take_while(|line| !line.contains("start.listening")).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    for id in ["check.cookie.public_suffix", "check.database.sqlite"] {
        let line = said.iter().find(|line| line.contains(id)).unwrap_or_else(|| panic!("no {id} in {said:?}"));
        assert!(line.contains("WARN"), "{line}");
    }
}
