//! Checks plain HTTP: a browser is redirected to HTTPS, and a client that sends tokens is refused.

use super::context::Smoke;
use super::response::{CheckFailure, CheckResult, SmokeResponse};
use super::site::SmokeSite;
use auth_types::Reason;
use auth_types::paths;
use url::Url;

pub(super) async fn api_redirects(smoke: &Smoke) -> CheckResult {
    redirects(smoke, &smoke.plan.api, paths::CONFIG).await
}

pub(super) async fn web_redirects(smoke: &Smoke) -> CheckResult {
    redirects(smoke, &smoke.plan.web, "/login").await
}

async fn redirects(smoke: &Smoke, site: &SmokeSite, path: &str) -> CheckResult {
    let url = in_clear(smoke, site, path)?;
    let response = closed_or(smoke.browser.send(smoke.browser.get(url.to_string())).await)?;
    let Some(location) = secure_location(&response, &url) else {
        return Err(CheckFailure::Failed(format!("{url} says {}, and does not lead to HTTPS", response.summary())));
    };
    match response.status {
        301 | 308 => Ok(format!("{} to {location}", response.status)),
        status => Err(CheckFailure::Failed(format!("{status} to {location}: not for good (301 or 308)"))),
    }
}

/// A platform's own proxy may redirect every request before the API sees it, which its users cannot change.
pub(super) async fn api_refuses(smoke: &Smoke) -> CheckResult {
    let url = in_clear(smoke, &smoke.plan.api, paths::ME)?;
    let request = smoke.browser.get(url.to_string()).bearer_auth("no-token-of-anybody");
    let response = closed_or(smoke.browser.send(request).await)?;
    if secure_location(&response, &url).is_some() {
        return Err(CheckFailure::skipped("a proxy redirects before the API sees the request"));
    }
    response.refused(403, Reason::HttpsRequired)?;
    Ok("403, and not redirected".to_owned())
}

fn in_clear(smoke: &Smoke, site: &SmokeSite, path: &str) -> Result<Url, CheckFailure> {
    let unknown = || CheckFailure::skipped("the port of plain HTTP is unknown; set --http-port");
    site.in_clear(smoke.plan.http_port, path).ok_or_else(unknown)
}

/// If no server listens, nothing can travel in plaintext.
fn closed_or(response: Result<SmokeResponse, CheckFailure>) -> Result<SmokeResponse, CheckFailure> {
    response.map_err(|trouble| match trouble {
        CheckFailure::Failed(why) => CheckFailure::Skipped(format!("plain HTTP: {why}")),
        skipped @ CheckFailure::Skipped(_) => skipped,
    })
}

/// The target of the redirect, if it is the same host and path by HTTPS.
fn secure_location(response: &SmokeResponse, requested: &Url) -> Option<Url> {
    let location = Url::parse(&response.header("location")).ok()?;
    let same = location.host() == requested.host() && location.path() == requested.path();
    (location.scheme() == "https" && same).then_some(location)
}
