//! Slow clients: each is disconnected, and other clients are not affected.

use crate::support::{DEADLINE, Database, PASSWORD, TestApp, raw, send};
use api::clock::Clock;
use auth_types::Reason;
use auth_types::responses::TokenResponse;
use reqwest::Method;
use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

const ADA: &str = "ada@example.com";
/// For the time-out under test; all others are longer than the test.
const SHORT: Duration = Duration::from_millis(100);
const HEALTHZ: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: api\r\n\r\n";

async fn start(change: impl FnOnce(&mut api::config::Timeouts)) -> TestApp {
    TestApp::builder(Database::Sqlite).user(ADA).timeouts(change).start().await
}

/// Reads one whole response with a body of a known length, and leaves the connection open.
async fn read_response(stream: &mut TcpStream) -> String {
    let mut response = Vec::new();
    let whole = |response: &[u8]| {
        let text = String::from_utf8_lossy(response).to_ascii_lowercase();
        let (head, body) = text.split_once("\r\n\r\n")?;
        let length: usize = head.split("content-length: ").nth(1)?.split("\r\n").next()?.parse().ok()?;
        (body.len() >= length).then_some(())
    };
    while whole(&response).is_none() {
        let read = tokio::time::timeout(DEADLINE, stream.read_buf(&mut response)).await.expect("no response in time");
        assert_ne!(read.unwrap(), 0, "the connection ended after {:?}", String::from_utf8_lossy(&response));
    }
    String::from_utf8(response).unwrap()
}

/// The remaining bytes until the API closes the connection.
async fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    // A reset is an end, too.
    let _ = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut rest)).await.expect("the connection stays open");
    rest
}

#[actix_web::test]
async fn a_head_that_never_ends_is_a_408() {
    let app = start(|timeouts| timeouts.head = SHORT).await;
    let response = raw::exchange(app.address(), b"GET /healthz HTTP/1.1\r\nHost: a").await.unwrap();
    response.problem_of(408, Reason::BodyTimeout);
}

#[actix_web::test]
async fn a_head_that_comes_byte_by_byte_is_a_408() {
    let app = start(|timeouts| timeouts.head = 4 * SHORT).await;
    let mut stream = TcpStream::connect(app.address()).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nX: ").await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let trickle = async {
        while writer.write_all(b"x").await.is_ok() {
            tokio::time::sleep(SHORT / 5).await;
        }
    };
    let mut response = Vec::new();
    let read = async {
        let _ =
            tokio::time::timeout(DEADLINE, reader.read_to_end(&mut response)).await.expect("the connection stays open");
    };
    tokio::select! { () = trickle => {}, () = read => {} }
    assert!(String::from_utf8_lossy(&response).starts_with("HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&response));
}

#[actix_web::test]
async fn a_second_head_that_never_ends_is_a_408_too() {
    let app = start(|timeouts| timeouts.head = SHORT).await;
    for begun_with_the_first in [false, true] {
        let mut stream = TcpStream::connect(app.address()).await.unwrap();
        let (first, second) = (HEALTHZ, &b"GET /healthz HTTP/1.1\r\nHost: a"[..]);
        if begun_with_the_first {
            stream.write_all(&[first, &second[..9]].concat()).await.unwrap();
            assert!(read_response(&mut stream).await.starts_with("HTTP/1.1 200 "));
            stream.write_all(&second[9..]).await.unwrap();
        } else {
            stream.write_all(first).await.unwrap();
            assert!(read_response(&mut stream).await.starts_with("HTTP/1.1 200 "));
            stream.write_all(second).await.unwrap();
        }
        let rest = read_to_end(&mut stream).await;
        assert!(rest.starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&rest));
    }
}

#[actix_web::test]
async fn a_client_that_sends_nothing_is_disconnected_without_a_response() {
    let app = start(|timeouts| timeouts.head = SHORT).await;
    let mut stream = TcpStream::connect(app.address()).await.unwrap();
    assert!(read_to_end(&mut stream).await.is_empty());
}

#[actix_web::test]
async fn a_connection_is_kept_for_the_next_request_for_a_limited_time() {
    let app = start(|timeouts| {
        timeouts.head = SHORT;
        timeouts.idle = 10 * SHORT;
    })
    .await;
    let mut stream = TcpStream::connect(app.address()).await.unwrap();
    for _ in 0..3 {
        stream.write_all(HEALTHZ).await.unwrap();
        assert!(read_response(&mut stream).await.starts_with("HTTP/1.1 200 "));
        // Longer than a head may take: the pause between requests has a time of its own.
        tokio::time::sleep(2 * SHORT).await;
    }
    assert!(read_to_end(&mut stream).await.is_empty());
}

/// Every route that reads a body.
const BODIES: [(&str, &str); 6] = [
    ("POST", "/api/auth/register/"),
    ("POST", "/api/auth/login/"),
    ("POST", "/api/auth/refresh/"),
    ("POST", "/api/auth/verify/"),
    ("POST", "/api/auth/logout/"),
    ("PATCH", "/api/auth/me/"),
];

fn head(tokens: &TokenResponse, route: (&str, &str), rest: &str) -> String {
    let (method, path) = route;
    format!(
        "{method} {path} HTTP/1.1\r\nHost: api\r\nContent-Type: application/json\r\nAuthorization: Bearer {}\r\n{rest}\r\n\r\n",
        tokens.access
    )
}

#[actix_web::test]
async fn a_body_that_never_ends_is_a_408_everywhere() {
    let app = start(|timeouts| (timeouts.body, timeouts.linger) = (SHORT, SHORT)).await;
    let tokens = app.login(ADA).await;
    for route in BODIES {
        for rest in ["Content-Length: 50", "Transfer-Encoding: chunked"] {
            let request = head(&tokens, route, rest) + "9\r\n{\"email\":";
            let response = raw::exchange(app.address(), request.as_bytes()).await;
            let response = response.unwrap_or_else(|| panic!("{route:?} {rest} closed without a response"));
            response.problem_of(408, Reason::BodyTimeout);
        }
    }
}

#[actix_web::test]
async fn data_after_the_response_does_not_keep_the_connection() {
    let app = start(|timeouts| timeouts.head = 2 * SHORT).await;
    let mut stream = TcpStream::connect(app.address()).await.unwrap();
    // The response does not wait for the body, which never ends.
    let request = b"POST /nowhere HTTP/1.1\r\nHost: api\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(request).await.unwrap();
    assert!(read_response(&mut stream).await.starts_with("HTTP/1.1 404 "));
    let trickle = async {
        while stream.write_all(b"1\r\nx\r\n").await.is_ok() {
            tokio::time::sleep(SHORT / 5).await;
        }
    };
    tokio::time::timeout(DEADLINE, trickle).await.expect("the API keeps reading");
}

#[actix_web::test]
async fn a_client_sees_the_refusal_of_a_body_that_it_has_only_begun_to_send() {
    let app = start(|_| {}).await;
    let length = 50 * 1024 * 1024;
    let request = format!(
        "POST /api/auth/login/ HTTP/1.1\r\nHost: api\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    let mut stream = TcpStream::connect(app.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let response = read_response(&mut stream).await;
    assert!(response.starts_with("HTTP/1.1 413 "), "{response}");
    assert!(response.to_ascii_lowercase().contains("connection: close"), "{response}");
    // A client in the middle of sending is not cut off before it can read the response.
    for _ in 0..10 {
        stream.write_all(&vec![b'x'; 64 * 1024]).await.unwrap();
    }
}

#[actix_web::test]
async fn a_client_that_does_not_read_its_responses_is_disconnected() {
    let app = start(|timeouts| timeouts.response = 3 * SHORT).await;
    // A small window, so that the API's writes soon wait.
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 * 1024).unwrap();
    let mut stream = socket.connect(app.address()).await.unwrap();
    let requests = "GET /api/openapi.json HTTP/1.1\r\nHost: api\r\n\r\n".repeat(1000);
    let mut sent = 0;
    let sending = async {
        while stream.write_all(requests.as_bytes()).await.is_ok() {
            sent += requests.len();
        }
    };
    tokio::time::timeout(DEADLINE, sending).await.expect("the connection stays open");
    // The API stops reading while its responses are not read, which bounds its memory.
    assert!(sent < 20_000_000, "{sent} bytes of requests were accepted");
    app.get("/healthz").await.done();
}

/// Requests an export of about 15 MB on a connection with a small window, so that the API's writes soon wait.
async fn request_export(app: &TestApp) -> TcpStream {
    let ada = app.login(ADA).await;
    app.db().add_events(Some(ada.user.id), app.clock().now(), 60_000);
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(64 * 1024).unwrap();
    let mut stream = socket.connect(app.address()).await.unwrap();
    let request = format!(
        "GET /api/auth/me/export/ HTTP/1.1\r\nHost: api\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\r\n",
        ada.access
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

#[actix_web::test]
async fn a_download_that_makes_progress_is_not_cut() {
    let app = start(|timeouts| timeouts.response = 10 * SHORT).await;
    let mut stream = request_export(&app).await;
    let (mut piece, mut total, mut end) = (vec![0; 256 * 1024], 0, Vec::new());
    loop {
        let read = stream.read(&mut piece).await.unwrap();
        if read == 0 {
            break;
        }
        total += read;
        end = [&end[end.len().saturating_sub(5)..], &piece[..read]].concat();
        tokio::time::sleep(SHORT / 20).await;
    }
    assert!(total > 10_000_000, "only {total} bytes");
    assert!(end.ends_with(b"0\r\n\r\n"), "cut after {total} bytes");
}

#[actix_web::test]
async fn a_download_that_is_read_too_slowly_is_cut() {
    let app = start(|timeouts| timeouts.response = 3 * SHORT).await;
    let mut stream = request_export(&app).await;
    let mut bytes = [0; 512];
    for _ in 0..100 {
        stream.read_exact(&mut bytes).await.unwrap();
        tokio::time::sleep(SHORT / 5).await;
    }
    let rest = read_to_end(&mut stream).await;
    assert!(!rest.ends_with(b"0\r\n\r\n"), "all {} bytes came", rest.len());
}

#[actix_web::test]
async fn an_upload_that_makes_progress_is_not_cut() {
    let app = start(|timeouts| timeouts.body = 10 * SHORT).await;
    let mut stream = TcpStream::connect(app.address()).await.unwrap();
    let body = format!("{{\"email\":\"{ADA}\",\"password\":\"{}\"}}", "x".repeat(60_000));
    let head = "POST /api/auth/login/ HTTP/1.1\r\nHost: api\r\nContent-Type: application/json";
    stream.write_all(format!("{head}\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes()).await.unwrap();
    for piece in body.as_bytes().chunks(20 * 1024) {
        tokio::time::sleep(5 * SHORT).await;
        stream.write_all(piece).await.unwrap();
    }
    let response = read_response(&mut stream).await;
    assert!(response.starts_with("HTTP/1.1 400 "), "{response}"); // the password is too long
}

#[actix_web::test]
async fn pipelined_requests_get_their_responses_in_order() {
    let app = start(|_| {}).await;
    let tokens = app.login(ADA).await;
    let mut stream = TcpStream::connect(app.address()).await.unwrap();
    let pair = "GET /healthz HTTP/1.1\r\nHost: api\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: api\r\n\r\n";
    let last = "GET /api/auth/me/ HTTP/1.1\r\nHost: api\r\nConnection: close\r\nAuthorization: Bearer";
    let requests = format!("{}{last} {}\r\n\r\n", pair.repeat(100), tokens.access);
    stream.write_all(requests.as_bytes()).await.unwrap();
    let responses = String::from_utf8(read_to_end(&mut stream).await).unwrap();
    let statuses: Vec<_> = responses.split("HTTP/1.1 ").skip(1).map(|response| &response[..3]).collect();
    assert_eq!(statuses.len(), 201);
    assert!(statuses[..200].chunks(2).all(|pair| pair == ["200", "404"]), "{statuses:?}");
    assert!(responses.contains(ADA));
}

#[actix_web::test]
async fn a_head_that_is_too_large_is_a_431() {
    let app = start(|_| {}).await;
    let many = "X: x\r\n".repeat(200);
    let long = format!("X: {}\r\n", "x".repeat(200_000));
    let long_name = format!("{}: x\r\n", "x".repeat(200_000));
    for bomb in [many, long, long_name] {
        let request = format!("GET /healthz HTTP/1.1\r\nHost: api\r\n{bomb}\r\n");
        let response = raw::exchange(app.address(), request.as_bytes()).await.expect("closed without a response");
        response.problem_of(431, Reason::HeaderMalformed);
    }
    let long_path = format!("GET /{} HTTP/1.1\r\nHost: api\r\n\r\n", "x".repeat(200_000));
    let response = raw::exchange(app.address(), long_path.as_bytes()).await.expect("closed without a response");
    assert!(response.status.is_client_error(), "{}", response.status);
}

#[actix_web::test]
async fn five_hundred_idle_connections_do_not_keep_the_next_client_out() {
    let builder = TestApp::builder(Database::Sqlite).user(ADA).set("TRUSTED_PROXY_HOPS", "1");
    let builder = builder.connections(64).timeouts(|timeouts| {
        let long = 10 * DEADLINE;
        (timeouts.head, timeouts.idle, timeouts.idle_contended) = (long, long, long);
    });
    let app = &builder.start().await;
    let connect = |number: usize| async move {
        let connecting = tokio::time::timeout(DEADLINE, TcpStream::connect(app.address()));
        let mut stream = connecting.await.expect("no connection in time").unwrap();
        // Half of them send nothing, half have sent a request.
        if number.is_multiple_of(2) {
            let _ = stream.write_all(HEALTHZ).await;
        }
        stream
    };
    // On a connection of its own: one that has become idle is closed for the next client.
    let login = async || {
        let request = app.request(Method::POST, "/api/auth/login/").header("Connection", "close");
        send(request.json(&json!({"email": ADA, "password": PASSWORD}))).await.has_status(200);
    };
    let flood = futures_util::future::join_all((0..500).map(connect)).await;
    login().await;
    drop(flood);
    login().await;
}

#[actix_web::test]
async fn idle_connections_stay_open_while_connections_are_free() {
    let builder = TestApp::builder(Database::Sqlite).set("TRUSTED_PROXY_HOPS", "1");
    let builder = builder.connections(64).timeouts(|timeouts| timeouts.idle_contended = SHORT);
    let app = builder.start().await;
    let mut idle = Vec::new();
    for _ in 0..8 {
        let mut stream = TcpStream::connect(app.address()).await.unwrap();
        stream.write_all(HEALTHZ).await.unwrap();
        read_response(&mut stream).await;
        idle.push(stream);
    }
    tokio::time::sleep(3 * SHORT).await;
    for mut stream in idle {
        stream.write_all(HEALTHZ).await.unwrap();
        assert!(read_response(&mut stream).await.starts_with("HTTP/1.1 200 "));
    }
}
