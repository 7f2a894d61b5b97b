//! Another program's server, on a free port, that a test can stop and start again.

use super::DEADLINE;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// A running server; killed and reaped when dropped.
#[derive(Debug)]
pub struct ServerOnPort {
    address: SocketAddr,
    command: Command,
    child: Option<Child>,
}

impl ServerOnPort {
    /// Starts the command that `command` builds for a free port.
    pub fn start(command: impl Fn(u16) -> Command) -> Self {
        // Another process may take the port before the server binds it.
        for _ in 0..5 {
            let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            let mut command = command(address.port());
            command.stdout(Stdio::null()).stderr(Stdio::null());
            let mut server = Self { address, command, child: None };
            if server.try_start() {
                return server;
            }
        }
        panic!("{:?} does not start", command(0));
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

    /// Starts again at the same address.
    pub fn start_again(&mut self) {
        assert!(self.try_start(), "{:?} does not start again", self.command);
    }

    /// SIGSTOP: it keeps its connections and does not respond.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// SIGCONT.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, name: &str) {
        let id = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    fn try_start(&mut self) -> bool {
        let child = self.command.spawn();
        let child = child.unwrap_or_else(|error| panic!("{:?}: {error}; run scripts/setup test", self.command));
        let child = self.child.insert(child);
        let mut waited = Duration::ZERO;
        while TcpStream::connect(self.address).is_err() {
            if child.try_wait().unwrap().is_some() || waited > DEADLINE {
                return false;
            }
            std::thread::sleep(POLL_INTERVAL);
            waited += POLL_INTERVAL;
        }
        child.try_wait().unwrap().is_none()
    }
}

impl Drop for ServerOnPort {
    fn drop(&mut self) {
        self.stop();
    }
}
