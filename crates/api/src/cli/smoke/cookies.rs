//! Checks the cookies of `TOKEN_TRANSPORT=cookie`: stored by browsers, hidden from scripts and other sites.

use super::context::Smoke;
use super::response::{CheckFailure, CheckResult, SmokeResponse, unless_any};
use super::session::cookies as set_by;
use crate::http::site::is_same_site;
use actix_web::cookie::{Cookie, SameSite};
use auth_types::Reason;
use auth_types::paths;
use auth_types::requests::CookieRefreshRequest;
use auth_types::responses::TokenTransport;
use reqwest::RequestBuilder;
use reqwest::header::{COOKIE, ORIGIN};

const REFRESH: &str = "__Secure-refresh_token";
const CSRF: &str = "csrf_token";

pub(super) async fn cookies(smoke: &Smoke) -> CheckResult {
    if smoke.transport()? == TokenTransport::Body {
        return Err(CheckFailure::skipped("refresh tokens travel in bodies"));
    }
    let response = smoke.browser.send(as_page(smoke, smoke.login_request()?)).await?.with_status(200)?;
    let session = smoke.opened(&response)?;
    let mut wrong = problems(smoke, &response);
    wrong.extend(without_csrf_token(smoke, &response).await?);
    let signed_out = smoke.sign_out(&session).await?.with_status(200)?;
    if !set_by(&signed_out).iter().any(|cookie| cookie.name() == REFRESH && cookie.value().is_empty()) {
        wrong.push("signing out leaves the cookie".to_owned());
    }
    unless_any(&wrong, "Secure, HttpOnly, of this site, guarded by the CSRF token, taken back")
}

/// Sends the front end's origin: the cookies are as strict as the requesting page allows.
fn as_page(smoke: &Smoke, request: RequestBuilder) -> RequestBuilder {
    request.header(ORIGIN, smoke.plan.web.origin())
}

fn problems(smoke: &Smoke, response: &SmokeResponse) -> Vec<String> {
    let cookies = set_by(response);
    let find = |name: &str| cookies.iter().find(|cookie| cookie.name() == name);
    let (Some(refresh), Some(csrf)) = (find(REFRESH), find(CSRF)) else {
        let names: Vec<_> = cookies.iter().map(Cookie::name).collect();
        return vec![format!("{REFRESH} and {CSRF} are expected, not {names:?}")];
    };
    let scheme = if smoke.plan.api.is_https() { "https" } else { "http" };
    let same_site = is_same_site(&smoke.plan.web.origin(), scheme, smoke.plan.api.host());
    let is_public_suffix =
        |cookie: &Cookie<'_>| cookie.domain().is_some_and(|domain| psl::domain_str(domain).is_none());
    let expected = [
        (same_site, "front end and API are two sites: browsers block the cookies"),
        (refresh.secure() == Some(true) && csrf.secure() == Some(true), "not Secure"),
        (refresh.http_only() == Some(true), "scripts may read the refresh token: not HttpOnly"),
        (refresh.path() == Some("/api/auth/"), "the refresh token goes to every route"),
        // An API in production takes its own address for HTTPS, and a page of this machine for another site's.
        (
            !same_site || smoke.plan.api.is_here() || refresh.same_site() == Some(SameSite::Strict),
            "not SameSite=Strict",
        ),
        (!is_public_suffix(refresh), "its domain is a public suffix: browsers drop it"),
    ];
    expected.iter().filter(|(holds, _)| !holds).map(|(_, what)| (*what).to_owned()).collect()
}

/// Sends the cookies without the CSRF token, as a page of another site could make a browser do.
async fn without_csrf_token(smoke: &Smoke, response: &SmokeResponse) -> Result<Option<String>, CheckFailure> {
    let cookies = set_by(response).into_iter().map(|cookie| format!("{}={}", cookie.name(), cookie.value()));
    let request = as_page(smoke, smoke.post(paths::REFRESH)).header(COOKIE, cookies.collect::<Vec<_>>().join("; "));
    let response = smoke.browser.send(request.json(&CookieRefreshRequest {})).await?;
    Ok(response
        .refused(403, Reason::CsrfFailed)
        .is_err()
        .then(|| format!("without X-CSRF-Token: {}", response.summary())))
}
