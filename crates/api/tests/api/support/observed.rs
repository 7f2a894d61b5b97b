//! What the program does for a request, as its log shows it at level `trace`.

use super::{Database, Process, TestDb, eventually, send};
use reqwest::Method;
use serde_json::{Value, json};

/// What an attacker sees of a response.
#[derive(Debug, PartialEq, Eq)]
pub struct VisibleResponse {
    pub status: u16,
    pub header_names: Vec<String>,
    /// Without the members that always differ.
    pub body: String,
}

/// The API, and how far its log has been read.
pub struct Observed {
    pub process: Process,
    read: usize,
}

impl Observed {
    /// A first request reads the log past the lines of the start.
    pub async fn start(db: &TestDb, variables: &[(&str, &str)]) -> Self {
        let trace = ("RUST_LOG", "info,api::store=trace,api::service=trace");
        let process = Process::start_with(db.url(), &[&[trace], variables].concat());
        let mut observed = Self { process, read: 0 };
        observed.ask("/api/auth/verify/", &json!({"token": "none"})).await;
        observed
    }

    /// Sends one request, and returns what was seen of it and the work that was done for it.
    pub async fn ask(&mut self, path: &str, body: &Value) -> (VisibleResponse, Vec<String>) {
        let request = self.process.request(Method::POST, path).header("User-Agent", "an attacker");
        let response = send(request.json(body)).await;
        let mut header_names: Vec<_> = response.headers.keys().map(ToString::to_string).collect();
        header_names.sort();
        let mut text: Value = response.json();
        if let Some(fields) = text.as_object_mut() {
            fields.remove("request_id");
            fields.remove("registration");
        }
        let work = self.work().await;
        (VisibleResponse { status: response.status.as_u16(), header_names, body: text.to_string() }, work)
    }

    /// The work in the log since the last request, up to the line that ends this one.
    pub async fn work(&mut self) -> Vec<String> {
        let from = self.read;
        let lines = eventually("the request is logged", async || {
            let log = self.process.log();
            let end = log.iter().skip(from).position(|line| line.contains("http.request: "))?;
            Some(log[from..=from + end].to_vec())
        });
        let lines = lines.await;
        self.read += lines.len();
        lines.iter().filter_map(|line| work_of(line)).collect()
    }
}

/// A step of work that was done for a request.
pub fn work_of(line: &str) -> Option<String> {
    let (_, step) = line.split_once("store.statement: ").or_else(|| line.split_once("passwords.bcrypt: "))?;
    Some(step.to_owned())
}

/// Keeps mail in the outbox: it is sent later, by any process, and that work is not part of a request.
pub fn without_workers(db: &TestDb) {
    // The longest time that a mail waits.
    const LATER: [&str; 2] = ["strftime('%Y-%m-%d %H:%M:%f000', 'now', '+1 hour')", "now() + interval '1 hour'"];
    match db.database() {
        Database::Sqlite => db.execute(&format!(
            "CREATE TRIGGER never_due AFTER INSERT ON mail_outbox
             BEGIN UPDATE mail_outbox SET due_at = {} WHERE id = new.id; END",
            LATER[0]
        )),
        Database::Postgres => {
            db.execute(&format!(
                "CREATE FUNCTION never_due() RETURNS trigger LANGUAGE plpgsql
                 AS $$ BEGIN new.due_at = {}; RETURN new; END $$",
                LATER[1]
            ));
            db.execute(
                "CREATE TRIGGER never_due BEFORE INSERT ON mail_outbox FOR EACH ROW EXECUTE FUNCTION never_due()",
            )
        }
    };
}
