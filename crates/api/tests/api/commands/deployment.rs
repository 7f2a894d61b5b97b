//! The deployment that a section's commands run against.

use crate::support::document::Block;
use crate::support::{
    Database, Edge, PASSWORD, Process, Publication, RedisServer, SECRET_KEY, StaticHost, TestDb, create_user, servers,
    shell, write_backup_key,
};
use std::path::Path;
use tempfile::TempDir;

/// The account that the documents' commands use.
const EMAIL: &str = "ada@example.com";
/// The front end's origin in the documents; the address of the test's static host is allowed, too.
const FRONT_END: &str = "https://app.example.com";

type Variables = Vec<(String, String)>;

/// A client and an API in production with the servers that they need; all of them end when this is dropped.
#[derive(Debug)]
pub struct Deployment {
    folder: TempDir,
    pub api: Process,
    variables: Variables,
    _databases: [TestDb; 2],
    _redis: RedisServer,
    _mail: servers::Server,
}

impl Deployment {
    /// Starts a sound deployment with these changes to its variables, after creating a backup that only the key in `key.txt` opens.
    pub async fn start(changes: &[(String, String)]) -> Self {
        let (db, empty) = (TestDb::migrated(Database::Postgres), TestDb::empty(Database::Postgres));
        let (redis, mail) = (RedisServer::start(), servers::Server::mail("n4Xw8pQe"));
        create_user(&db, EMAIL);
        let folder = tempfile::tempdir().unwrap();
        let recipient = write_backup_key(&folder.path().join("key.txt"));
        let mut variables = pairs(&[
            ("APP_ENV", "production"),
            ("SECRET_KEY", SECRET_KEY),
            ("DATABASE_URL", db.url()),
            ("CORS_ALLOWED_ORIGINS", FRONT_END),
            ("TRUSTED_PROXY_HOPS", "1"),
            ("METRICS_TOKEN", "w3Er6tYu8iOp0aSd"),
            ("EMAIL_URL", &format!("smtp://latchkey:n4Xw8pQe@{}", mail.address())),
            ("EMAIL_FROM", "Latchkey <no-reply@example.com>"),
            ("REDIS_URL", &redis.url()),
            ("BCRYPT_COST", "10"),
            ("HOST", "127.0.0.1"),
            ("RATE_LIMITS", "on"),
            ("BACKUP_AGE_RECIPIENT", &recipient.to_string()),
        ]);
        let backup = Block { language: "sh".to_owned(), text: "api backup create\n".to_owned(), line: 0 };
        shell::run(&[&backup], folder.path(), &variables).await.unwrap();
        let mut backups = std::fs::read_dir(folder.path().join("data/files/backups")).unwrap();
        let backup = backups.next().unwrap().unwrap().path();
        variables.extend_from_slice(changes);
        let host = StaticHost::new();
        let api = start(&variables, &format!("{FRONT_END},{}", host.url()));
        let edge = Edge::before(&[api.address()], "https");
        let http_edge = Edge::before(&[api.address()], "http");
        let api_url = format!("http://{}", edge.address());
        variables.extend(pairs(&[
            ("API_URL", &api_url),
            ("API_HTTP_URL", &format!("http://{}", http_edge.address())),
            ("WEB_URL", &host.url()),
            ("EMAIL", EMAIL),
            ("PASSWORD", PASSWORD),
            ("NEW_DATABASE_URL", empty.url()),
            ("BACKUP", backup.to_str().unwrap()),
        ]));
        host.publish(Publication::for_api(&api_url));
        Self { folder, api, variables, _databases: [db, empty], _redis: redis, _mail: mail }
    }

    /// The environment of the commands.
    pub fn variables(&self) -> &[(String, String)] {
        &self.variables
    }

    /// The working directory of the commands.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

fn pairs(variables: &[(&str, &str)]) -> Variables {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Starts the API, and waits until it serves or logs what it waits for.
fn start(variables: &Variables, origins: &str) -> Process {
    let variables = variables.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let process = Process::start_unready("", &variables.chain([("CORS_ALLOWED_ORIGINS", origins)]).collect::<Vec<_>>());
    let has_started = |line: &str| line.contains("start.database: ") || line.contains("start.waiting: ");
    process.live_log().wait_for_line("start.", has_started);
    process
}
