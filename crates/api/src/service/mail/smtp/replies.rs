//! What a mail server says, on its way to `lettre`, which would keep a line of any length, and takes no reply of a code alone.
//!
//! A receiver of replies has to take a code without a text (RFC 5321, section 4.2), and a line has 512 bytes (4.5.3.1.5). The
//! connection, encrypted or not, is shared by what `lettre` has of it before and after STARTTLS.
#![expect(deprecated, reason = "the only stream that lettre encrypts; nothing else of it stands in another place")]

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

/// Most bytes of a line. `lettre` refuses one that is longer than a thousand, when it is there to its end.
const LINE_MAX_BYTES: usize = 4096;
/// Most lines of a reply, and bytes: `lettre` reads all of a reply again with each line that comes, and awaits nothing meanwhile.
const REPLY_MAX_LINES: usize = 200;
const REPLY_MAX_BYTES: usize = 16 * 1024;
/// Bytes that are read at once.
const CHUNK_BYTES: usize = 2048;

/// A connection to a mail server.
pub(super) type Stream = Arc<Mutex<AsyncNetworkStream>>;

/// Connects, and encrypts from the first byte where there are parameters for it.
pub(super) async fn connect(
    address: (&str, u16),
    timeout: Duration,
    tls: Option<TlsParameters>,
) -> std::result::Result<Stream, smtp::Error> {
    let stream = AsyncNetworkStream::connect_tokio1(address, Some(timeout), tls, None).await?;
    Ok(Arc::new(Mutex::new(stream)))
}

/// Encrypts a connection whose server waits for that.
pub(super) async fn encrypt(stream: &Stream, tls: TlsParameters) -> std::result::Result<(), smtp::Error> {
    stream.lock().await.upgrade_tls(tls).await
}

/// The replies of a server, and the way for what it is told.
#[derive(Debug)]
pub(super) struct Replies {
    stream: Stream,
    lines: ReplyLines,
}

impl Replies {
    pub(super) fn of(stream: &Stream) -> Self {
        Self { stream: Arc::clone(stream), lines: ReplyLines::default() }
    }

    /// The same of a server that has greeted already, in plaintext: after STARTTLS it does not greet again, and `lettre` waits for
    /// that.
    pub(super) fn of_greeted(stream: &Stream) -> Self {
        let mut replies = Self::of(stream);
        replies.lines.ready.extend(b"220 \r\n");
        replies
    }

    fn with_stream<T>(&self, poll: impl FnOnce(Pin<&mut AsyncNetworkStream>) -> Poll<Result<T>>) -> Poll<Result<T>> {
        // One task has the connection.
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
    /// Not read yet.
    ready: VecDeque<u8>,
    /// What has come of the next one.
    line: Vec<u8>,
    /// How many lines, and bytes, the reply has that goes on.
    reply: (usize, usize),
}

impl ReplyLines {
    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        for byte in bytes {
            // `lettre` takes a text of UTF-8 only, and nothing here depends on a letter of another kind.
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

/// A code alone gets an empty text. The words of a success become upper case, as `lettre` compares what a server offers: case
/// does not matter there (RFC 5321, section 2.4), and of any other success only the code is read. `AUTH=` is what servers
/// wrote before RFC 2554, and some still do.
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
        let (mut whole, mut bytewise) = (ReplyLines::default(), ReplyLines::default());
        assert!(whole.take(said).is_ok() && said.iter().all(|byte| bytewise.take(&[*byte]).is_ok()));
        assert_eq!(whole.ready, bytewise.ready);
        String::from_utf8(whole.ready.into()).unwrap_or_default()
    }

    #[test]
    fn a_code_alone_gets_an_empty_text() {
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
    fn what_a_server_offers_is_read_whatever_its_case_and_in_the_old_form() {
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
        let (short, long) = (b"250-x\r\n".as_slice(), [b"250-".as_slice(), &[b'x'; 1022], b"\r\n"].concat());
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
