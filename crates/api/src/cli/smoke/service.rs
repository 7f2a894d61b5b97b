//! Checks the API's health, readiness, configuration and documentation.

use super::context::Smoke;
use super::response::SmokeResponse;
use super::response::{CheckFailure, CheckResult, unless_any};
use auth_types::Reason;
use auth_types::paths;
use auth_types::responses::{ConfigResponse, EmailVerification, HealthResponse, Registration, TokenTransport};

impl Smoke {
    /// A request without a token.
    pub(super) async fn ask(&self, path: &str) -> Result<SmokeResponse, CheckFailure> {
        self.browser.send(self.browser.get(self.plan.api.at(path))).await
    }
}

pub(super) async fn reached(smoke: &Smoke) -> CheckResult {
    let response = smoke.ask(paths::HEALTH).await?;
    Ok(format!("{} by {}", response.status, way(smoke.plan.api.is_https())))
}

/// How a site was reached. The client requires TLS 1.2 or later and a valid certificate.
pub(super) fn way(is_https: bool) -> &'static str {
    if is_https { "HTTPS, the certificate is valid" } else { "HTTP on this machine" }
}

pub(super) async fn alive(smoke: &Smoke) -> CheckResult {
    let health: HealthResponse = smoke.ask(paths::HEALTH).await?.with_status(200)?.json()?;
    Ok(health.status)
}

pub(super) async fn ready(smoke: &Smoke) -> CheckResult {
    let response = smoke.ask(paths::READINESS).await?;
    let Ok(health) = response.json::<HealthResponse>() else { return Err(CheckFailure::Failed(response.summary())) };
    let wrong = health.checks.iter().filter(|(_, state)| *state != "ok");
    let wrong: Vec<_> = wrong.map(|(check, problem)| format!("{check}: {problem}")).collect();
    unless_any(&wrong, "")?;
    response.with_status(200)?;
    Ok(health.checks.into_keys().collect::<Vec<_>>().join(", "))
}

pub(super) async fn config(smoke: &Smoke) -> CheckResult {
    let config: ConfigResponse = smoke.ask(paths::CONFIG).await?.with_status(200)?.json()?;
    let config = smoke.config.get_or_init(|| config);
    let registration = match config.registration {
        Registration::Open => "registration open",
        Registration::Closed => "registration closed",
    };
    let addresses = match config.email_verification {
        EmailVerification::Optional => "addresses may be confirmed",
        EmailVerification::Mandatory => "addresses must be confirmed",
    };
    let transport = match config.token_transport {
        TokenTransport::Body => "refresh tokens in bodies",
        TokenTransport::Cookie => "refresh tokens in cookies",
    };
    Ok(format!("version {}, {registration}, {addresses}, {transport}", config.version))
}

pub(super) async fn docs(smoke: &Smoke) -> CheckResult {
    let mut open = Vec::new();
    for path in [paths::DOCS, paths::OPENAPI] {
        let response = smoke.ask(path).await?;
        if response.status != 404 {
            open.push(format!("{path} says {}", response.summary()));
        }
    }
    unless_any(&open, "closed")
}

pub(super) async fn metrics(smoke: &Smoke) -> CheckResult {
    smoke.ask(paths::METRICS).await?.refused(401, Reason::CredentialsMissing)?;
    Ok("closed without METRICS_TOKEN".to_owned())
}
