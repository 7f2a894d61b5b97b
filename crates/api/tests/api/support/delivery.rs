//! Mails that are delivered to a scripted server.

use super::{Database, ScriptedMailServer, TestApp, send};
use api::service::mail::{MailRegistry, deliver_due};
use api::store::mail_outbox::DueFilter;
use chrono::Duration;
use reqwest::Method;
use serde_json::json;

pub const ADA: &str = "ada@example.com";
/// From `RCPT` on, a refusal counts as one of us only when mails to two domains are refused.
pub const BEN: &str = "ben@example.org";
pub const TOKEN: &str = "a-token-for-the-operators-eyes";
pub const WAITING: &str = "SELECT count(*) FROM mail_outbox";
/// The longest wait of a mail that was refused once.
pub const ONE_MINUTE: Duration = Duration::minutes(1);

pub async fn start(database: Database, url: String) -> TestApp {
    let builder = TestApp::builder(database).user(ADA).user(BEN).set("METRICS_TOKEN", TOKEN);
    builder.set("EMAIL_FROM", "no-reply@example.com").set("EMAIL_URL", url).start().await
}

pub fn url_of(server: &ScriptedMailServer) -> String {
    format!("smtp://latchkey:secret@{}", server.address())
}

pub async fn request_reset(app: &TestApp, email: &str) {
    app.post("/api/auth/password/reset/", &json!({"email": email})).await.has_status(202);
}

/// Every mail that Latchkey can send.
pub fn any_due() -> DueFilter {
    DueFilter { kinds: MailRegistry::default().kinds().to_vec(), ..DueFilter::default() }
}

pub async fn deliver(app: &TestApp) -> usize {
    deliver_due(app.services()).await.unwrap()
}

pub async fn scrape(app: &TestApp) -> String {
    send(app.request(Method::GET, "/metrics").bearer_auth(TOKEN)).await.text()
}

pub async fn has_metric(app: &TestApp, line: &str) -> bool {
    scrape(app).await.lines().any(|found| found == line)
}
