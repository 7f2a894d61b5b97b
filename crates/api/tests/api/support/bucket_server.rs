//! A real S3 server (`s3s-fs`) of a test's own, that checks signatures, and can go away and come back.

use super::PATIENCE;
use api::config::{S3Settings, StorageSettings};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const BETWEEN_LOOKS: Duration = Duration::from_millis(10);
const BUCKET: &str = "pictures";
const KEY_ID: &str = "AKIATESTS";
const SECRET: &str = "the secret of the tests' bucket";

/// A running `s3s-fs` with one empty bucket; killed and reaped when dropped.
#[derive(Debug)]
pub struct BucketServer {
    address: SocketAddr,
    child: Option<Child>,
    folder: TempDir,
}

impl BucketServer {
    pub fn start() -> Self {
        // Another process may take the port between the look and the start.
        for _ in 0..5 {
            let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            let mut server = Self { address: free, child: None, folder: tempfile::tempdir().unwrap() };
            std::fs::create_dir(server.folder.path().join(BUCKET)).unwrap();
            if server.try_start() {
                return server;
            }
        }
        panic!("s3s-fs does not start");
    }

    pub fn settings(&self) -> StorageSettings {
        self.settings_with(SECRET)
    }

    /// As for whoever has another secret.
    pub fn settings_with(&self, secret: &str) -> StorageSettings {
        StorageSettings::S3(S3Settings {
            bucket: BUCKET.to_owned(),
            access_key_id: KEY_ID.to_owned(),
            secret_access_key: secret.to_owned().into(),
            endpoint: Some(format!("http://{}", self.address)),
        })
    }

    /// The names of the bucket's files, in order.
    pub fn names(&self) -> Vec<String> {
        let bucket = self.folder.path().join(BUCKET);
        let mut folders = vec![bucket.clone()];
        let mut names = Vec::new();
        while let Some(folder) = folders.pop() {
            let entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
            let (inner, files): (Vec<_>, Vec<_>) = entries.into_iter().partition(|path| path.is_dir());
            folders.extend(inner);
            names.extend(files.iter().map(|file| file.strip_prefix(&bucket).unwrap().display().to_string()));
        }
        names.sort();
        names
    }

    /// Whether parts of an upload have arrived.
    pub fn has_parts(&self) -> bool {
        let mut entries = std::fs::read_dir(self.folder.path()).unwrap();
        entries.any(|entry| entry.unwrap().file_name().to_string_lossy().contains(".part"))
    }

    /// SIGKILL.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Again at the same address, with what was in it.
    pub fn start_again(&mut self) {
        assert!(self.try_start(), "s3s-fs does not start again");
    }

    /// SIGSTOP: it keeps its connections and answers nobody.
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
        let child = Command::new("s3s-fs")
            .args(["--host", "127.0.0.1", "--port", &self.address.port().to_string()])
            .args(["--access-key", KEY_ID, "--secret-key", SECRET])
            .arg(self.folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child = child.unwrap_or_else(|error| panic!("s3s-fs: {error}; run scripts/setup test"));
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

impl Drop for BucketServer {
    fn drop(&mut self) {
        self.stop();
    }
}
