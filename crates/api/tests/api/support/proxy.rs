//! A TCP proxy in front of a PostgreSQL server that cuts connections, stalls them, or drops responses.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

/// Forwards everything until a test changes that; ends when dropped.
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
    /// The statements whose responses never arrive.
    dropped: Mutex<Option<DroppedResponse>>,
    stalled: Mutex<bool>,
    resumed: Condvar,
    open: Mutex<Vec<TcpStream>>,
}

#[derive(Debug, Clone, Copy)]
struct DroppedResponse {
    /// A part of the statement's text.
    part: &'static str,
    /// Whether the connection is cut instead of the response being delivered.
    then_cut: bool,
}

/// What happens to one connection's responses from now on.
#[derive(Debug, Default)]
struct Fate {
    muted: AtomicBool,
    cut: AtomicBool,
}

impl Proxy {
    pub fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let line = Arc::new(Line {
            server,
            is_cut: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            dropped: Mutex::new(None),
            stalled: Mutex::new(false),
            resumed: Condvar::new(),
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
        self.line.disconnect_all();
    }

    /// Accepts connections again after [`cut`](Self::cut).
    pub fn restore(&self) {
        self.line.is_cut.store(false, Ordering::SeqCst);
    }

    /// From now on a statement that contains `part` reaches the server, but its response does not reach the client.
    pub fn drop_responses_to(&self, part: &'static str) {
        *self.line.dropped.lock().unwrap() = Some(DroppedResponse { part, then_cut: false });
    }

    /// The server executes the next statement that contains `part`, and the connection is cut before its response is delivered.
    pub fn cut_after(&self, part: &'static str) {
        *self.line.dropped.lock().unwrap() = Some(DroppedResponse { part, then_cut: true });
    }

    /// Forwards nothing and closes no connection, like a stopped server or a network that loses every packet.
    pub fn stall(&self) {
        *self.line.stalled.lock().unwrap() = true;
    }

    /// Forwards what was waiting, and everything after it.
    pub fn resume(&self) {
        *self.line.stalled.lock().unwrap() = false;
        self.line.resumed.notify_all();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.line.ended.store(true, Ordering::SeqCst);
        self.resume();
        self.line.disconnect_all();
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
        let fate = Arc::new(Fate::default());
        let (to_server, to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        self.open.lock().unwrap().extend([server.try_clone().unwrap(), client.try_clone().unwrap()]);
        std::thread::spawn({
            let (line, fate) = (Arc::clone(self), Arc::clone(&fate));
            move || line.carry_statements(client, to_server, &fate)
        });
        let line = Arc::clone(self);
        std::thread::spawn(move || line.carry_responses(server, to_client, &fate));
    }

    fn wait_while_stalled(&self) {
        drop(self.resumed.wait_while(self.stalled.lock().unwrap(), |stalled| *stalled).unwrap());
    }

    fn disconnect_all(&self) {
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Reads message by message (PostgreSQL's protocol 3.0), because a prepared statement is named in one and run by
    /// another.
    fn carry_statements(&self, mut client: TcpStream, mut server: TcpStream, fate: &Fate) {
        let mut prepared: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        let mut started = false;
        while let Some(message) = read_message(&mut client, started) {
            started = true;
            let body = &message[message.len().min(5)..];
            match message[0] {
                b'P' => prepared.extend(split_name(body)),
                b'B' => {
                    let name = split_name(body).and_then(|(_, rest)| split_name(&rest)).unwrap_or_default().0;
                    if let Some((_, text)) = prepared.iter().rev().find(|(known, _)| *known == name) {
                        self.decide(text, fate);
                    }
                }
                b'Q' => self.decide(body, fate),
                _ => {}
            }
            self.wait_while_stalled();
            if server.write_all(&message).is_err() {
                break;
            }
        }
        let _ = server.shutdown(Shutdown::Both);
    }

    fn decide(&self, text: &[u8], fate: &Fate) {
        let mut dropped = self.dropped.lock().unwrap();
        let Some(matching) = dropped.filter(|dropped| String::from_utf8_lossy(text).contains(dropped.part)) else {
            return;
        };
        fate.cut.store(matching.then_cut, Ordering::SeqCst);
        fate.muted.store(true, Ordering::SeqCst);
        if matching.then_cut {
            *dropped = None;
        }
    }

    fn carry_responses(&self, mut server: TcpStream, mut client: TcpStream, fate: &Fate) {
        let mut buffer = [0; 16 * 1024];
        while let Ok(count @ 1..) = server.read(&mut buffer) {
            self.wait_while_stalled();
            let muted = fate.muted.load(Ordering::SeqCst);
            if fate.cut.load(Ordering::SeqCst) || !muted && client.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        let _ = client.shutdown(Shutdown::Both);
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
