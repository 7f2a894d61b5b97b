//! Checks signing in with the right and with a wrong password.

use super::account::nobody;
use super::context::{Smoke, learnt};
use super::response::{CheckFailure, CheckResult, unless_any};
use auth_types::paths;
use auth_types::requests::LoginRequest;
use auth_types::{ProblemBody, Reason};
use uuid::Uuid;

/// How far two clocks may be apart. The client corrects for the difference; logs and limits do not.
const CLOCKS_SECONDS: i64 = 10;

pub(super) async fn sign_in(smoke: &Smoke) -> CheckResult {
    let before = smoke.clock.now().timestamp();
    let response = smoke.browser.send(smoke.login_request()?).await?.with_status(200)?;
    let after = smoke.clock.now().timestamp();
    let session = smoke.opened(&response)?;
    smoke.clock_error.get_or_init(|| session.server_time - session.server_time.clamp(before, after));
    let email = &learnt(&smoke.credentials)?.email;
    let mut wrong = Vec::new();
    if !response.lists("cache-control", "no-store") {
        wrong.push("caches on the way may keep the tokens: no Cache-Control: no-store".to_owned());
    }
    if !session.email.eq_ignore_ascii_case(email.trim()) {
        wrong.push("signed in as somebody else".to_owned());
    }
    unless_any(&wrong, format!("access tokens live {} s", session.access_expires_in))
}

pub(super) fn clock(smoke: &Smoke) -> CheckResult {
    let seconds = *learnt(&smoke.clock_error)?;
    let apart = seconds.abs();
    let direction = if seconds > 0 { "ahead of" } else { "behind" };
    if apart > CLOCKS_SECONDS {
        return Err(CheckFailure::Failed(format!("the API's clock is {apart} s {direction} this machine's")));
    }
    Ok(format!("{apart} s apart"))
}

/// The response must not distinguish a wrong password from an unknown address.
pub(super) async fn wrong_password(smoke: &Smoke) -> CheckResult {
    let known = refusal(smoke, learnt(&smoke.credentials)?.email.clone()).await?;
    let unknown = refusal(smoke, nobody()).await?;
    if (&known.title, &known.detail, known.code) != (&unknown.title, &unknown.detail, unknown.code) {
        return Err(CheckFailure::failed("a wrong password and an unknown address get different responses"));
    }
    Ok("401, as for an unknown address".to_owned())
}

async fn refusal(smoke: &Smoke, email: String) -> Result<ProblemBody, CheckFailure> {
    let body = LoginRequest { email: Some(email), username: None, password: Uuid::new_v4().to_string() };
    smoke.browser.send(smoke.post(paths::LOGIN).json(&body)).await?.refused(401, Reason::CredentialsWrong)
}
