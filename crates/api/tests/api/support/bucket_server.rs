//! A real S3 server (`s3s-fs`) for one test. It checks signatures, and a test can stop and start it.

use super::port::ServerOnPort;
use api::config::{S3Settings, StorageSettings};
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

const BUCKET: &str = "pictures";
const KEY_ID: &str = "AKIATESTS";
const SECRET: &str = "the secret of the tests' bucket";

/// A running `s3s-fs` with one bucket, empty at first.
#[derive(Debug)]
pub struct BucketServer {
    server: ServerOnPort,
    folder: TempDir,
}

impl BucketServer {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let server = ServerOnPort::start(|port| {
            let mut command = Command::new("s3s-fs");
            command
                .args(["--host", "127.0.0.1", "--port", &port.to_string()])
                .args(["--access-key", KEY_ID, "--secret-key", SECRET])
                .arg(folder.path());
            command
        });
        Self { server, folder }
    }

    pub fn settings(&self) -> StorageSettings {
        self.settings_with(SECRET)
    }

    /// The settings of a client with another secret.
    pub fn settings_with(&self, secret: &str) -> StorageSettings {
        StorageSettings::S3(S3Settings {
            bucket: BUCKET.to_owned(),
            access_key_id: KEY_ID.to_owned(),
            secret_access_key: secret.to_owned().into(),
            endpoint: Some(format!("http://{}", self.server.address())),
        })
    }

    /// The folder with the bucket's files.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join(BUCKET)
    }

    /// The names of the bucket's files, in order.
    pub fn names(&self) -> Vec<String> {
        let bucket = self.path();
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

    /// Whether it has received a part of an unfinished upload.
    pub fn has_parts(&self) -> bool {
        let mut entries = std::fs::read_dir(self.folder.path()).unwrap();
        entries.any(|entry| entry.unwrap().file_name().to_string_lossy().contains(".part"))
    }
}

impl Deref for BucketServer {
    type Target = ServerOnPort;

    fn deref(&self) -> &ServerOnPort {
        &self.server
    }
}

impl DerefMut for BucketServer {
    fn deref_mut(&mut self) -> &mut ServerOnPort {
        &mut self.server
    }
}
