//! More connections than the server keeps: the one that has waited for its client the longest is closed, and no other is
//! affected. All timeouts are longer than these tests.

use crate::support::{Builder, DEADLINE, Database, PASSWORD, TestApp, eventually, hold_hashing, raw};
use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

const ADA: &str = "ada@example.com";
/// Of the sixteen connections, twelve may stay open.
const MAX_CONNECTIONS: usize = 16;
const MAX_KEPT: usize = 12;
const SLOW: usize = 48;

/// Behind a proxy, so that all connections may have one address.
fn builder() -> Builder {
    TestApp::builder(Database::Sqlite).user(ADA).limited().connections(MAX_CONNECTIONS).timeouts(|timeouts| {
        let long = Duration::from_mins(10);
        (timeouts.head, timeouts.contended, timeouts.body) = (long, long, long);
        (timeouts.idle, timeouts.idle_contended, timeouts.response) = (long, long, long);
        timeouts.grace = Duration::ZERO;
    })
}

/// What a client sends before it makes the API wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slow {
    Silent,
    Idle,
    Head,
    Body,
}

const KINDS: [Slow; 4] = [Slow::Silent, Slow::Idle, Slow::Head, Slow::Body];

impl Slow {
    fn begin(self, client: usize) -> String {
        match self {
            Self::Silent => String::new(),
            Self::Idle => "GET /healthz HTTP/1.1\r\nHost: api\r\n\r\n".to_owned(),
            Self::Head => "GET /healthz HTTP/1.1\r\nHost: a".to_owned(),
            Self::Body => format!(
                "POST /api/auth/login/ HTTP/1.1\r\nHost: api\r\nX-Forwarded-For: 203.0.113.{client}\r\n\
                 Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{{"
            ),
        }
    }

    /// What completes the last request, and the status that it gets.
    fn rest(self) -> (String, &'static str) {
        match self {
            Self::Silent | Self::Idle => ("GET /healthz HTTP/1.1\r\nHost: api\r\n\r\n".to_owned(), "200"),
            Self::Head => ("pi\r\n\r\n".to_owned(), "200"),
            Self::Body => (" ".repeat(49), "400"),
        }
    }
}

async fn connect(app: &TestApp) -> TcpStream {
    let connected = tokio::time::timeout(DEADLINE, TcpStream::connect(app.address())).await;
    connected.expect("no connection in time").unwrap()
}

async fn open(app: &TestApp, slow: Slow, client: usize) -> TcpStream {
    let mut stream = connect(app).await;
    stream.write_all(slow.begin(client).as_bytes()).await.unwrap();
    if slow == Slow::Idle {
        assert_eq!(read_status(&mut stream).await, "200");
        eventually("the response is read", async || {
            let mut rest = [0; 4096];
            stream.try_read(&mut rest).is_ok_and(|read| rest[..read].ends_with(b"}")).then_some(())
        })
        .await;
    }
    stream
}

async fn read_status(stream: &mut TcpStream) -> String {
    let mut start = [0; 12];
    let read = tokio::time::timeout(DEADLINE, stream.read_exact(&mut start)).await.expect("no response in time");
    read.expect("closed without a response");
    String::from_utf8_lossy(&start[9..]).into_owned()
}

/// What arrives until the API closes the connection.
async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut rest = Vec::new();
    let read = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut rest)).await.expect("it stays open");
    read.expect("broken");
    String::from_utf8(rest).unwrap()
}

async fn assert_new_connection_is_served(app: &TestApp) {
    let request = b"GET /healthz HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n";
    raw::exchange(app.address(), request).await.expect("closed without a response").has_status(200);
}

#[actix_web::test]
async fn new_connections_are_served_and_the_longest_waiting_are_closed() {
    let app = builder().start().await;
    let mut slow = Vec::new();
    for (number, kind) in KINDS.into_iter().cycle().take(SLOW).enumerate() {
        slow.push((kind, open(&app, kind, number).await));
        assert_new_connection_is_served(&app).await;
    }
    let newest = slow.split_off(SLOW - MAX_KEPT + 2);
    for (kind, mut stream) in slow.drain(..SLOW - MAX_KEPT) {
        let response = read_to_end(&mut stream).await;
        let expected = if matches!(kind, Slow::Head | Slow::Body) { "HTTP/1.1 408 " } else { "" };
        assert!(response.starts_with(expected) && response.is_empty() == expected.is_empty(), "{kind:?}: {response}");
    }
    for (kind, mut stream) in newest {
        let (rest, status) = kind.rest();
        stream.write_all(rest.as_bytes()).await.unwrap();
        assert_eq!(read_status(&mut stream).await, status, "{kind:?}");
    }
    assert!(app.counter("connections_displaced") >= (SLOW - MAX_KEPT) as u64);
    assert_eq!(app.counter("connections_refused"), 0);
}

#[actix_web::test]
async fn a_displaced_connection_may_finish_its_request() {
    let app = builder().timeouts(|timeouts| timeouts.grace = timeouts.head).start().await;
    let mut slow = Vec::new();
    for (number, kind) in [Slow::Head, Slow::Body].into_iter().cycle().take(MAX_KEPT + 2).enumerate() {
        slow.push((kind, open(&app, kind, number).await));
    }
    let displaced = || app.counter("connections_displaced") == 2;
    eventually("two are too many", async || displaced().then_some(())).await;
    for (kind, mut stream) in slow.drain(..2) {
        let (rest, status) = kind.rest();
        stream.write_all(rest.as_bytes()).await.unwrap();
        assert_eq!(read_status(&mut stream).await, status, "{kind:?}");
        // Then the connection closes, without waiting for another request.
        read_to_end(&mut stream).await;
    }
}

#[actix_web::test]
async fn a_request_in_progress_is_not_displaced() {
    let app = builder().start().await;
    let held = hold_hashing(&app, 0).await;
    let body = json!({"email": ADA, "password": PASSWORD}).to_string();
    let request = format!(
        "POST /api/auth/login/ HTTP/1.1\r\nHost: api\r\nX-Forwarded-For: 198.51.100.1\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut sign_in = connect(&app).await;
    sign_in.write_all(request.as_bytes()).await.unwrap();
    eventually("it waits to be hashed", async || (app.services().hashing.load().0 == 1).then_some(())).await;
    let mut slow = Vec::new();
    for (number, kind) in KINDS.into_iter().cycle().take(SLOW).enumerate() {
        slow.push(open(&app, kind, number).await);
    }
    assert_new_connection_is_served(&app).await;
    drop(held);
    assert_eq!(read_status(&mut sign_in).await, "200");
}

#[actix_web::test]
async fn clients_that_do_not_read_responses_keep_no_others_out() {
    let app = builder().start().await;
    // More than the system buffers for a client whose window is small.
    let requests = "GET /api/openapi.json HTTP/1.1\r\nHost: api\r\n\r\n".repeat(200);
    let mut not_reading = Vec::new();
    for _ in 0..MAX_CONNECTIONS + 8 {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4 * 1024).unwrap();
        let connected = tokio::time::timeout(DEADLINE, socket.connect(app.address())).await;
        let mut stream = connected.expect("no connection in time").unwrap();
        let _ = stream.write_all(requests.as_bytes()).await;
        not_reading.push(stream);
        assert_new_connection_is_served(&app).await;
    }
    assert!(app.counter("connections_displaced") >= 8);
}
