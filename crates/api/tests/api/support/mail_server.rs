//! A real mail server, run as a process: npm's `smtp-server`.

use super::DEADLINE;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, channel};
use tempfile::TempDir;

/// A mail server; it ends when this is dropped.
#[derive(Debug)]
pub struct MailServer {
    child: Child,
    port: u16,
    events: Receiver<Value>,
}

impl MailServer {
    /// Starts with options as `mail-server.js` describes them.
    pub fn start(options: &Value) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../client/e2e");
        assert!(folder.join("node_modules/smtp-server").exists(), "smtp-server is missing: run scripts/setup test");
        let mut child = Command::new("node")
            .arg(folder.join("support/mail-server.js"))
            .arg(options.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let events = listen(child.stdout.take().unwrap());
        let first = events.recv_timeout(DEADLINE).unwrap();
        Self { child, port: u16::try_from(first["port"].as_u64().unwrap()).unwrap(), events }
    }

    /// Without TLS and without a login, on any free port.
    pub fn plain() -> Self {
        Self::start(&json!({"port": 0, "tls": "none"}))
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The next event that the server reports: a login, or a mail that it accepted.
    pub fn next(&self) -> Value {
        self.events.recv_timeout(DEADLINE).unwrap()
    }

    /// Stops it and returns the events that the test has not read.
    pub fn stop(mut self) -> Vec<Value> {
        self.end();
        self.events.iter().collect()
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.end();
    }
}

fn listen(stdout: ChildStdout) -> Receiver<Value> {
    let (sender, events) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if sender.send(serde_json::from_str(&line).unwrap()).is_err() {
                return;
            }
        }
    });
    events
}

/// A self-signed certificate for 127.0.0.1, and its key.
#[derive(Debug)]
pub struct Certificate {
    folder: TempDir,
}

impl Certificate {
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("server.crt")
    }

    pub fn key(&self) -> PathBuf {
        self.folder.path().join("server.key")
    }
}

/// Shared by all tests, because `openssl` creates it in a process.
pub static CERTIFICATE: LazyLock<Certificate> = LazyLock::new(|| {
    let certificate = Certificate { folder: tempfile::tempdir().unwrap() };
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=mail.test", "-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"])
        .arg(certificate.key())
        .arg("-out")
        .arg(certificate.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    certificate
});
