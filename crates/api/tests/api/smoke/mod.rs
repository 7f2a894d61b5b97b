//! `api smoke` against real pairs of a client and an API: sound ones, and ones that are broken as deployments break.

mod broken;
mod program;
mod sound;

use crate::support::{CLIENT, Database, Edge, Process, Publication, SECRET_KEY, StaticHost, TestDb};
use actix_web::web;
use serde_json::Value;
use std::io::Write;
use std::process::{Command, Output, Stdio};

/// A client, an API in production and a database, which run until the test ends.
struct Pair {
    api: String,
    web: String,
    /// The port of the same API over plain HTTP.
    http_port: u16,
    processes: Vec<Process>,
    db: TestDb,
}

/// What a test changes in a sound pair.
struct Plan {
    database: Database,
    /// The additional environment of each process.
    processes: Vec<Vec<(&'static str, String)>>,
    cors: Option<String>,
    /// What the edge appends to `X-Forwarded-For`.
    client: &'static str,
    publish: fn(&mut Publication),
}

impl Default for Plan {
    fn default() -> Self {
        Self { database: Database::Sqlite, processes: vec![Vec::new()], cors: None, client: CLIENT, publish: |_| {} }
    }
}

/// One process with these variables.
fn with(variables: &[(&'static str, &str)]) -> Plan {
    let process = variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Plan { processes: vec![process], ..Plan::default() }
}

impl Plan {
    async fn start(self) -> Pair {
        let (host, db) = (StaticHost::new(), TestDb::migrated(self.database));
        let web = host.url();
        let cors = self.cors.unwrap_or_else(|| web.clone());
        let start = |further: &Vec<(&'static str, String)>| {
            let common = [
                ("APP_ENV", "production"),
                ("SECRET_KEY", SECRET_KEY),
                ("HOST", "127.0.0.1"),
                ("RATE_LIMITS", "on"),
                ("BCRYPT_COST", "10"),
                ("TRUSTED_PROXY_HOPS", "1"),
                ("CORS_ALLOWED_ORIGINS", &cors),
            ];
            let variables: Vec<_> =
                common.into_iter().chain(further.iter().map(|(name, value)| (*name, value.as_str()))).collect();
            Process::start_with(db.url(), &variables)
        };
        let processes: Vec<_> = self.processes.iter().map(start).collect();
        for process in &processes {
            process.wait_until_ready().await;
        }
        let addresses: Vec<_> = processes.iter().map(Process::address).collect();
        let edge = Edge::with_client(&addresses, "https", self.client);
        let http_edge = Edge::with_client(&addresses, "http", self.client);
        let api = format!("http://{}", edge.address());
        let mut publication = Publication::for_api(&api);
        (self.publish)(&mut publication);
        host.publish(publication);
        Pair { api, web, http_port: http_edge.address().port(), processes, db }
    }
}

/// The result of a run.
struct Run {
    code: Option<i32>,
    report: Value,
    output: String,
}

impl Run {
    fn of(finished: &Output) -> Self {
        let output = String::from_utf8(finished.stdout.clone()).unwrap() + &String::from_utf8_lossy(&finished.stderr);
        Self { code: finished.status.code(), report: serde_json::from_str(&output).unwrap_or_default(), output }
    }

    fn names(&self, verdict: &str) -> Vec<&str> {
        let rows = self.report["checks"].as_array().unwrap_or_else(|| panic!("{}", self.output));
        rows.iter().filter(|row| row["verdict"] == verdict).map(|row| row["name"].as_str().unwrap()).collect()
    }

    /// The failures come first, because a test's log may be cut off.
    fn expect_no_failure(&self) {
        let failed: Vec<_> = self.names("failed").iter().map(|name| format!("{name}: {}", self.seen(name))).collect();
        assert!(failed.is_empty(), "{failed:#?}\n{}", self.output);
    }

    fn seen(&self, name: &str) -> &str {
        let rows = self.report["checks"].as_array().unwrap();
        rows.iter().find(|row| row["name"] == name).unwrap()["seen"].as_str().unwrap()
    }
}

/// Runs the program as an operator does, without any variables of the deployment.
async fn smoke(pair: &Pair, arguments: &[&str], input: &str) -> Run {
    let sites = ["smoke", "--json", "--api", &pair.api, "--web", &pair.web];
    let arguments: Vec<_> = sites.iter().chain(arguments).map(|argument| (*argument).to_owned()).collect();
    Run::of(&run(arguments, input.to_owned()).await)
}

async fn run(arguments: Vec<String>, input: String) -> Output {
    let running = web::block(move || {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_api"))
            .args(arguments)
            .current_dir(folder.path())
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes()); // most runs do not read it
        let output = child.wait_with_output().unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "a run leaves no file behind");
        output
    });
    running.await.unwrap()
}
