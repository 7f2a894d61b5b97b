//! One connection, one reading of what is on it: this API and the proxy ahead must see the same requests.

use crate::support::{Database, TestApp, raw};
use auth_types::Reason;

/// What two parsers could read as one request or as two: the proxy ahead and this one must never disagree.
#[actix_web::test]
async fn what_could_smuggle_a_second_request_is_a_400_and_the_end_of_the_connection() {
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
        let answer = raw::exchange(app.address(), request.as_bytes()).await;
        let answer = answer.unwrap_or_else(|| panic!("no answer to {head:?}"));
        assert_eq!(answer.status, 400, "{head:?} {}", answer.text());
        assert!(!answer.text().contains("HTTP/1.1 200"), "{head:?}: the second request was answered");
        answer.problem(400);
    }
    assert_eq!(app.db().content(), before);
}

#[actix_web::test]
async fn a_method_that_nobody_asked_for_is_refused() {
    let app = TestApp::builder(Database::Sqlite).start().await;
    for method in ["TRACE", "TRACK", "PROPFIND", "OPTIONS", "PURGE", "get", "X"] {
        let request =
            format!("{method} /api/auth/me/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Secret: word\r\n\r\n");
        let answer = raw::exchange(app.address(), request.as_bytes()).await.unwrap();
        assert!(!answer.text().contains("word"), "{method} gives back what was sent");
        assert!(answer.header("allow").contains("GET"), "{method}");
        answer.failed(405, Reason::MethodNotAllowed);
    }
    let tunnel = b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n";
    let answer = raw::exchange(app.address(), tunnel).await.unwrap();
    assert!(answer.status.is_client_error(), "{}", answer.status);
}
