//! SIGTERM: requests in flight are finished, idle connections are closed, and nothing delays the exit without a bound.

use crate::support::{Database, Process, Proxy, TestDb, create_user, eventually, on_both_databases};
use auth_types::Reason;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

on_both_databases![
    idle_connections_do_not_delay_the_exit,
    a_process_that_waits_for_its_database_exits_at_once,
    no_connection_is_accepted_after_the_signal,
];

const ADA: &str = "ada@example.com";
/// Less than the time limit of an idle connection, and less than that of requests in flight.
const SOON: Duration = Duration::from_secs(15);

async fn exits_soon(process: &mut Process) {
    let status = tokio::time::timeout(SOON, process.exit_status()).await.expect("the process does not exit");
    assert!(status.success(), "{status}");
}

/// A connection that has had its response.
async fn idle_connection(process: &Process) -> TcpStream {
    let mut stream = TcpStream::connect(process.address()).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: api\r\n\r\n").await.unwrap();
    assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
    stream
}

async fn idle_connections_do_not_delay_the_exit(database: Database) {
    let db = TestDb::migrated(database);
    let mut api = Process::start(db.url());
    let mut idle = Vec::new();
    for _ in 0..8 {
        idle.push(idle_connection(&api).await);
    }
    let silent = TcpStream::connect(api.address()).await.unwrap();
    api.terminate();
    exits_soon(&mut api).await;
    for mut stream in idle.into_iter().chain([silent]) {
        let mut rest = Vec::new();
        assert!(stream.read_to_end(&mut rest).await.is_err() || rest.is_empty());
    }
    api.live_log().wait_for("stop: all requests are finished");
}

async fn a_process_that_waits_for_its_database_exits_at_once(database: Database) {
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
    exits_soon(&mut api).await;
}

async fn no_connection_is_accepted_after_the_signal(database: Database) {
    let db = Arc::new(TestDb::migrated(database));
    create_user(&db, ADA);
    // Expensive hashing, so that a sign-in is in flight for a while.
    let mut api = Process::start_with(db.url(), &[("BCRYPT_COST", "12")]);
    let wrong = serde_json::json!({"email": ADA, "password": "not the right one"}).to_string();
    let head = "POST /api/auth/login/ HTTP/1.1\r\nHost: api\r\nContent-Type: application/json\r\nContent-Length:";
    let mut in_flight = TcpStream::connect(api.address()).await.unwrap();
    in_flight.write_all(format!("{head} {}\r\n\r\n{wrong}", wrong.len()).as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await; // so that it has arrived
    api.terminate();
    eventually("no connection is accepted", async || {
        let Ok(mut late) = TcpStream::connect(api.address()).await else { return Some(()) };
        let _ = late.write_all(b"GET /healthz HTTP/1.1\r\nHost: api\r\n\r\n").await;
        // Accepted just before the signal, and closed without a response.
        (!matches!(late.read(&mut [0; 16]).await, Ok(1..))).then_some(())
    })
    .await;
    let mut response = Vec::new();
    in_flight.read_to_end(&mut response).await.unwrap();
    let response = String::from_utf8_lossy(&response).into_owned();
    assert!(response.starts_with("HTTP/1.1 401 "), "{response}");
    exits_soon(&mut api).await;
    assert_eq!(db.number("SELECT count(*) FROM auth_events WHERE kind = 'login_failed'"), 1);
}

#[actix_web::test]
async fn a_database_that_does_not_respond_does_not_delay_the_exit() {
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
    let (response, ()) = tokio::join!(stuck, signal);
    // The request was in flight, so it gets a response; the thread that waits for the database is abandoned.
    response.problem_of(503, Reason::Unavailable);
    exits_soon(&mut api).await;

    drop(proxy);
    let generation = db.number("SELECT generation FROM sessions");
    assert!(generation <= 2, "all or nothing");
    let api = Process::start(db.url());
    api.refresh(&tokens, Some("attempt-1")).await.tokens();
}
