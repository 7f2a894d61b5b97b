//! A PostgreSQL server for one test, which may stop, kill and restart it.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// A cluster in its own folder and, while it runs, its server.
#[derive(Debug)]
pub struct Cluster {
    address: SocketAddr,
    server: Option<Child>,
    // The last field, so that the folder is removed after the server has ended.
    folder: TempDir,
}

impl Cluster {
    /// A new cluster, not yet started.
    pub fn stopped() -> Self {
        let folder = tempfile::Builder::new().prefix("latchkey-cluster.").tempdir().unwrap();
        let owner = owner();
        if let Some(owner) = &owner {
            assert!(Command::new("chown").arg(owner).arg(folder.path()).status().unwrap().success());
        }
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let made = as_owner("initdb")
            .arg(format!("--pgdata={}", folder.path().join("data").display()))
            .args(["--username=latchkey", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self { address, server: None, folder }
    }

    pub fn started() -> Self {
        let mut cluster = Self::stopped();
        cluster.start();
        cluster
    }

    pub fn url(&self) -> String {
        format!("postgres://latchkey@{}/postgres?sslmode=disable", self.address)
    }

    /// Starts the server and waits until it accepts connections.
    pub fn start(&mut self) {
        let server = as_owner("postgres")
            .arg("-D")
            .arg(self.folder.path().join("data"))
            .args(["-h", "127.0.0.1", "-k", "", "-c", "log_min_messages=fatal", "-c", "max_connections=30"])
            .args(["-c", "fsync=off", "-c", "shared_buffers=1MB", "-p", &self.address.port().to_string()])
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.server = Some(server);
        let url = api::config::DatabaseUrl::Postgres(self.url().into());
        for _ in 0..600 {
            match api::store::connection::open(&url) {
                Err(error) if !error.to_string().contains("password") => std::thread::sleep(Duration::from_millis(50)),
                Ok(_) | Err(_) => return,
            }
        }
        panic!("PostgreSQL did not start in {}", self.folder.path().display());
    }

    /// From the next start on every user needs a password, and none has one.
    pub fn require_passwords(&self) {
        std::fs::write(self.folder.path().join("data/pg_hba.conf"), "host all all 127.0.0.1/32 scram-sha-256\n")
            .unwrap();
    }

    /// Ends the server at once, as a crash does: its next start recovers the committed data from the log.
    pub fn crash(&mut self) {
        self.end("-QUIT");
    }

    fn end(&mut self, signal: &str) {
        if let Some(mut server) = self.server.take() {
            let _ = Command::new("kill").args([signal, &server.id().to_string()]).status();
            server.wait().unwrap();
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.end("-QUIT");
    }
}

/// PostgreSQL refuses to run as root, so root starts it as an unprivileged user, as `scripts/postgres` does.
fn owner() -> Option<String> {
    let is_root = Command::new("id").arg("-u").output().unwrap().stdout.trim_ascii() == b"0";
    let exists = |user: &str| Command::new("id").arg(user).output().unwrap().status.success();
    is_root.then(|| if exists("postgres") { "postgres" } else { "nobody" }.to_owned())
}

/// One of PostgreSQL's programs. `setpriv` executes it in its own process, so that is the child.
fn as_owner(program: &str) -> Command {
    let program = programs().join(program);
    let Some(owner) = owner() else { return Command::new(program) };
    let mut command = Command::new("setpriv");
    let group = String::from_utf8(Command::new("id").args(["-g", &owner]).output().unwrap().stdout).unwrap();
    command.arg(format!("--reuid={owner}")).arg(format!("--regid={}", group.trim())).arg("--clear-groups").arg(program);
    command
}

/// The folder of the server's programs, which `scripts/postgres` sets.
fn programs() -> PathBuf {
    let folder = std::env::var("TEST_POSTGRES_BIN")
        .unwrap_or_else(|_| panic!("TEST_POSTGRES_BIN is not set: run it as `scripts/postgres run -- cargo test`"));
    Path::new(&folder).to_owned()
}
