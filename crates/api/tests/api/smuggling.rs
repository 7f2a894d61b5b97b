//! Request smuggling: the API and the proxy in front of it must see the same requests on a connection.

use crate::support::{Database, TestApp, raw};
use auth_types::Reason;

/// Heads that two parsers could read as one request or as two: the proxy in front and this parser must never disagree.
#[actix_web::test]
async fn a_head_that_could_smuggle_a_second_request_is_a_400_and_closes_the_connection() {
    let app = TestApp::builder(Database::Sqlite).start().await;
    let before = app.db().content();
    for head in [
        "Content-Length: 0\r\nContent-Length: 0",
        "Content-Length: 0\r\nContent-Length: 5",
        "Content-Length: 0, 0",
        "Content-Length: +0",
        "Content-Length: 0x0",
        "Content-Length: 0\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 0",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding:\r\n chunked",
        "Transfer-Encoding\r\n: chunked",
        "Content-Length: 0\rX: y",
        " Content-Length: 0",
        "Host: b",
    ] {
        let request = format!(
            "POST /api/auth/login/ HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n{head}\r\n\r\n\
             GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
        );
        let response = raw::exchange(app.address(), request.as_bytes()).await;
        let response = response.unwrap_or_else(|| panic!("no response to {head:?}"));
        assert_eq!(response.status, 400, "{head:?} {}", response.text());
        assert!(!response.text().contains("HTTP/1.1 200"), "{head:?}: the second request was served");
        response.problem(400);
    }
    assert_eq!(app.db().content(), before);
}

#[actix_web::test]
async fn an_unsupported_method_is_refused() {
    let app = TestApp::builder(Database::Sqlite).start().await;
    for method in ["TRACE", "TRACK", "PROPFIND", "OPTIONS", "PURGE", "get", "X"] {
        let request =
            format!("{method} /api/auth/me/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Secret: word\r\n\r\n");
        let response = raw::exchange(app.address(), request.as_bytes()).await.unwrap();
        assert!(!response.text().contains("word"), "{method} returns what was sent");
        assert!(response.header("allow").contains("GET"), "{method}");
        response.problem_of(405, Reason::MethodNotAllowed);
    }
    let tunnel = b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n";
    let response = raw::exchange(app.address(), tunnel).await.unwrap();
    assert!(response.status.is_client_error(), "{}", response.status);
}
