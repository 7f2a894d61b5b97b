//! A TCP proxy before a PostgreSQL server that cuts the line, stalls it, or swallows an answer.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
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
    swallowed: Mutex<Option<Swallowed>>,
    stalled: Mutex<bool>,
    resumed: Condvar,
    open: Mutex<Vec<TcpStream>>,
}

#[derive(Debug, Clone, Copy)]
struct Swallowed {
    part: &'static str,
    /// Whether the client sees the line cut in place of the answer.
    then_cut: bool,
}

/// What becomes of one connection's answers from now on.
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
            swallowed: Mutex::new(None),
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
        self.line.hang_up();
    }

    pub fn restore(&self) {
        self.line.is_cut.store(false, Ordering::SeqCst);
    }

    /// From now on a statement that contains `part` reaches the server, and its answer reaches nobody.
    pub fn drop_responses_to(&self, part: &'static str) {
        *self.line.swallowed.lock().unwrap() = Some(Swallowed { part, then_cut: false });
    }

    /// The next statement that contains `part` is done by the server, and then the line is cut before anybody hears of it.
    pub fn cut_after(&self, part: &'static str) {
        *self.line.swallowed.lock().unwrap() = Some(Swallowed { part, then_cut: true });
    }

    /// Nothing passes any more, and no connection ends: a server that has stopped, or a network that loses everything.
    pub fn stall(&self) {
        *self.line.stalled.lock().unwrap() = true;
    }

    /// What waited passes.
    pub fn resume(&self) {
        *self.line.stalled.lock().unwrap() = false;
        self.line.resumed.notify_all();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.line.ended.store(true, Ordering::SeqCst);
        self.resume();
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
        let fate = Arc::new(Fate::default());
        let (to_server, to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        self.open.lock().unwrap().extend([server.try_clone().unwrap(), client.try_clone().unwrap()]);
        std::thread::spawn({
            let (line, fate) = (Arc::clone(self), Arc::clone(&fate));
            move || line.carry_statements(client, to_server, &fate)
        });
        let line = Arc::clone(self);
        std::thread::spawn(move || line.carry_answers(server, to_client, &fate));
    }

    fn wait_while_stalled(&self) {
        drop(self.resumed.wait_while(self.stalled.lock().unwrap(), |stalled| *stalled).unwrap());
    }

    fn hang_up(&self) {
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
        let mut swallowed = self.swallowed.lock().unwrap();
        let Some(what) = swallowed.filter(|what| String::from_utf8_lossy(text).contains(what.part)) else { return };
        fate.cut.store(what.then_cut, Ordering::SeqCst);
        fate.muted.store(true, Ordering::SeqCst);
        if what.then_cut {
            *swallowed = None;
        }
    }

    fn carry_answers(&self, mut server: TcpStream, mut client: TcpStream, fate: &Fate) {
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
