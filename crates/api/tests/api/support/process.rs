//! The real program, as a process of its own.

use super::{Answer, PASSWORD, PATIENCE, SECRET_KEY, TestDb, send};
use auth_types::requests::{LoginRequest, RefreshRequest};
use auth_types::responses::TokenResponse;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// Looks until it is so; the deadline is for a test that fails.
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("waited in vain: {what}"))
}

/// What a process has written, line by line.
#[derive(Debug, Clone, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// A running `api`; killed and reaped when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    address: SocketAddr,
    client: reqwest::Client,
    log: Log,
    /// Its working directory: no `.env` and no `data/` of anybody else.
    _folder: TempDir,
}

impl Process {
    /// Starts on `database_url` and waits until it listens.
    pub fn start(database_url: &str) -> Self {
        Self::start_with(database_url, &[])
    }

    pub fn start_with(database_url: &str, variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_api"))
            .current_dir(folder.path())
            .env_clear()
            .env("DATABASE_URL", database_url)
            .env("DATABASE_POOL_SIZE", "4")
            .env("SECRET_KEY", SECRET_KEY)
            .env("BCRYPT_COST", "4")
            .env("RATE_LIMITS", "off")
            .env("PORT", "0")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Log::default();
        let address = read_address(child.stderr.take().unwrap(), &log);
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        Self { child, address, client, log, _folder: folder }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// All that it has logged so far.
    pub fn log(&self) -> Vec<String> {
        self.log.lines()
    }

    /// SIGKILL: no handler runs, nothing is flushed.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, as a platform sends it before it replaces a process.
    pub fn terminate(&self) {
        let done = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(done.success());
    }

    pub async fn exit_status(&mut self) -> ExitStatus {
        eventually("the process ends", async || self.child.try_wait().unwrap()).await
    }

    pub fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.address))
    }

    pub async fn login(&self, email: &str) -> TokenResponse {
        let request = LoginRequest { email: Some(email.to_owned()), username: None, password: PASSWORD.to_owned() };
        send(self.request(reqwest::Method::POST, "/api/auth/login/").json(&request)).await.ok()
    }

    pub async fn refresh(&self, tokens: &TokenResponse, key: Option<&str>) -> Answer {
        let mut request = self.request(reqwest::Method::POST, "/api/auth/refresh/");
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        send(request.json(&RefreshRequest { refresh: tokens.refresh.clone() })).await
    }

    pub async fn logout(&self, tokens: &TokenResponse) -> Answer {
        let request = RefreshRequest { refresh: tokens.refresh.clone() };
        send(self.request(reqwest::Method::POST, "/api/auth/logout/").json(&request)).await
    }

    pub async fn me(&self, tokens: &TokenResponse) -> Answer {
        send(self.request(reqwest::Method::GET, "/api/auth/me/").bearer_auth(&tokens.access)).await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The log says where it listens; all of it is read, so that the process never waits for us.
fn read_address(stderr: ChildStderr, log: &Log) -> SocketAddr {
    let mut lines = BufReader::new(stderr).lines().map_while(Result::ok);
    for line in lines.by_ref() {
        log.add(line.clone());
        if let Some((_, rest)) = line.split_once("start.listening: http://") {
            let digits = rest.split('"').next().unwrap_or(rest);
            let address = digits.trim().parse().unwrap();
            let log = log.clone();
            std::thread::spawn(move || lines.for_each(|line| log.add(line)));
            return address;
        }
    }
    panic!("the API did not start:\n{}", log.lines().join("\n"))
}

/// An account that can sign in, made by the program itself.
pub fn create_user(db: &TestDb, email: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_api"))
        .args(["create-user", "--email", email, "--password-stdin"])
        .current_dir(folder.path())
        .env_clear()
        .env("DATABASE_URL", db.url())
        .env("SECRET_KEY", SECRET_KEY)
        .env("BCRYPT_COST", "4")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), format!("{PASSWORD}\n").as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}
