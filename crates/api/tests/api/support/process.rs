//! The real program, run as a process.

use super::log::Log;
use super::{DEADLINE, PASSWORD, SECRET_KEY, TestDb, TestResponse, http_client, send};
use auth_types::requests::{LoginRequest, RefreshRequest};
use auth_types::responses::TokenResponse;
use std::fs::Permissions;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Polls until `check` returns a value; the deadline applies only to a test that fails.
pub async fn eventually<T>(what: &str, mut check: impl AsyncFnMut() -> Option<T>) -> T {
    let polling = async {
        loop {
            if let Some(found) = check().await {
                return found;
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    };
    tokio::time::timeout(DEADLINE, polling).await.unwrap_or_else(|_| panic!("timed out: {what}"))
}

/// A running `api`; killed and reaped when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    address: SocketAddr,
    log: Log,
    client: reqwest::Client,
    /// Its working directory, which contains no `.env` and no `data/`.
    _folder: TempDir,
}

impl Process {
    /// Starts on `database_url` and waits until the database is usable.
    pub fn start(database_url: &str) -> Self {
        Self::start_with(database_url, &[])
    }

    pub fn start_with(database_url: &str, variables: &[(&str, &str)]) -> Self {
        let process = Self::start_unready(database_url, variables);
        process.log.wait_for("start.database: ");
        process
    }

    /// The same, but waits only until it listens.
    pub fn start_unready(database_url: &str, variables: &[(&str, &str)]) -> Self {
        Self::start_under("", database_url, variables)
    }

    /// The same after a shell command, such as one that sets a limit.
    pub fn start_under(before: &str, database_url: &str, variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = program(before, database_url, &folder).envs(variables.iter().copied()).spawn().unwrap();
        let log = Log::of(child.stderr.take().unwrap());
        let listening = log.wait_for("start.listening: http://");
        let address = listening.split("http://").nth(1).unwrap().split('"').next().unwrap().trim().parse().unwrap();
        let client = http_client().timeout(DEADLINE).build().unwrap();
        Self { child, address, log, client, _folder: folder }
    }

    /// Starts on a SQLite file that the process may only read, as is its folder. Root may write in spite of the permissions,
    /// so it starts the program as an unprivileged user.
    pub fn start_on_read_only_files(db: &TestDb) -> Self {
        let file = db.file();
        // While a connection is open, the write-ahead log exists next to the file.
        let _open = db.connect();
        for (path, mode) in [(file.parent().unwrap(), 0o555), (&file, 0o444)] {
            std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        }
        for suffix in ["-wal", "-shm"] {
            let path = format!("{}{suffix}", file.display());
            std::fs::set_permissions(path, Permissions::from_mode(0o444)).unwrap();
        }
        let drop_rights = "[ \"$(id -u)\" = 0 ] && exec setpriv --reuid=nobody --regid=nogroup --clear-groups \"$0\"";
        let process = Self::start_under(drop_rights, db.url(), &[]);
        process.log.wait_for("start.database: ");
        process
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its standard error, to wait for further lines.
    pub fn live_log(&self) -> &Log {
        &self.log
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The lines of its log that have arrived so far.
    pub fn log(&self) -> Vec<String> {
        self.log.lines()
    }

    /// All that it has logged until now: it writes lines some milliseconds later, in their order, so those before the line of
    /// a request that is sent now.
    pub async fn whole_log(&self) -> Vec<String> {
        let last = send(self.request(reqwest::Method::GET, "/healthz")).await;
        let id = last.header("x-request-id");
        eventually("the request is logged", async || {
            let log = self.log();
            log.iter().any(|line| line.contains(id)).then_some(log)
        })
        .await
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
        send(self.request(reqwest::Method::POST, "/api/auth/login/").json(&request)).await.tokens()
    }

    pub async fn refresh(&self, tokens: &TokenResponse, key: Option<&str>) -> TestResponse {
        let mut request = self.request(reqwest::Method::POST, "/api/auth/refresh/");
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        send(request.json(&RefreshRequest { refresh: tokens.refresh.clone() })).await
    }

    pub async fn logout(&self, tokens: &TokenResponse) -> TestResponse {
        let request = RefreshRequest { refresh: tokens.refresh.clone() };
        send(self.request(reqwest::Method::POST, "/api/auth/logout/").json(&request)).await
    }

    pub async fn me(&self, tokens: &TokenResponse) -> TestResponse {
        send(self.request(reqwest::Method::GET, "/api/auth/me/").bearer_auth(&tokens.access)).await
    }

    pub async fn get(&self, path: &str) -> TestResponse {
        send(self.request(reqwest::Method::GET, path)).await
    }

    pub async fn register(&self, email: &str) -> TestResponse {
        let body = serde_json::json!({"email": email, "password": PASSWORD});
        send(self.request(reqwest::Method::POST, "/api/auth/register/").json(&body)).await
    }

    /// Waits until `/readyz` reports success.
    pub async fn wait_until_ready(&self) {
        eventually("the process is ready", async || self.get("/readyz").await.status.is_success().then_some(())).await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command that starts the program.
fn program(before: &str, database_url: &str, folder: &TempDir) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("{before}\nexec \"$0\""), env!("CARGO_BIN_EXE_api")])
        .current_dir(folder.path())
        .env_clear()
        .env("DATABASE_URL", database_url)
        .env("DATABASE_POOL_SIZE", "4")
        .env("SECRET_KEY", SECRET_KEY)
        .env("BCRYPT_COST", "4")
        .env("RATE_LIMITS", "off")
        .env("PORT", "0")
        .stdin(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// Starts a process that must fail, and returns its exit status and its log.
pub async fn try_start(database_url: &str) -> (ExitStatus, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut child = program("", database_url, &folder).spawn().unwrap();
    let log = Log::of(child.stderr.take().unwrap());
    let status = eventually("the start ends", async || child.try_wait().unwrap()).await;
    (status, log.until_end().join("\n"))
}

/// Creates an account through the program's `create-user`.
pub fn create_user(db: &TestDb, email: &str) {
    let made = try_create_user(db, email, format!("{PASSWORD}\n").as_bytes());
    assert!(made.status.success(), "{made:?}");
}

/// Runs `create-user` with this password on standard input.
pub fn try_create_user(db: &TestDb, email: &str, password: &[u8]) -> Output {
    try_create_user_with(db, email, &[], password)
}

/// The same with further arguments.
pub fn try_create_user_with(db: &TestDb, email: &str, arguments: &[&str], password: &[u8]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_api"))
        .args(["create-user", "--email", email, "--password-stdin"])
        .args(arguments)
        .current_dir(folder.path())
        .env_clear()
        .env("DATABASE_URL", db.url())
        .env("SECRET_KEY", SECRET_KEY)
        .env("BCRYPT_COST", "4")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The program does not read it if it refuses something else first.
    let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), password);
    child.wait_with_output().unwrap()
}
