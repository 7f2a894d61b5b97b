//! Bytes that are not a valid HTTP request: each gets a 4xx, and the API goes on serving.

use crate::support::administrator::{ADA, start};
use crate::support::{Database, TestApp, raw, send};
use auth_types::Reason;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use reqwest::Method;
use serde_json::json;

#[actix_web::test]
async fn an_idempotency_key_has_1_to_255_bytes_and_comes_once() {
    let (app, tokens) = start(Database::Sqlite).await;
    let refresh = || app.request(Method::POST, "/api/auth/refresh/").json(&json!({"refresh": tokens.refresh}));
    for wrong in [String::new(), "k".repeat(256)] {
        send(refresh().header("Idempotency-Key", wrong)).await.problem_of(400, Reason::HeaderMalformed);
    }
    let twice = refresh().header("Idempotency-Key", "a").header("Idempotency-Key", "b");
    send(twice).await.problem_of(400, Reason::HeaderMalformed);
    assert_eq!(app.db().number("SELECT generation FROM sessions"), 1);
    // Any bytes that a header may hold are a key.
    let bytes = reqwest::header::HeaderValue::from_bytes(b"\xe9\x80 key").unwrap();
    let first = send(refresh().header("Idempotency-Key", bytes.clone())).await.tokens();
    app.clock().advance(chrono::Duration::hours(1));
    assert_eq!(send(refresh().header("Idempotency-Key", bytes)).await.tokens().refresh, first.refresh);
}

#[actix_web::test]
async fn a_head_of_more_than_sixteen_kilobytes_is_a_431() {
    let app = TestApp::builder(Database::Sqlite).start().await;
    for header in ["User-Agent", "X-Forwarded-For", "If-None-Match", "Accept", "Cookie"] {
        let request = app.request(Method::GET, "/healthz").header(header, "\"a\",".repeat(4 * 1024 + 1));
        send(request).await.problem_of(431, Reason::HeaderMalformed);
        let request = app.request(Method::GET, "/healthz").header(header, "\"a\",".repeat(3 * 1024));
        send(request).await.done();
    }
    let cursor = format!("/api/auth/events/?{}", "a&".repeat(9 * 1024));
    app.get(&cursor).await.problem_of(431, Reason::HeaderMalformed);
}

#[actix_web::test]
async fn bytes_that_are_not_http_get_a_400() {
    let (app, _) = start(Database::Sqlite).await;
    let requests: [&[u8]; 13] = [
        b"hello\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /a b HTTP/1.1\r\n\r\n",
        b"G\x00T / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\n: no name\r\n\r\n",
        b"GET / HTTP/1.1\r\nA\x00B: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n folded\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 TLS\r\n\r\n",
    ];
    for request in requests {
        let response = raw::exchange(app.address(), request).await;
        let response = response.unwrap_or_else(|| panic!("no response to {:?}", String::from_utf8_lossy(request)));
        assert_eq!(response.status, 400, "{:?}", String::from_utf8_lossy(request));
        response.problem(400);
    }
    app.login(ADA).await;
}

/// Sends requests built from `strategy` to one API: each gets a response, and none is a 5xx.
fn any_bytes<S: Strategy>(strategy: S, request: impl Fn(S::Value) -> Vec<u8>)
where
    S::Value: Clone,
{
    let system = actix_web::rt::System::new();
    let (app, _) = system.block_on(start(Database::Sqlite));
    let mut runner = TestRunner::new(Config { cases: 150, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&strategy, |value| {
        let response = system.block_on(raw::exchange(app.address(), &request(value)));
        prop_assert!(response.is_some(), "no response");
        let response = response.unwrap();
        prop_assert!(!response.status.is_server_error(), "{} {}", response.status, response.text());
        if response.status.is_client_error() && !response.body.is_empty() {
            prop_assert_eq!(response.header("content-type"), "application/problem+json");
        }
        Ok(())
    });
    outcome.unwrap();
    system.block_on(app.login(ADA));
}

/// Bytes without those that end a line: the parser's own rules are tested above.
fn line() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>().prop_filter("ends the line", |byte| !b"\r\n".contains(byte)), 0..60)
}

#[test]
fn any_path_gets_a_response() {
    any_bytes((any::<bool>(), line()), |(under_auth, path)| {
        let prefix: &[u8] = if under_auth { b"GET /api/auth/" } else { b"GET /" };
        [prefix, &path, b" HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n"].concat()
    });
}

#[test]
fn any_method_gets_a_response() {
    any_bytes(line(), |method| {
        [&method, &b" /api/auth/me/ HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n"[..]].concat()
    });
}

#[test]
fn any_header_value_gets_a_response() {
    let names = ["Authorization", "Origin", "Idempotency-Key", "Content-Type", "User-Agent", "Host", "X-Forwarded-For"];
    any_bytes((proptest::sample::select(names.to_vec()), line()), |(name, value)| {
        let body = br#"{"refresh":"x"}"#;
        let head =
            format!("POST /api/auth/refresh/ HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
        [head.as_bytes(), name.as_bytes(), b": ", &value, b"\r\n\r\n", body].concat()
    });
}

#[test]
fn any_body_gets_a_response() {
    let pieces = ["{", "}", "[", "]", ":", ",", "\"", "\"refresh\"", "\\u0000", "null", "1e9", " ", "\\", "\u{e9}"];
    let json_like = proptest::collection::vec(proptest::sample::select(pieces.to_vec()), 0..30);
    any_bytes((json_like, proptest::collection::vec(any::<u8>(), 0..20)), |(pieces, bytes)| {
        let body = [pieces.concat().as_bytes(), &bytes].concat();
        let head = format!(
            "POST /api/auth/refresh/ HTTP/1.1\r\nHost: api\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        [head.as_bytes(), &body].concat()
    });
}
