//! Checks what an access token gives access to.

use super::context::Smoke;
use super::response::{CheckFailure, CheckResult, SmokeResponse, unless_any};
use crate::config::{is_private, is_shared};
use auth_types::paths;
use auth_types::responses::{SessionResponse, UserResponse};
use auth_types::{ProblemCode, Reason};

/// Each on a connection of its own, so that a load balancer uses more than one process.
const REQUESTS: usize = 4;

/// A documentation address (RFC 5737), which only an API that trusts every client's header would accept.
const FORGED: &str = "203.0.113.77";

pub(super) async fn protected(smoke: &Smoke) -> CheckResult {
    // A new session: the first one's access token may have expired, if access tokens live for seconds.
    let session = smoke.new_session().await?;
    let mut refused = Vec::new();
    for _ in 0..REQUESTS {
        let response = smoke.ask_as(&session.access, paths::ME).await?;
        match response.json::<UserResponse>() {
            Ok(user) if response.status == 200 && user.email == session.email => {}
            _ => refused.push(response.summary()),
        }
    }
    if refused.is_empty() {
        return Ok(format!("{REQUESTS} of {REQUESTS} requests show the account"));
    }
    refused.dedup();
    Err(CheckFailure::Failed(format!("not every request shows the account: {}", refused.join(", "))))
}

pub(super) async fn unauthorized(smoke: &Smoke) -> CheckResult {
    let mut wrong = Vec::new();
    let nothing = smoke.ask(paths::ME).await?;
    if let Err(CheckFailure::Failed(said)) = nothing.refused(401, Reason::CredentialsMissing) {
        wrong.push(format!("without a token: {said}"));
    }
    let garbage = smoke.ask_as(&"no.token.at-all".into(), paths::ME).await?;
    let code = garbage.refused(401, Reason::TokenMalformed);
    match code {
        Ok(problem) if problem.code == ProblemCode::TokenNotValid => {}
        Ok(_) => wrong.push("garbage: another code than token_not_valid".to_owned()),
        Err(CheckFailure::Failed(said) | CheckFailure::Skipped(said)) => wrong.push(format!("garbage: {said}")),
    }
    let challenges = |response: &SmokeResponse| response.header("www-authenticate").starts_with("Bearer");
    if ![nothing, garbage].iter().all(challenges) {
        wrong.push("no WWW-Authenticate: Bearer".to_owned());
    }
    unless_any(&wrong, "401 without a token and with garbage")
}

/// Signs in with a forged address. Limits count by address, so they are useless if a client can choose it, or if every client
/// has the proxy's.
pub(super) async fn client_address(smoke: &Smoke) -> CheckResult {
    let response =
        smoke.browser.send(smoke.login_request()?.header("X-Forwarded-For", FORGED)).await?.with_status(200)?;
    let session = smoke.opened(&response)?;
    let sessions: Vec<SessionResponse> = smoke.ask_as(&session.access, paths::SESSIONS).await?.json()?;
    let address = sessions.into_iter().find(|session| session.current).and_then(|session| session.ip_address);
    let Some(address) = address else {
        return Err(CheckFailure::failed("the API sees no address: an entry of X-Forwarded-For is none"));
    };
    if address == FORGED {
        return Err(CheckFailure::failed("the API believes any X-Forwarded-For: too many proxies are trusted"));
    }
    // On a private network a client's own address is private.
    let from_outside = response.peer.is_some_and(|peer| !is_private(peer.ip()));
    let is_a_proxys = |ip| is_shared(ip) && (from_outside || !is_private(ip));
    if address.parse().is_ok_and(is_a_proxys) {
        return Err(CheckFailure::Failed(format!(
            "the API sees {address}, which is a proxy's and not the client's: too few are trusted"
        )));
    }
    Ok(format!("the API sees {address}"))
}
