//! Checks that the front end's pages may use the API, and no others.

use super::context::{Smoke, learnt};
use super::response::{CheckFailure, CheckResult, SmokeResponse, unless_any};
use auth_types::Reason;
use auth_types::paths;
use auth_types::responses::TokenTransport;
use reqwest::Method;
use reqwest::header::{ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN};

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
const HEADERS: [&str; 3] = ["authorization", "content-type", "idempotency-key"];
const CSRF_HEADER: &str = "x-csrf-token";
const EXPOSED: [&str; 2] = ["retry-after", "x-request-id"];

const ALLOW_ORIGIN: &str = "access-control-allow-origin";

pub(super) async fn preflight(smoke: &Smoke) -> CheckResult {
    let csrf = uses_cookies(smoke)?.then_some(CSRF_HEADER);
    let response = preflight_of(smoke, &smoke.plan.web.origin(), csrf).await?;
    let mut wrong = origin_problems(smoke, &response)?;
    if !matches!(response.status, 200 | 204) {
        wrong.push(format!("the preflight says {}", response.summary()));
    }
    let not_listed = |header: &'static str, items: &[&str]| -> Vec<String> {
        items.iter().filter(|item| !response.lists(header, item)).map(|item| format!("{item} is not allowed")).collect()
    };
    wrong.extend(not_listed("access-control-allow-methods", &METHODS));
    wrong.extend(not_listed("access-control-allow-headers", &HEADERS));
    wrong.extend(not_listed("access-control-allow-headers", csrf.as_slice()));
    unless_any(&wrong, format!("{} may ask everything", smoke.plan.web.origin()))
}

pub(super) async fn responses(smoke: &Smoke) -> CheckResult {
    let mut wrong = Vec::new();
    let web = smoke.plan.web.origin();
    let show = smoke.browser.get(smoke.plan.api.at(paths::CONFIG));
    let empty = smoke.post(paths::LOGIN).json(&serde_json::json!({}));
    for (request, status) in [(show, 200), (empty, 400)] {
        let response = smoke.browser.send(request.header(ORIGIN, &web)).await?;
        wrong.extend(origin_problems(smoke, &response)?);
        let hidden = EXPOSED.iter().filter(|name| !response.lists("access-control-expose-headers", name));
        wrong.extend(hidden.map(|name| format!("{name} is not exposed")));
        if !response.lists("vary", "Origin") {
            wrong.push("no Vary: Origin".to_owned());
        }
        if let Err(CheckFailure::Failed(said)) = response.with_status(status) {
            wrong.push(said);
        }
    }
    wrong.dedup();
    unless_any(&wrong, format!("{web} may send, and read responses and refusals"))
}

/// Other origins, one of which passes for the front end's if only prefixes are compared.
pub(super) async fn other_origins(smoke: &Smoke) -> CheckResult {
    let mut wrong = Vec::new();
    for origin in
        ["https://other.invalid".to_owned(), format!("{}.other.invalid", bare_origin(smoke)), "null".to_owned()]
    {
        let read = smoke.browser.get(smoke.plan.api.at(paths::CONFIG)).header(ORIGIN, &origin);
        let responses = [smoke.browser.send(read).await?, preflight_of(smoke, &origin, None).await?];
        if responses.iter().any(|response| !response.header(ALLOW_ORIGIN).is_empty()) {
            wrong.push(format!("{origin} may read responses"));
        }
        let login = smoke.browser.request(Method::POST, smoke.plan.api.at(paths::LOGIN));
        let response = smoke.browser.send(login.header(ORIGIN, &origin).json(&serde_json::json!({}))).await?;
        if let Err(CheckFailure::Failed(said)) = response.refused(403, Reason::OriginNotAllowed) {
            wrong.push(format!("a request of {origin}: {said}"));
        }
    }
    unless_any(&wrong, "other pages may read nothing and change nothing")
}

/// The front end's origin without a port.
fn bare_origin(smoke: &Smoke) -> String {
    let origin = smoke.plan.web.origin();
    let port = origin.rfind(':').filter(|at| origin[at + 1..].bytes().all(|byte| byte.is_ascii_digit()));
    origin[..port.unwrap_or(origin.len())].to_owned()
}

async fn preflight_of(smoke: &Smoke, origin: &str, further: Option<&str>) -> Result<SmokeResponse, CheckFailure> {
    let headers: Vec<_> = HEADERS.into_iter().chain(further).collect();
    let request = smoke.browser.request(Method::OPTIONS, smoke.plan.api.at(paths::ME));
    let request = request.header(ORIGIN, origin).header(ACCESS_CONTROL_REQUEST_METHOD, "DELETE");
    smoke.browser.send(request.header(ACCESS_CONTROL_REQUEST_HEADERS, headers.join(","))).await
}

/// The origin exactly and once; cookies allowed where they are needed and nowhere else.
fn origin_problems(smoke: &Smoke, response: &SmokeResponse) -> Result<Vec<String>, CheckFailure> {
    let mut wrong = Vec::new();
    let allowed = response.header(ALLOW_ORIGIN);
    if allowed.is_empty() {
        wrong.push(format!("{} may not read it", smoke.plan.web.origin()));
    } else if allowed != smoke.plan.web.origin() {
        wrong.push(format!("it is for {allowed}, not exactly for {}", smoke.plan.web.origin()));
    }
    let credentials = response.header("access-control-allow-credentials") == "true";
    match (uses_cookies(smoke)?, credentials) {
        (true, false) if !allowed.is_empty() => wrong.push("cookies are not allowed".to_owned()),
        (false, true) => wrong.push("cookies are allowed, and nothing needs them".to_owned()),
        _ => {}
    }
    Ok(wrong)
}

fn uses_cookies(smoke: &Smoke) -> Result<bool, CheckFailure> {
    Ok(learnt(&smoke.config)?.token_transport == TokenTransport::Cookie)
}
