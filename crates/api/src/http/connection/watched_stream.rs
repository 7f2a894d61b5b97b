//! The stream of one connection: it enforces the connection's timeouts and its turn, and gives actix-http's bare refusals a
//! body. Those are for requests that never reach the application: bytes that are not HTTP, a head that is too large or too slow.

use super::open_connections::OpenConnections;
use super::poll_rounds::{PollRounds, PollTurn};
use super::watch::{ConnectionRequests, ConnectionWatch, Phase};
use crate::config::{Environment, Timeouts};
use crate::http::middleware::secure_headers;
use crate::problem::Problem;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::rt::net::{ActixStream, Ready};
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use uuid::Uuid;

/// What the connections of one worker share.
#[derive(Debug, Clone)]
pub struct WorkerConnections {
    pub environment: Environment,
    pub timeouts: Timeouts,
    /// All of the process.
    pub connections: OpenConnections,
    /// The worker's own.
    pub polls: PollRounds,
}

impl WorkerConnections {
    /// Wraps the stream of a new connection. One that is beyond its peer's part of the connections is closed unread.
    pub fn watch<Io>(&self, io: Io, peer: Option<IpAddr>) -> WatchedStream<Io> {
        let slot = self.connections.enter(peer);
        WatchedStream {
            io,
            environment: self.environment,
            ended: slot.is_refused(),
            watch: ConnectionWatch::new(self.timeouts, slot),
            turn: self.polls.queue(),
            pending: Vec::new(),
        }
    }
}

/// A connection's stream.
#[derive(Debug)]
pub struct WatchedStream<Io> {
    io: Io,
    environment: Environment,
    watch: ConnectionWatch,
    turn: PollTurn,
    /// The unwritten rest of what replaces a bare refusal.
    pending: Vec<u8>,
    /// Whether the connection has ended: nothing is read any more.
    ended: bool,
}

impl<Io> WatchedStream<Io> {
    /// Where the application registers this connection's requests.
    pub fn requests(&self) -> ConnectionRequests {
        self.watch.requests().clone()
    }

    /// Ends the connection. A client that does not read its response sees a broken connection, one that began a request gets
    /// a 408, and one that sent nothing gets no response.
    fn end(&mut self, phase: Phase) -> io::Result<()> {
        match phase {
            Phase::Writing => return Err(io::ErrorKind::TimedOut.into()),
            Phase::Head if !self.ended => self.pending = refusal(StatusCode::REQUEST_TIMEOUT, self.environment),
            _ => {}
        }
        self.ended = true;
        Ok(())
    }
}

impl<Io: AsyncWrite + Unpin> WatchedStream<Io> {
    fn poll_pending(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.pending.is_empty() {
            let written = ready!(poll_write(&mut self.io, &mut self.watch, cx, &self.pending))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.pending.drain(..written);
        }
        Poll::Ready(Ok(()))
    }
}

impl<Io: AsyncWrite + Unpin> AsyncWrite for WatchedStream<Io> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_pending(cx))?;
        let Some((before, status)) = find_bare_refusal(bytes) else {
            let Self { io, watch, .. } = &mut *self;
            return poll_write(io, watch, cx, bytes);
        };
        let problem = refusal(status, self.environment);
        self.pending = [&bytes[..before], &problem].concat();
        // The bytes are taken; what cannot be written now is written by the next poll.
        match self.poll_pending(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Ready(Ok(bytes.len())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_pending(cx))?;
        self.watch.on_flushed();
        // Starts the time of what comes next. When it is over, the next read ends the connection.
        let is_over = self.watch.poll_overdue(cx).is_ready() || self.watch.poll_displaced(cx).is_ready();
        if is_over && !self.ended {
            cx.waker().wake_by_ref();
        }
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_pending(cx))?;
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

impl<Io: ActixStream> AsyncRead for WatchedStream<Io> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Poll::Ready(phase) = self.watch.poll_overdue(cx) {
            ready!(self.turn.poll(cx));
            self.end(phase)?;
        }
        if self.ended {
            return Poll::Ready(Ok(())); // as if the client had disconnected
        }
        // The next request on an established connection waits for no turn.
        if !self.watch.is_idle() && self.io.poll_read_ready(cx).is_ready() {
            ready!(self.turn.poll(cx));
        }
        let before = buffer.filled().len();
        let Poll::Ready(read) = Pin::new(&mut self.io).poll_read(cx, buffer) else {
            // Only a connection without bytes to read makes room: a request that has just arrived is served.
            let phase = ready!(self.watch.poll_displaced(cx));
            ready!(self.turn.poll(cx));
            return Poll::Ready(self.end(phase));
        };
        if buffer.filled().len() > before {
            self.watch.on_read();
        }
        Poll::Ready(read)
    }
}

/// Writes, and gives up on a client that takes too long to read.
fn poll_write<Io: AsyncWrite + Unpin>(
    io: &mut Io,
    watch: &mut ConnectionWatch,
    cx: &mut Context<'_>,
    bytes: &[u8],
) -> Poll<io::Result<usize>> {
    let written = Pin::new(io).poll_write(cx, bytes);
    if let Poll::Ready(written) = written {
        watch.on_written(*written.as_ref().unwrap_or(&0));
        return Poll::Ready(written);
    }
    watch.on_write_blocked();
    if watch.poll_overdue(cx).is_ready() || watch.poll_displaced(cx).is_ready() {
        return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
    }
    Poll::Pending
}

impl<Io: ActixStream> ActixStream for WatchedStream<Io> {
    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        self.io.poll_read_ready(cx)
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        self.io.poll_write_ready(cx)
    }
}

/// Where the last response in `bytes` starts and its status, if that is a refusal without a body. The application's own
/// refusals have one, so this is the parser's; nothing follows it on its connection.
fn find_bare_refusal(bytes: &[u8]) -> Option<(usize, StatusCode)> {
    const START: &[u8] = b"HTTP/1.1 ";
    if !bytes.ends_with(b"\r\n\r\n") {
        return None;
    }
    let start = bytes.windows(START.len()).rposition(|window| window == START)?;
    let head = std::str::from_utf8(&bytes[start + START.len()..]).ok()?;
    let status = StatusCode::from_bytes(head.get(..3)?.as_bytes()).ok()?;
    let bare = status.is_client_error() && head.to_ascii_lowercase().contains("\r\ncontent-length: 0\r\n");
    bare.then_some((start, status))
}

/// A whole response, after which the connection is closed.
fn refusal(status: StatusCode, environment: Environment) -> Vec<u8> {
    let id = Uuid::new_v4().simple().to_string();
    let body = serde_json::to_vec(&Problem::from_status(status).body(&id)).unwrap_or_default();
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    secure_headers(&mut headers, "", environment);
    let mut response = format!("HTTP/1.1 {status}\r\n").into_bytes();
    for (name, value) in &headers {
        response.extend_from_slice(&[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    [response, b"\r\n".to_vec(), body].concat()
}
