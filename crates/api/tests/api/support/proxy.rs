//! A TCP proxy before a PostgreSQL server that cuts the line, or swallows an answer.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// Lets everything pass until it is told otherwise; ends when dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    line: Arc<Line>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Line {
    server: SocketAddr,
    is_cut: AtomicBool,
    ended: AtomicBool,
    /// Statements whose answers never arrive, by what their text contains.
    swallowed: Mutex<Option<&'static str>>,
    open: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    pub fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let line = Arc::new(Line {
            server,
            is_cut: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            swallowed: Mutex::new(None),
            open: Mutex::new(Vec::new()),
        });
        let accepting = std::thread::spawn({
            let line = Arc::clone(&line);
            move || line.accept(&listener)
        });
        Self { address, line, accepting: Some(accepting) }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cuts every connection and refuses new ones.
    pub fn cut(&self) {
        self.line.is_cut.store(true, Ordering::SeqCst);
        self.line.hang_up();
    }

    pub fn mend(&self) {
        self.line.is_cut.store(false, Ordering::SeqCst);
    }

    /// From now on a statement that contains `part` reaches the server, and its answer reaches nobody.
    pub fn swallow_answers_to(&self, part: &'static str) {
        *self.line.swallowed.lock().unwrap() = Some(part);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.line.ended.store(true, Ordering::SeqCst);
        self.line.hang_up();
        let _ = TcpStream::connect(self.address); // wakes `accept`
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

impl Line {
    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming() {
            if self.ended.load(Ordering::SeqCst) {
                return;
            }
            let Ok(client) = client else { continue };
            if self.is_cut.load(Ordering::SeqCst) {
                continue;
            }
            let Ok(server) = TcpStream::connect(self.server) else { continue };
            self.join(client, server);
        }
    }

    fn join(self: &Arc<Self>, client: TcpStream, server: TcpStream) {
        let muted = Arc::new(AtomicBool::new(false));
        let (to_server, to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        self.open.lock().unwrap().extend([server.try_clone().unwrap(), client.try_clone().unwrap()]);
        std::thread::spawn({
            let (line, muted) = (Arc::clone(self), Arc::clone(&muted));
            move || line.carry_statements(client, to_server, &muted)
        });
        std::thread::spawn(move || carry_answers(server, to_client, &muted));
    }

    fn hang_up(&self) {
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Reads message by message (PostgreSQL's protocol 3.0), because a prepared statement is named in one and run by
    /// another.
    fn carry_statements(&self, mut client: TcpStream, mut server: TcpStream, muted: &AtomicBool) {
        let mut prepared: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        let mut started = false;
        while let Some(message) = read_message(&mut client, started) {
            started = true;
            let body = &message[message.len().min(5)..];
            match message[0] {
                b'P' => prepared.extend(split_name(body)),
                b'B' => {
                    let name = split_name(body).and_then(|(_, rest)| split_name(&rest)).unwrap_or_default().0;
                    let text = prepared.iter().rev().find(|(known, _)| *known == name).map(|(_, text)| text);
                    let part = *self.swallowed.lock().unwrap();
                    if let (Some(part), Some(text)) = (part, text)
                        && String::from_utf8_lossy(text).contains(part)
                    {
                        muted.store(true, Ordering::SeqCst);
                    }
                }
                _ => {}
            }
            if server.write_all(&message).is_err() {
                break;
            }
        }
        let _ = server.shutdown(Shutdown::Both);
    }
}

/// A whole message; the first one has no type byte.
fn read_message(client: &mut TcpStream, started: bool) -> Option<Vec<u8>> {
    let mut message = vec![0; if started { 5 } else { 4 }];
    client.read_exact(&mut message).ok()?;
    let length = u32::from_be_bytes(message[message.len() - 4..].try_into().ok()?) as usize;
    let rest = length.checked_sub(4)?;
    let start = message.len();
    message.resize(start + rest, 0);
    client.read_exact(&mut message[start..]).ok()?;
    Some(message)
}

/// A text that ends with a NUL, and what follows it.
fn split_name(body: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let end = body.iter().position(|byte| *byte == 0)?;
    Some((body[..end].to_vec(), body[end + 1..].to_vec()))
}

fn carry_answers(mut server: TcpStream, mut client: TcpStream, muted: &AtomicBool) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(count @ 1..) = server.read(&mut buffer) {
        if !muted.load(Ordering::SeqCst) && client.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
}
