//! A real mail server, as a process of its own: npm's `smtp-server`.

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
    told: Receiver<Value>,
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
        let told = listen(child.stdout.take().unwrap());
        let first = told.recv_timeout(DEADLINE).unwrap();
        Self { child, port: u16::try_from(first["port"].as_u64().unwrap()).unwrap(), told }
    }

    /// Without TLS and without a login, on any free port.
    pub fn plain() -> Self {
        Self::start(&json!({"port": 0, "tls": "none"}))
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// What the server tells next: a login, or a mail that it took.
    pub fn next(&self) -> Value {
        self.told.recv_timeout(DEADLINE).unwrap()
    }

    /// Stops it and gives what it has told and nobody has asked for.
    pub fn stop(mut self) -> Vec<Value> {
        self.end();
        self.told.iter().collect()
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
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if tell.send(serde_json::from_str(&line).unwrap()).is_err() {
                return;
            }
        }
    });
    told
}

/// A certificate for 127.0.0.1 that is its own authority, and its key.
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

/// One for all tests: making it takes a program.
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
