//! What the commands of a document run against: a deployment of their own.

use crate::support::document::Block;
use crate::support::{Database, PASSWORD, Process, RedisServer, SECRET_KEY, TestDb, create_user, servers, shell};
use std::path::Path;
use tempfile::TempDir;

/// Whose account the documents' commands use.
const EMAIL: &str = "ada@example.com";
/// Where the client would be; a section that needs its files says so itself.
const WEB: &str = "https://app.example.com";

/// An API in production and what stands around it; all of it goes when this is dropped.
#[derive(Debug)]
pub struct Stage {
    folder: TempDir,
    pub api: Process,
    variables: Vec<(String, String)>,
    _databases: [TestDb; 2],
    _redis: RedisServer,
    _mail: servers::Server,
}

impl Stage {
    /// With these variables in place of, or besides, those of a deployment in order that was backed up last night.
    pub async fn set(changes: &[(String, String)]) -> Self {
        let (db, empty) = (TestDb::migrated(Database::Postgres), TestDb::empty(Database::Postgres));
        let (redis, mail) = (RedisServer::start(), servers::Server::mail("n4Xw8pQe"));
        create_user(&db, EMAIL);
        let mut variables: Vec<(String, String)> = [
            ("APP_ENV", "production"),
            ("SECRET_KEY", SECRET_KEY),
            ("DATABASE_URL", db.url()),
            ("CORS_ALLOWED_ORIGINS", WEB),
            ("TRUSTED_PROXY_HOPS", "1"),
            ("BCRYPT_COST", "10"),
            ("RATE_LIMITS", "on"),
            ("HOST", "127.0.0.1"),
            ("METRICS_TOKEN", "w3Er6tYu8iOp0aSd"),
            ("EMAIL_URL", &format!("smtp://latchkey:n4Xw8pQe@{}", mail.address())),
            ("EMAIL_FROM", "Latchkey <no-reply@example.com>"),
            ("REDIS_URL", &redis.url()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let folder = tempfile::tempdir().unwrap();
        let backup = Block { language: "sh".to_owned(), text: "api backup create\n".to_owned(), line: 0 };
        shell::run(&[&backup], folder.path(), &variables).await.unwrap();
        variables.extend_from_slice(changes);
        let api = start(&variables);
        for (name, value) in [
            ("API_URL", format!("http://{}", api.address())),
            ("WEB_URL", WEB.to_owned()),
            ("EMAIL", EMAIL.to_owned()),
            ("PASSWORD", PASSWORD.to_owned()),
            ("NEW_DATABASE_URL", empty.url().to_owned()),
        ] {
            variables.push((name.to_owned(), value));
        }
        Self { folder, api, variables, _databases: [db, empty], _redis: redis, _mail: mail }
    }

    /// What the commands find in their environment.
    pub fn variables(&self) -> &[(String, String)] {
        &self.variables
    }

    /// Where they run.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Starts the API, and waits until it serves or says why it cannot yet.
fn start(variables: &[(String, String)]) -> Process {
    let variables: Vec<_> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let process = Process::start_unready("", &variables);
    let is_told = |line: &str| line.contains("start.database: ") || line.contains("start.waiting: ");
    process.live_log().until_one("start.", is_told);
    process
}
