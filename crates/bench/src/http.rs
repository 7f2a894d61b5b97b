//! A connection that is kept alive, and one request after the other on it.
//!
//! Blocking reads in a thread for each virtual user cost less of the processor than any event loop: the figures are about the server.

use socket2::{Domain, Socket, Type};
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long a response may take before the request counts as failed.
const TIMEOUT: Duration = Duration::from_secs(30);
/// More headers than the API sends.
const MAX_HEADERS: usize = 64;

/// One request.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) access: Option<&'a str>,
    pub(crate) json: Option<String>,
}

/// A connection to a server.
#[derive(Debug)]
pub(crate) struct Connection {
    server: SocketAddr,
    stream: TcpStream,
    received: Vec<u8>,
}

/// The status and the body of a response.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Connection {
    /// Connects from an address of this machine that belongs to the client with this number alone, because a server that shares its
    /// capacity among clients would count all of them as one.
    pub(crate) fn open(server: SocketAddr, client: usize) -> Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        let [.., high, low] = client.to_be_bytes();
        socket.bind(&SocketAddr::from(([127, 1 + high, low, 1], 0)).into())?;
        socket.connect(&server.into())?;
        let stream = TcpStream::from(socket);
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        Ok(Self { server, stream, received: Vec::with_capacity(8192) })
    }

    /// Sends a request and reads its response.
    pub(crate) fn send(&mut self, request: &Request<'_>) -> Result<Response> {
        self.stream.write_all(&self.message(request))?;
        self.received.clear();
        loop {
            let mut part = [0; 8192];
            let count = self.stream.read(&mut part)?;
            if count == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            self.received.extend_from_slice(&part[..count]);
            if let Some(response) = parse(&self.received)? {
                return Ok(response);
            }
        }
    }

    fn message(&self, Request { method, path, access, json }: &Request<'_>) -> Vec<u8> {
        let mut message = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.server);
        if let Some(access) = access {
            message.push_str("Authorization: Bearer ");
            message.push_str(access);
            message.push_str("\r\n");
        }
        if let Some(json) = json {
            message.push_str("Content-Type: application/json\r\nContent-Length: ");
            message.push_str(&json.len().to_string());
            message.push_str("\r\n\r\n");
            message.push_str(json);
        } else {
            message.push_str("\r\n");
        }
        message.into_bytes()
    }
}

/// The response, if all of it has arrived.
fn parse(received: &[u8]) -> Result<Option<Response>> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let Ok(parsed) = response.parse(received) else { return Err(invalid("the response is not HTTP")) };
    let httparse::Status::Complete(head) = parsed else { return Ok(None) };
    let length = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|header| std::str::from_utf8(header.value).ok()?.parse::<usize>().ok());
    let length = length.ok_or_else(|| invalid("the response has no Content-Length"))?;
    let status = response.code.unwrap_or_default();
    Ok(received.get(head..head + length).map(|body| Response { status, body: body.to_vec() }))
}

fn invalid(problem: &'static str) -> Error {
    Error::new(ErrorKind::InvalidData, problem)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_response_is_complete_with_the_last_byte_of_its_body() {
        let text = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        for end in 0..text.len() {
            assert!(parse(&text[..end]).is_ok_and(|response| response.is_none()), "{end} bytes");
        }
        let complete = parse(text).ok().flatten().map(|response| (response.status, response.body));
        assert_eq!(complete, Some((200, b"{}".to_vec())));
        assert!(parse(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
