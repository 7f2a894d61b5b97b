//! A process that is killed, that panics, or whose log is not read.

use crate::support::{
    Database, Process, TestApp, TestDb, create_user, eventually, forge, on_both_databases, raw, send,
};
use actix_web::middleware::from_fn;
use actix_web::{App, HttpResponse, HttpServer, web};
use api::http::middleware::{catch_panics, finish};
use api::store::AnyConnection;
use auth_types::requests::RefreshRequest;
use auth_types::responses::TokenResponse;
use diesel::connection::SimpleConnection;
use futures_util::FutureExt;
use reqwest::Method;
use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

on_both_databases![
    a_process_killed_before_the_commit_loses_no_session,
    a_process_killed_among_many_refreshes_has_stored_each_that_it_confirmed,
    a_panic_in_a_transaction_rolls_it_back_and_releases_its_locks,
];

const ADA: &str = "ada@example.com";
const KEY: &str = "attempt-1";
const METRICS_TOKEN: &str = "a-token-for-the-operators-eyes";

/// Keeps other connections from changing a session until it is dropped.
fn hold_sessions(db: &TestDb) -> AnyConnection {
    let mut holder = db.connect();
    match &mut holder {
        AnyConnection::Postgres(postgres) => postgres.batch_execute("BEGIN; LOCK TABLE sessions IN EXCLUSIVE MODE"),
        AnyConnection::Sqlite(sqlite) => sqlite.batch_execute("BEGIN IMMEDIATE"),
    }
    .unwrap();
    holder
}

async fn a_process_killed_before_the_commit_loses_no_session(database: Database) {
    let db = TestDb::migrated(database);
    create_user(&db, ADA);
    let api = Process::start_with(db.url(), &[("REFRESH_LEEWAY", "0")]);
    let first = api.login(ADA).await;
    let holder = hold_sessions(&db);
    let body = serde_json::to_string(&RefreshRequest { refresh: first.refresh.clone() }).unwrap();
    let mut unread = TcpStream::connect(api.address()).await.unwrap();
    let head = "POST /api/auth/refresh/ HTTP/1.1\r\nHost: api\r\nContent-Type: application/json\r\nIdempotency-Key: attempt-1\r\nContent-Length:";
    unread.write_all(format!("{head} {}\r\n\r\n{body}", body.len()).as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await; // so that it waits for the lock
    api.kill();
    drop(holder);
    if database == Database::Sqlite {
        assert_eq!(db.number("SELECT generation FROM sessions"), 1);
    } // PostgreSQL has the statement, and executes it although its client is gone.

    let api = Process::start_with(db.url(), &[("REFRESH_LEEWAY", "0")]);
    let second = api.refresh(&first, Some(KEY)).await.tokens();
    assert_eq!(db.number("SELECT generation FROM sessions"), 2);
    api.refresh(&second, None).await.tokens();
}

/// Refreshes with a key of its own for each generation. Returns `None` once the process is gone.
async fn refresh_once(api: &Process, tokens: &TokenResponse) -> Option<TokenResponse> {
    let request = api.request(Method::POST, "/api/auth/refresh/").header("Idempotency-Key", key_of(tokens));
    let response = request.json(&RefreshRequest { refresh: tokens.refresh.clone() }).send().await.ok()?;
    response.json().await.ok()
}

fn key_of(tokens: &TokenResponse) -> String {
    format!("generation {}", forge::claims(&tokens.refresh)["gen"])
}

/// Requests that arrive together may share a commit, but none is confirmed before it.
async fn a_process_killed_among_many_refreshes_has_stored_each_that_it_confirmed(database: Database) {
    const SESSIONS: usize = 16;
    const CONFIRMED: usize = 20 * SESSIONS;
    let db = TestDb::migrated(database);
    create_user(&db, ADA);
    let api = Process::start_with(db.url(), &[("REFRESH_LEEWAY", "0")]);
    let mut sessions = Vec::new();
    for _ in 0..SESSIONS {
        sessions.push(api.login(ADA).await);
    }
    let confirmed = Cell::new(0);
    let (api_ref, confirmed_ref) = (&api, &confirmed);
    let refreshing = sessions.into_iter().map(|mut tokens| async move {
        while let Some(next) = refresh_once(api_ref, &tokens).await {
            confirmed_ref.set(confirmed_ref.get() + 1);
            tokens = next;
        }
        tokens
    });
    let kill = async {
        eventually("many are confirmed", async || (confirmed.get() >= CONFIRMED).then_some(())).await;
        let kill = std::process::Command::new("kill").args(["-KILL", &api.id().to_string()]).status();
        assert!(kill.unwrap().success());
    };
    let (sessions, ()) = tokio::join!(futures_util::future::join_all(refreshing), kill);

    let api = Process::start_with(db.url(), &[("REFRESH_LEEWAY", "0")]);
    for tokens in sessions {
        let claims = forge::claims(&tokens.refresh);
        let (session, confirmed) = (claims["sid"].as_str().unwrap(), claims["gen"].as_i64().unwrap());
        let stored = db.number(&format!("SELECT generation FROM sessions WHERE id = '{session}'"));
        assert!(stored == confirmed || stored == confirmed + 1, "{stored} is stored, {confirmed} was confirmed");
        api.refresh(&tokens, Some(&key_of(&tokens))).await.tokens();
    }
}

async fn a_panic_in_a_transaction_rolls_it_back_and_releases_its_locks(database: Database) {
    let app = TestApp::builder(database).set("DATABASE_POOL_SIZE", "1").user(ADA).start().await;
    let tokens = app.login(ADA).await;
    for _ in 0..3 {
        let work = app.services().store.write(|connection| {
            let sql = "UPDATE users SET is_active = false";
            match connection {
                AnyConnection::Postgres(postgres) => postgres.batch_execute(sql)?,
                AnyConnection::Sqlite(sqlite) => sqlite.batch_execute(sql)?,
            }
            panic!("on purpose") as Result<(), _>
        });
        // The caller panics, too: its request is a 500, by the layer that the test below is about.
        assert!(AssertUnwindSafe(work).catch_unwind().await.is_err());
    }
    app.me(&tokens).await.done();
    app.refresh(&tokens).await.tokens();
    assert_eq!(app.db().number("SELECT count(*) FROM users WHERE is_active"), 1);
}

#[actix_web::test]
async fn a_handler_that_panics_is_a_500_and_the_worker_continues() {
    let app = TestApp::builder(Database::Sqlite).start().await;
    let services = app.services().clone();
    let panicking = move || {
        let resource = web::resource("/panic").wrap(from_fn(catch_panics));
        let resource = resource.route(web::get().to(async || -> HttpResponse { panic!("a secret of ours") }));
        App::new().app_data(services.clone()).service(resource).wrap(from_fn(finish))
    };
    let server = HttpServer::new(panicking).workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
    let address = server.addrs()[0];
    let server = server.run();
    let handle = server.handle();
    let serving = actix_web::rt::spawn(server);
    for _ in 0..3 {
        let request = b"GET /panic HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n";
        let response = raw::exchange(address, request).await.expect("closed without a response");
        response.problem(500);
        assert!(!response.text().contains("secret"), "{}", response.text());
    }
    handle.stop(false).await;
    serving.await.unwrap().unwrap();
}

#[actix_web::test]
async fn a_log_that_is_not_read_blocks_no_request() {
    let db = TestDb::migrated(Database::Sqlite);
    create_user(&db, ADA);
    let api = Process::start_with(
        db.url(),
        &[
            ("APP_ENV", "production"),
            ("RUST_LOG", "trace"),
            ("RATE_LIMITS", "on"),
            ("BCRYPT_COST", "10"),
            ("METRICS_TOKEN", METRICS_TOKEN),
        ],
    );
    let tokens = api.login(ADA).await;
    api.live_log().stop_reading(true);
    // Each writes many lines, a pipe holds 64 KiB, the queue 8,192 lines.
    for _ in 0..40 {
        let healthz = futures_util::future::join_all((0..25).map(|_| api.get("/healthz")));
        healthz.await.into_iter().for_each(crate::support::TestResponse::done);
    }
    api.me(&tokens).await.done();

    api.live_log().stop_reading(false);
    // The gap is logged, in the format of the other lines.
    let gap = eventually("the gap is logged", async || {
        api.get("/healthz").await.done();
        api.log().into_iter().find(|line| line.contains("log.dropped"))
    });
    let gap: serde_json::Value = serde_json::from_str(&gap.await).unwrap();
    assert!(gap["lines_total"].as_i64().unwrap() > 0, "{gap}");
    let metrics = send(api.request(Method::GET, "/metrics").bearer_auth(METRICS_TOKEN)).await.text();
    let count = metrics.lines().find_map(|line| line.strip_prefix("latchkey_log_lines_dropped_total "));
    assert!(count.unwrap().parse::<i64>().unwrap() >= gap["lines_total"].as_i64().unwrap(), "{metrics}");
}
