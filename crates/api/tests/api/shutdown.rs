//! SIGTERM: what is in flight is answered, what is idle is closed, and nothing holds the end for ever.

use crate::support::{Database, Process, Proxy, TestDb, create_user, eventually, on_both_databases};
use auth_types::Reason;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

on_both_databases![
    idle_connections_do_not_hold_the_end,
    a_process_that_waits_for_its_database_ends_at_once,
    nobody_is_let_in_after_the_signal,
];

const ADA: &str = "ada@example.com";
/// Less than an idle connection may last, and less than requests in flight may take.
const SOON: Duration = Duration::from_secs(15);

async fn ends_soon(process: &mut Process) {
    let status = tokio::time::timeout(SOON, process.exit_status()).await.expect("it does not end");
    assert!(status.success(), "{status}");
}

/// A connection that has had its answer.
async fn idle_connection(process: &Process) -> TcpStream {
    let mut stream = TcpStream::connect(process.address()).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: api\r\n\r\n").await.unwrap();
    assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
    stream
}

async fn idle_connections_do_not_hold_the_end(database: Database) {
    let db = TestDb::migrated(database);
    let mut api = Process::start(db.url());
    let mut idle = Vec::new();
    for _ in 0..8 {
        idle.push(idle_connection(&api).await);
    }
    let silent = TcpStream::connect(api.address()).await.unwrap();
    api.terminate();
    ends_soon(&mut api).await;
    for mut stream in idle.into_iter().chain([silent]) {
        let mut rest = Vec::new();
        assert!(stream.read_to_end(&mut rest).await.is_err() || rest.is_empty());
    }
    api.live_log().wait_for("stop: all requests are finished");
}

async fn a_process_that_waits_for_its_database_ends_at_once(database: Database) {
    let db = TestDb::migrated(database);
    let proxy = (database == Database::Postgres).then(|| Proxy::before(db.server_address()));
    let holder = db.connect();
    let url = match (&proxy, holder) {
        (Some(proxy), _) => {
            proxy.cut();
            db.url_through(proxy.address())
        }
        (None, _) => db.url().to_owned(),
    };
    let mut api = Process::start_unready(&url, &[]);
    api.terminate();
    ends_soon(&mut api).await;
}

async fn nobody_is_let_in_after_the_signal(database: Database) {
    let db = Arc::new(TestDb::migrated(database));
    create_user(&db, ADA);
    // Dear hashing, so that a sign-in is in flight for a while.
    let mut api = Process::start_with(db.url(), &[("BCRYPT_COST", "12")]);
    let wrong = serde_json::json!({"email": ADA, "password": "not the right one"}).to_string();
    let head = "POST /api/auth/login/ HTTP/1.1\r\nHost: api\r\nContent-Type: application/json\r\nContent-Length:";
    let mut in_flight = TcpStream::connect(api.address()).await.unwrap();
    in_flight.write_all(format!("{head} {}\r\n\r\n{wrong}", wrong.len()).as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await; // so that it has arrived
    api.terminate();
    eventually("nobody is let in", async || {
        let Ok(mut late) = TcpStream::connect(api.address()).await else { return Some(()) };
        let _ = late.write_all(b"GET /healthz HTTP/1.1\r\nHost: api\r\n\r\n").await;
        // Taken just before the end, and closed without an answer.
        (!matches!(late.read(&mut [0; 16]).await, Ok(1..))).then_some(())
    })
    .await;
    let mut answer = Vec::new();
    in_flight.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    ends_soon(&mut api).await;
    assert_eq!(db.number("SELECT count(*) FROM auth_events WHERE kind = 'login_failed'"), 1);
}

#[actix_web::test]
async fn a_database_that_does_not_answer_does_not_hold_the_end() {
    let db = TestDb::migrated(Database::Postgres);
    create_user(&db, ADA);
    let proxy = Proxy::before(db.server_address());
    let mut api = Process::start(&db.url_through(proxy.address()));
    let tokens = api.login(ADA).await;
    proxy.stall();
    let stuck = api.refresh(&tokens, Some("attempt-1"));
    let signal = async {
        tokio::time::sleep(Duration::from_millis(200)).await; // so that it has arrived
        api.terminate();
    };
    let (answer, ()) = tokio::join!(stuck, signal);
    // In flight, and so answered; the thread that still waits for the database is left behind.
    answer.failed(503, Reason::Unavailable);
    ends_soon(&mut api).await;

    drop(proxy);
    let generation = db.number("SELECT generation FROM sessions");
    assert!(generation <= 2, "all or nothing");
    let api = Process::start(db.url());
    api.refresh(&tokens, Some("attempt-1")).await.ok();
}
