//! Requests that no HTTP library would send, written byte by byte.

use super::{DEADLINE, TestResponse};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends `bytes` and reads until the API closes the connection, which `Connection: close` in a well-formed request and
/// any malformed one bring about. `None` when it closed without a response.
pub async fn exchange(address: SocketAddr, bytes: &[u8]) -> Option<TestResponse> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server that refuses early may close before everything is sent.
    let _ = stream.write_all(bytes).await;
    let mut response = Vec::new();
    let read = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut response)).await;
    assert!(read.is_ok(), "no response to {:?}", String::from_utf8_lossy(bytes));
    parse(&response)
}

fn parse(response: &[u8]) -> Option<TestResponse> {
    let end = response.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&response[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status: StatusCode = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        headers.append(name.parse::<HeaderName>().ok()?, HeaderValue::from_str(value).ok()?);
    }
    Some(TestResponse { status, headers, body: response[end + 4..].to_vec() })
}
