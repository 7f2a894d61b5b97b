//! A real Prometheus for one test, with the configuration of `docs/operations/monitoring`, and `promtool`.

use super::{DEADLINE, eventually, http_client};
use serde_json::Value;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;
use url::Url;

/// The folder of the files for operators.
pub fn monitoring() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operations/monitoring")
}

/// The program that `scripts/setup` unpacked, or else the system's.
fn program(name: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_BIN_EXE_api")).ancestors().nth(2).unwrap();
    let unpacked = target.join("prometheus").join(name);
    if unpacked.exists() { unpacked } else { name.into() }
}

/// Runs `promtool` in `folder`.
pub fn promtool(folder: &Path, arguments: &[&str]) -> Output {
    let output = Command::new(program("promtool")).args(arguments).current_dir(folder).output();
    output.unwrap_or_else(|error| panic!("promtool: {error}: run scripts/setup test"))
}

/// A copy of the configuration that scrapes `target` every second, with the rules and a token next to it.
pub fn configuration(target: SocketAddr, token: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut text = std::fs::read_to_string(monitoring().join("prometheus.yml")).unwrap();
    for (published, own) in [("15s", "1s"), ("https", "http"), ("api.example.com", &target.to_string())] {
        assert!(text.contains(published), "prometheus.yml does not contain {published}");
        text = text.replace(published, own);
    }
    std::fs::write(folder.path().join("prometheus.yml"), text).unwrap();
    std::fs::copy(monitoring().join("alerts.yml"), folder.path().join("alerts.yml")).unwrap();
    std::fs::write(folder.path().join("metrics-token"), token).unwrap();
    folder
}

/// A running Prometheus; killed and reaped when dropped.
#[derive(Debug)]
pub struct Prometheus {
    child: Child,
    address: SocketAddr,
    client: reqwest::Client,
    folder: TempDir,
}

impl Prometheus {
    /// Collects from `target` with `token`.
    pub async fn start(target: SocketAddr, token: &str) -> Self {
        // Another process may take the port before Prometheus binds it.
        for _ in 0..5 {
            let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            let mut server = Self::spawn(configuration(target, token), address);
            if server.is_ready().await {
                return server;
            }
        }
        panic!("prometheus does not start");
    }

    fn spawn(folder: TempDir, address: SocketAddr) -> Self {
        let child = Command::new(program("prometheus"))
            .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--log.level=error"])
            .arg(format!("--web.listen-address={address}"))
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("prometheus: {error}: run scripts/setup test"));
        let client = http_client().timeout(DEADLINE).build().unwrap();
        Self { child, address, client, folder }
    }

    /// Waits until it is ready; `false` when it has ended.
    async fn is_ready(&mut self) -> bool {
        let (client, url) = (self.client.clone(), format!("http://{}/-/ready", self.address));
        eventually("prometheus is ready or has ended", async || {
            if self.child.try_wait().unwrap().is_some() {
                return Some(false);
            }
            client.get(&url).send().await.is_ok_and(|response| response.status().is_success()).then_some(true)
        })
        .await
    }

    /// Replaces the token, from the next scrape on.
    pub fn use_token(&self, token: &str) {
        std::fs::write(self.folder.path().join("metrics-token"), token).unwrap();
    }

    /// The `data` of a successful response of its HTTP API.
    pub async fn get(&self, path: &str, parameters: &[(&str, &str)]) -> Value {
        let url = format!("http://{}/api/v1/{path}", self.address);
        let request = self.client.get(Url::parse_with_params(&url, parameters).unwrap());
        let response: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(response["status"], "success", "{path} {parameters:?}: {response}");
        response["data"].clone()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
