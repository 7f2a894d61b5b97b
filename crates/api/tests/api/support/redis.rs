//! A real `redis-server` of a test's own, that can go away and come back.

use super::PATIENCE;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// A running `redis-server`; killed and reaped when dropped.
#[derive(Debug)]
pub struct RedisServer {
    address: SocketAddr,
    child: Option<Child>,
}

impl RedisServer {
    pub fn start() -> Self {
        // Another process may take the port between the look and the start.
        for _ in 0..5 {
            let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            let mut server = Self { address: free, child: None };
            if server.try_start() {
                return server;
            }
        }
        panic!("redis-server does not start");
    }

    /// As `REDIS_URL` takes it.
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// SIGKILL.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Again at the same address, with nothing in it.
    pub fn start_again(&mut self) {
        assert!(self.try_start(), "redis-server does not start again");
    }

    /// SIGSTOP: it keeps its connections and answers nobody.
    pub fn freeze(&self) {
        let id = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-STOP", &id]).status().unwrap().success());
    }

    /// What it answers to one command.
    pub fn ask(&self, command: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(format!("{command}\r\nQUIT\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.strip_suffix("+OK\r\n").unwrap().to_owned()
    }

    fn try_start(&mut self) -> bool {
        let port = self.address.port().to_string();
        let child = Command::new("redis-server")
            .args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no"])
            .current_dir(std::env::temp_dir())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child = child.unwrap_or_else(|error| panic!("redis-server: {error}; run scripts/setup test"));
        let child = self.child.insert(child);
        let mut waited = Duration::ZERO;
        while TcpStream::connect(self.address).is_err() {
            if child.try_wait().unwrap().is_some() || waited > PATIENCE {
                return false;
            }
            std::thread::sleep(BETWEEN_LOOKS);
            waited += BETWEEN_LOOKS;
        }
        child.try_wait().unwrap().is_none()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.stop();
    }
}
