//! `api check`: a case for each finding, and a sound deployment, which has none.

mod configuration;
mod deployment;
mod program;
mod secrets;

use api::cli::check::{CheckReport, deployment};
use api::clock::{SharedClock, SystemClock};
use api::config::{Inspection, Variables};
use api::store::migrations::Migrations;
use std::sync::Arc;

/// A production configuration without findings.
const SOUND: &[(&str, &str)] = &[
    ("APP_ENV", "production"),
    ("SECRET_KEY", "Zq7vK2mXw9bT4cR8nL5hJ3gF6dS1aP0yUeIo"),
    ("DATABASE_URL", "postgres://latchkey:b6Yt%40Rk2@db.example.com/latchkey"),
    ("CORS_ALLOWED_ORIGINS", "https://app.example.com"),
    ("SESSION_COOKIE_DOMAIN", ".example.com"),
    ("TRUSTED_PROXY_HOPS", "1"),
    ("EMAIL_URL", "smtps://latchkey:n4Xw8pQe@mail.example.com"),
    ("EMAIL_FROM", "no-reply@example.com"),
    ("AWS_ACCESS_KEY_ID", "AKIA1234"),
    ("AWS_SECRET_ACCESS_KEY", "h2Lk9sDf7aPq3ZxC"),
    ("AWS_STORAGE_BUCKET_NAME", "pictures"),
    ("AWS_S3_ENDPOINT_URL", "https://account.r2.cloudflarestorage.com"),
    ("BACKUP_AGE_RECIPIENT", "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"),
    ("REDIS_URL", "rediss://:t5Gv1mNb@redis.example.com:6380"),
    ("METRICS_TOKEN", "w3Er6tYu8iOp0aSd"),
];

/// The sound production configuration with some variables changed; a blank value removes one.
fn with(changes: &[(&str, &str)]) -> Variables {
    let all = SOUND.iter().chain(changes);
    all.fold(Variables::default(), |variables, (name, value)| variables.with(name, *value))
}

fn ids(report: &CheckReport) -> Vec<&'static str> {
    report.findings.iter().map(|finding| finding.rule.id).collect()
}

fn message(report: &CheckReport, id: &str) -> String {
    let finding = report.findings.iter().find(|finding| finding.rule.id == id);
    finding.unwrap_or_else(|| panic!("{id} is not in {report}")).message.clone()
}

/// The report of `api check --deploy` on this machine.
async fn deploy(variables: Variables) -> CheckReport {
    let clock: SharedClock = Arc::new(SystemClock);
    deployment(&Inspection::of(variables), &clock, &Migrations::default()).await
}
