//! Nothing that is secret is ever said: not on the log at its most talkative, not in a refusal, not in metrics.

use crate::support::{Database, Process, TestDb, TestResponse, eventually, on_both_databases, send};
use auth_types::responses::TokenResponse;
use reqwest::Method;
use serde_json::{Value, json};

on_both_databases![a_production_log_at_level_trace_holds_no_secret];

/// Every secret of the configuration, recognisable.
const CONFIGURED: &[(&str, &str)] = &[
    ("SECRET_KEY", "marker-key-3f1c0a77b2d94e55a8c61d20"),
    ("SECRET_KEY_FALLBACKS", "marker-old-3f1c0a77b2d94e55a8c61d20"),
    ("METRICS_TOKEN", "marker-metrics-3f1c0a77b2d94e55"),
];
const PASSWORD: &str = "marker password of violet lanterns";
const WRONG_PASSWORD: &str = "marker password that is wrong";
const KEY: &str = "marker-attempt-1";

struct Talk {
    process: Process,
    /// Every answer that holds no tokens on purpose.
    answers: Vec<TestResponse>,
    /// What must be nowhere.
    secrets: Vec<String>,
}

impl Talk {
    fn start(db: &TestDb) -> Self {
        let production = [
            ("APP_ENV", "production"),
            ("BCRYPT_COST", "10"),
            ("RATE_LIMITS", "on"),
            ("REFRESH_LEEWAY", "0"),
            ("RUST_LOG", "trace"),
        ];
        let process = Process::start_with(db.url(), &[&production, CONFIGURED].concat());
        let mut secrets: Vec<_> = CONFIGURED.iter().map(|(_, value)| (*value).to_owned()).collect();
        secrets.extend([PASSWORD, WRONG_PASSWORD, KEY].map(str::to_owned));
        Self { process, answers: Vec::new(), secrets }
    }

    async fn post(&mut self, path: &str, body: Value) {
        let answer = send(self.process.request(Method::POST, path).header("Idempotency-Key", KEY).json(&body)).await;
        self.answers.push(answer);
    }

    /// The same where the answer holds tokens, which are secrets from then on.
    async fn tokens(&mut self, path: &str, body: Value) -> TokenResponse {
        let request = self.process.request(Method::POST, path).header("Idempotency-Key", KEY);
        let answer = send(request.json(&body)).await;
        assert!(answer.status.is_success(), "{}", answer.text());
        let tokens: TokenResponse = answer.json();
        self.secrets.extend([tokens.access.clone(), tokens.refresh.clone()]);
        tokens
    }

    async fn get(&mut self, path: &str, bearer: &str) {
        let answer = send(self.process.request(Method::GET, path).bearer_auth(bearer)).await;
        self.answers.push(answer);
    }
}

async fn a_production_log_at_level_trace_holds_no_secret(database: Database) {
    let db = TestDb::migrated(database);
    let mut talk = Talk::start(&db);
    let account = json!({"email": "ada@example.com", "password": PASSWORD});
    let first = talk.tokens("/api/auth/register/", account.clone()).await;
    let second = talk.tokens("/api/auth/login/", account.clone()).await;
    let third = talk.tokens("/api/auth/refresh/", json!({"refresh": second.refresh})).await;

    let repeated = talk.tokens("/api/auth/register/", account.clone()).await;
    assert_eq!(repeated.refresh, first.refresh);
    let taken = json!({"email": "ada@example.com", "password": PASSWORD, "display_name": "Ada"});
    talk.post("/api/auth/register/", taken).await;
    talk.post("/api/auth/register/", json!({"email": "not one", "password": PASSWORD, "username": PASSWORD})).await;
    talk.post("/api/auth/login/", json!({"email": "ada@example.com", "password": WRONG_PASSWORD})).await;
    talk.post("/api/auth/login/", json!({"email": {"password": PASSWORD}, "password": [PASSWORD]})).await;
    talk.post("/api/auth/verify/", json!({"token": third.access})).await;
    talk.post("/api/auth/verify/", json!({"token": format!("{}x", third.access)})).await;
    talk.get("/api/auth/me/", &third.access).await;
    talk.get("/api/auth/me/", &format!("{}x", third.access)).await;
    talk.get(&format!("/api/auth/sessions/?token={}", third.access), &third.access).await;
    talk.get(&format!("/{}", third.access), &third.access).await;
    talk.get("/metrics", CONFIGURED[2].1).await;
    talk.get("/metrics", "wrong").await;
    // Reuse: an older generation with another key.
    let reuse = talk.process.request(Method::POST, "/api/auth/refresh/").header("Idempotency-Key", "marker-thief");
    talk.answers.push(send(reuse.json(&json!({"refresh": second.refresh}))).await);
    talk.post("/api/auth/logout/", json!({"refresh": first.refresh})).await;

    talk.secrets.extend(db.value("SELECT password_hash FROM users"));
    talk.secrets.extend(["$2b$", "bcrypt_sha256$"].map(str::to_owned));
    let last = &talk.answers[talk.answers.len() - 1];
    let id = last.header("x-request-id").to_owned();
    let log = eventually("the last request is logged", async || {
        let log = talk.process.log();
        log.iter().any(|line| line.contains(&id)).then_some(log)
    });
    let log = log.await;
    assert!(log.iter().any(|line| line.contains("store.statement")), "the log is not at its most talkative");
    let said = log.iter().cloned().chain(talk.answers.iter().map(heard));
    for line in said {
        for secret in &talk.secrets {
            assert!(!line.contains(secret.as_str()), "{secret} is said in: {line}");
        }
    }
    // One JSON object a line, whatever a request holds.
    for line in log.iter().filter(|line| line.contains("http.request")) {
        let parsed: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(parsed["status"].is_number(), "{line}");
    }
}

/// An answer's headers and body.
fn heard(answer: &TestResponse) -> String {
    format!("{:?} {}", answer.headers, answer.text())
}
