//! No secret is ever shown: not in the log at level trace, not in a refusal, not in metrics.

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

struct Conversation {
    process: Process,
    /// Every response except those that carry tokens on purpose.
    responses: Vec<TestResponse>,
    /// Texts that must appear nowhere.
    secrets: Vec<String>,
}

impl Conversation {
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
        Self { process, responses: Vec::new(), secrets }
    }

    async fn post(&mut self, path: &str, body: Value) {
        let response = send(self.process.request(Method::POST, path).header("Idempotency-Key", KEY).json(&body)).await;
        self.responses.push(response);
    }

    /// Like `post`, for a response that carries tokens, which are secrets from then on.
    async fn tokens(&mut self, path: &str, body: Value) -> TokenResponse {
        let request = self.process.request(Method::POST, path).header("Idempotency-Key", KEY);
        let response = send(request.json(&body)).await;
        assert!(response.status.is_success(), "{}", response.text());
        let tokens: TokenResponse = response.json();
        self.secrets.extend([tokens.access.clone(), tokens.refresh.clone()]);
        tokens
    }

    async fn get(&mut self, path: &str, bearer: &str) {
        let response = send(self.process.request(Method::GET, path).bearer_auth(bearer)).await;
        self.responses.push(response);
    }
}

async fn a_production_log_at_level_trace_holds_no_secret(database: Database) {
    let db = TestDb::migrated(database);
    let mut conversation = Conversation::start(&db);
    let account = json!({"email": "ada@example.com", "password": PASSWORD});
    let first = conversation.tokens("/api/auth/register/", account.clone()).await;
    let second = conversation.tokens("/api/auth/login/", account.clone()).await;
    let third = conversation.tokens("/api/auth/refresh/", json!({"refresh": second.refresh})).await;

    let repeated = conversation.tokens("/api/auth/register/", account.clone()).await;
    assert_eq!(repeated.refresh, first.refresh);
    let taken = json!({"email": "ada@example.com", "password": PASSWORD, "display_name": "Ada"});
    conversation.post("/api/auth/register/", taken).await;
    conversation
        .post("/api/auth/register/", json!({"email": "not one", "password": PASSWORD, "username": PASSWORD}))
        .await;
    conversation.post("/api/auth/login/", json!({"email": "ada@example.com", "password": WRONG_PASSWORD})).await;
    conversation.post("/api/auth/login/", json!({"email": {"password": PASSWORD}, "password": [PASSWORD]})).await;
    conversation.post("/api/auth/verify/", json!({"token": third.access})).await;
    conversation.post("/api/auth/verify/", json!({"token": format!("{}x", third.access)})).await;
    conversation.get("/api/auth/me/", &third.access).await;
    conversation.get("/api/auth/me/", &format!("{}x", third.access)).await;
    conversation.get(&format!("/api/auth/sessions/?token={}", third.access), &third.access).await;
    conversation.get(&format!("/{}", third.access), &third.access).await;
    conversation.get("/metrics", CONFIGURED[2].1).await;
    conversation.get("/metrics", "wrong").await;
    // Reuse: an older generation with another key.
    let reuse =
        conversation.process.request(Method::POST, "/api/auth/refresh/").header("Idempotency-Key", "marker-thief");
    conversation.responses.push(send(reuse.json(&json!({"refresh": second.refresh}))).await);
    conversation.post("/api/auth/logout/", json!({"refresh": first.refresh})).await;

    conversation.secrets.extend(db.value("SELECT password_hash FROM users"));
    conversation.secrets.extend(["$2b$", "bcrypt_sha256$"].map(str::to_owned));
    let last = &conversation.responses[conversation.responses.len() - 1];
    let id = last.header("x-request-id").to_owned();
    let log = eventually("the last request is logged", async || {
        let log = conversation.process.log();
        log.iter().any(|line| line.contains(&id)).then_some(log)
    });
    let log = log.await;
    assert!(log.iter().any(|line| line.contains("store.statement")), "the log is not at level trace");
    let lines = log.iter().cloned().chain(conversation.responses.iter().map(headers_and_body));
    for line in lines {
        for secret in &conversation.secrets {
            assert!(!line.contains(secret.as_str()), "{secret} is shown in: {line}");
        }
    }
    // One JSON object a line, whatever a request holds.
    for line in log.iter().filter(|line| line.contains("http.request")) {
        let parsed: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(parsed["status"].is_number(), "{line}");
    }
}

/// A response's headers and body.
fn headers_and_body(response: &TestResponse) -> String {
    format!("{:?} {}", response.headers, response.text())
}
