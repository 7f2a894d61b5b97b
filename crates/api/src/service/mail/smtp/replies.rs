//! Filters the replies of a mail server for `lettre`, which would buffer a line of any length, and rejects a reply without text.
//!
//! A client must accept a code without text (RFC 5321, section 4.2), and a line has at most 512 bytes (4.5.3.1.5). The connection,
//! encrypted or not, is shared by the `lettre` connections before and after STARTTLS.
#![expect(deprecated, reason = "the only stream that lettre encrypts")]

use futures_util::io::{AsyncRead as _, AsyncWrite as _};
use lettre::transport::smtp;
use lettre::transport::smtp::client::{AsyncNetworkStream, AsyncTokioStream, TlsParameters};
use std::collections::VecDeque;
use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Mutex;

/// Maximum length of a line, bytes. `lettre` rejects lines of more than a thousand bytes, but only once they are complete.
const LINE_MAX_BYTES: usize = 4096;
/// Maximum lines and bytes of a reply: `lettre` parses the whole reply again with each line, without yielding.
const REPLY_MAX_LINES: usize = 200;
const REPLY_MAX_BYTES: usize = 16 * 1024;
/// Bytes that are read at once.
const CHUNK_BYTES: usize = 2048;

/// A connection to a mail server.
pub(super) type Stream = Arc<Mutex<AsyncNetworkStream>>;

/// Connects. With `tls` the connection is encrypted from the first byte.
pub(super) async fn connect(
    address: (&str, u16),
    timeout: Duration,
    tls: Option<TlsParameters>,
) -> std::result::Result<Stream, smtp::Error> {
    let stream = AsyncNetworkStream::connect_tokio1(address, Some(timeout), tls, None).await?;
    Ok(Arc::new(Mutex::new(stream)))
}

/// Encrypts a connection whose server has accepted STARTTLS.
pub(super) async fn encrypt(stream: &Stream, tls: TlsParameters) -> std::result::Result<(), smtp::Error> {
    stream.lock().await.upgrade_tls(tls).await
}

/// A connection to a server, with its replies filtered.
#[derive(Debug)]
pub(super) struct Replies {
    stream: Stream,
    lines: ReplyLines,
}

impl Replies {
    pub(super) fn of(stream: &Stream) -> Self {
        Self { stream: Arc::clone(stream), lines: ReplyLines::default() }
    }

    /// For a server that has sent its greeting in plaintext already: after STARTTLS it sends none, but `lettre` waits for one.
    pub(super) fn of_greeted(stream: &Stream) -> Self {
        let mut replies = Self::of(stream);
        replies.lines.ready.extend(b"220 \r\n");
        replies
    }

    fn with_stream<T>(&self, poll: impl FnOnce(Pin<&mut AsyncNetworkStream>) -> Poll<Result<T>>) -> Poll<Result<T>> {
        // Only one task uses the connection.
        let mut stream = self.stream.try_lock().map_err(Error::other)?;
        poll(Pin::new(&mut stream))
    }
}

impl AsyncRead for Replies {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        while self.lines.ready.is_empty() {
            let mut chunk = [0; CHUNK_BYTES];
            let read = ready!(self.with_stream(|stream| stream.poll_read(context, &mut chunk)))?;
            if read == 0 {
                return Poll::Ready(Ok(()));
            }
            self.lines.take(&chunk[..read])?;
        }
        let ready = self.lines.ready.make_contiguous();
        let length = ready.len().min(buffer.remaining());
        buffer.put_slice(&ready[..length]);
        self.lines.ready.drain(..length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Replies {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        self.with_stream(|stream| stream.poll_write(context, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        self.with_stream(|stream| stream.poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        self.with_stream(|stream| stream.poll_close(context))
    }
}

impl AsyncTokioStream for Replies {
    fn peer_addr(&self) -> Result<SocketAddr> {
        self.stream.try_lock().map_err(Error::other)?.peer_addr()
    }
}

/// Lines as `lettre` reads them.
#[derive(Debug, Default)]
struct ReplyLines {
    /// Complete lines that `lettre` has not read yet.
    ready: VecDeque<u8>,
    /// The beginning of the next line.
    line: Vec<u8>,
    /// How many lines and bytes the current multi-line reply has so far.
    reply: (usize, usize),
}

impl ReplyLines {
    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        for byte in bytes {
            // `lettre` accepts UTF-8 only, and nothing here depends on other characters.
            self.line.push(if byte.is_ascii() { *byte } else { b'?' });
            if *byte == b'\n' {
                let line = std::mem::take(&mut self.line);
                self.count(&line)?;
                self.ready.extend(as_lettre_reads(line));
            } else if self.line.len() > LINE_MAX_BYTES {
                return Err(Error::new(ErrorKind::InvalidData, "a line of a reply does not end"));
            }
        }
        Ok(())
    }

    fn count(&mut self, line: &[u8]) -> Result<()> {
        let (lines, bytes) = match line.get(3) {
            Some(b'-') => (self.reply.0 + 1, self.reply.1 + line.len()),
            _ => (0, 0),
        };
        self.reply = (lines, bytes);
        if lines > REPLY_MAX_LINES || bytes > REPLY_MAX_BYTES {
            return Err(Error::new(ErrorKind::InvalidData, "a reply does not end"));
        }
        Ok(())
    }
}

/// Adds an empty text to a code without one. Turns the text of a positive reply into upper case, because `lettre` compares
/// extensions case-sensitively although case does not matter (RFC 5321, section 2.4), and reads only the code of other positive
/// replies. `AUTH=` is the form from before RFC 2554, which some servers still send.
fn as_lettre_reads(mut line: Vec<u8>) -> Vec<u8> {
    if line.len() == 5 && line[..3].iter().all(u8::is_ascii_digit) && line.ends_with(b"\r\n") {
        line.insert(3, b' ');
    }
    if line.starts_with(b"250") {
        line.make_ascii_uppercase();
        if line[3..].get(1..6) == Some(b"AUTH=") {
            line[8] = b' ';
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::{LINE_MAX_BYTES, REPLY_MAX_BYTES, REPLY_MAX_LINES, ReplyLines};

    fn read(said: &[u8]) -> String {
        let mut whole = ReplyLines::default();
        let mut bytewise = ReplyLines::default();
        assert!(whole.take(said).is_ok() && said.iter().all(|byte| bytewise.take(&[*byte]).is_ok()));
        assert_eq!(whole.ready, bytewise.ready);
        String::from_utf8(whole.ready.into()).unwrap_or_default()
    }

    #[test]
    fn a_code_without_text_gets_an_empty_one() {
        for (said, expected) in [
            ("220\r\n", "220 \r\n"),
            ("250-MAIL.TEST\r\n250\r\n354\r\n", "250-MAIL.TEST\r\n250 \r\n354 \r\n"),
            ("354 ok\r\n", "354 ok\r\n"),
            ("250 \r\n", "250 \r\n"),
            ("250-\r\n250 2.0.0 OK\r\n", "250-\r\n250 2.0.0 OK\r\n"),
            ("25\r\n2500\r\nabc\r\n2b0\r\n\r\n", "25\r\n2500\r\nabc\r\n2b0\r\n\r\n"),
            ("550 kein Empf\u{e4}nger\r\n", "550 kein Empf??nger\r\n"),
        ] {
            assert_eq!(read(said.as_bytes()), expected);
        }
        assert_eq!(read(b"550 Empf\xe4nger\r\n"), "550 Empf?nger\r\n");
    }

    #[test]
    fn extensions_are_read_in_any_case_and_in_the_old_form() {
        for (said, expected) in [
            ("250-mail.test\r\n250-StartTls\r\n", "250-MAIL.TEST\r\n250-STARTTLS\r\n"),
            ("250-auth plain Login\r\n250 8bitmime\r\n", "250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n"),
            ("250-AUTH=PLAIN LOGIN\r\n250 auth=login\r\n", "250-AUTH PLAIN LOGIN\r\n250 AUTH LOGIN\r\n"),
            ("550-auth=no\r\n2500 auth=no\r\n", "550-auth=no\r\n2500 AUTH=NO\r\n"),
            ("250\n250-\n250 a\n", "250\n250-\n250 A\n"),
        ] {
            assert_eq!(read(said.as_bytes()), expected);
        }
    }

    #[test]
    fn a_reply_without_an_end_is_an_error() {
        let reply = |line: &[u8], lines| [line.repeat(lines), b"250 ok\r\n".to_vec()].concat();
        let short = b"250-x\r\n".as_slice();
        let long = [b"250-".as_slice(), &[b'x'; 1022], b"\r\n"].concat();
        let mut lines = ReplyLines::default();
        for _ in 0..3 {
            assert!(lines.take(&reply(short, REPLY_MAX_LINES)).is_ok());
            assert!(lines.take(&reply(&long, REPLY_MAX_BYTES / long.len())).is_ok());
        }
        assert!(lines.take(&reply(short, REPLY_MAX_LINES + 1)).is_err());
        assert!(ReplyLines::default().take(&reply(&long, REPLY_MAX_BYTES / long.len() + 1)).is_err());
    }

    #[test]
    fn a_line_without_an_end_is_an_error() {
        let line = |length| [vec![b'2'; length], b"\r\n".to_vec()].concat();
        let mut lines = ReplyLines::default();
        for _ in 0..3 {
            assert!(lines.take(&line(LINE_MAX_BYTES - 1)).is_ok());
        }
        assert!(lines.take(&line(LINE_MAX_BYTES)).is_err());
    }
}
