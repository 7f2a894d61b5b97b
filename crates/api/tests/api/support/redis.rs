//! A real `redis-server` for one test.

use super::port::ServerOnPort;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::ops::{Deref, DerefMut};
use std::process::Command;

/// A running `redis-server`, empty after each start.
#[derive(Debug)]
pub struct RedisServer(ServerOnPort);

impl RedisServer {
    pub fn start() -> Self {
        Self(ServerOnPort::start(|port| {
            let mut command = Command::new("redis-server");
            command
                .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
                .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
                .current_dir(std::env::temp_dir());
            command
        }))
    }

    /// The value for `REDIS_URL`.
    pub fn url(&self) -> String {
        format!("redis://{}", self.address())
    }

    /// Runs one command and returns the reply.
    pub fn command(&self, command: &str) -> String {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        stream.write_all(format!("{command}\r\nQUIT\r\n").as_bytes()).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        reply.strip_suffix("+OK\r\n").unwrap().to_owned()
    }
}

impl Deref for RedisServer {
    type Target = ServerOnPort;

    fn deref(&self) -> &ServerOnPort {
        &self.0
    }
}

impl DerefMut for RedisServer {
    fn deref_mut(&mut self) -> &mut ServerOnPort {
        &mut self.0
    }
}
