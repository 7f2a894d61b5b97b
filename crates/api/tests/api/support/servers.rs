//! Small stand-ins for the servers that the API uses: a mail server, a bucket, Redis. They implement just enough of their
//! protocols for one client.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// Listens on a free port; ends when dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves each client in its own thread until either side disconnects.
    pub fn start(serve: impl Fn(TcpStream) -> std::io::Result<()> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (ended, serve) = (Arc::new(AtomicBool::new(false)), Arc::new(serve));
        let accepting = std::thread::spawn({
            let ended = Arc::clone(&ended);
            move || {
                for client in listener.incoming().map_while(Result::ok) {
                    if ended.load(Ordering::SeqCst) {
                        return;
                    }
                    let serve = Arc::clone(&serve);
                    std::thread::spawn(move || serve(client));
                }
            }
        });
        Self { address, ended, accepting: Some(accepting) }
    }

    /// Accepts every connection and sends nothing until the client disconnects.
    pub fn silent() -> Self {
        Self::start(|mut client| client.read_to_end(&mut Vec::new()).map(|_| ()))
    }

    /// A mail server that accepts `password`.
    pub fn mail(password: &'static str) -> Self {
        Self::start(move |client| serve_smtp(client, password))
    }

    /// A mail server that repeats the command of this step behind `before`.
    pub fn echoing_mail(step: &'static str, before: &'static str) -> Self {
        Self::start(move |client| serve_echoes(client, step, before))
    }

    /// A bucket that stores uploads in `files`; without them it refuses every request.
    pub fn bucket(files: Option<Arc<Files>>) -> Self {
        Self::start(move |client| serve_s3(client, files.as_deref()))
    }

    /// A Redis that replies to each command with `reply`.
    pub fn redis(reply: &'static str) -> Self {
        Self::start(move |client| serve_redis(client, reply))
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address); // wakes `accept`
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

/// An address where no server listens.
pub fn unused_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// The next line without its end; `None` when the client has disconnected.
fn next_line(reader: &mut impl BufRead) -> std::io::Result<Option<String>> {
    let mut line = String::new();
    Ok((reader.read_line(&mut line)? > 0).then(|| line.trim_end().to_owned()))
}

/// RFC 5321 and RFC 4954, without any mail.
fn serve_smtp(mut client: TcpStream, password: &str) -> std::io::Result<()> {
    use base64::Engine;
    let mut reader = BufReader::new(client.try_clone()?);
    client.write_all(b"220 mail.test\r\n")?;
    while let Some(line) = next_line(&mut reader)? {
        let reply = match line.split(' ').next().unwrap_or_default() {
            "EHLO" => "250-mail.test\r\n250 AUTH PLAIN",
            "AUTH" => {
                let given = base64::engine::general_purpose::STANDARD.decode(line.rsplit(' ').next().unwrap());
                let right = given.unwrap_or_default().ends_with(format!("\0{password}").as_bytes());
                if right { "235 welcome" } else { "535 wrong user or password" }
            }
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        client.write_all(format!("{reply}\r\n").as_bytes())?;
    }
    Ok(())
}

fn serve_echoes(mut client: TcpStream, step: &str, before: &str) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    client.write_all(b"220 mail.test\r\n")?;
    while let Some(line) = next_line(&mut reader)? {
        let reply = match line.split(' ').next().unwrap_or_default() {
            command if command == step => format!("{before}{line}"),
            "EHLO" => "250-mail.test\r\n250 AUTH PLAIN".to_owned(),
            "AUTH" => "235 welcome".to_owned(),
            _ => "250 ok".to_owned(),
        };
        client.write_all(format!("{reply}\r\n").as_bytes())?;
    }
    Ok(())
}

/// The files of a bucket, by name.
pub type Files = Mutex<HashMap<String, Vec<u8>>>;

fn serve_s3(mut client: TcpStream, files: Option<&Files>) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    while let Some(request) = next_line(&mut reader)? {
        let mut length = 0;
        while let Some(header) = next_line(&mut reader)?.filter(|line| !line.is_empty()) {
            if let Some(value) = header.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let (status, body) = files.map_or(("403 Forbidden", Vec::new()), |files| s3_response(&request, body, files));
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\nETag: \"1\"\r\nLast-Modified: Tue, 03 Mar 2026 05:06:07 GMT\r\n\r\n",
            body.len()
        );
        client.write_all(&[head.as_bytes(), &body].concat())?;
    }
    Ok(())
}

fn s3_response(request: &str, body: Vec<u8>, files: &Files) -> (&'static str, Vec<u8>) {
    let mut words = request.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let mut files = files.lock().unwrap();
    match method.as_str() {
        "PUT" => {
            files.insert(path, body);
            ("200 OK", Vec::new())
        }
        "GET" => files.get(&path).map_or(("404 Not Found", Vec::new()), |kept| ("200 OK", kept.clone())),
        _ => {
            files.remove(&path);
            ("204 No Content", Vec::new())
        }
    }
}

/// Each command is an array of strings: `*1`, `$4`, `PING`.
fn serve_redis(mut client: TcpStream, reply: &str) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    while let Some(count) = next_line(&mut reader)? {
        for _ in 0..2 * count.trim_start_matches('*').parse::<usize>().unwrap() {
            next_line(&mut reader)?;
        }
        client.write_all(format!("{reply}\r\n").as_bytes())?;
    }
    Ok(())
}
