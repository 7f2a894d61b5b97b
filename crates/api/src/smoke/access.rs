//! What opens with an access token, and with nothing else.

use super::answer::{Answer, Seen, Trouble, unless_any};
use super::{Smoke, learnt};
use auth_types::responses::{SessionResponse, UserResponse};
use auth_types::{ProblemCode, Reason};
use std::net::IpAddr;

/// Each by a connection of its own, so that a balancer asks more than one process.
const REQUESTS: usize = 4;

/// An address that is nobody's (RFC 5737), for whoever believes all that a client says.
const FORGED: &str = "203.0.113.77";

pub(super) async fn protected(smoke: &Smoke) -> Seen {
    let session = learnt(&smoke.session)?;
    let mut refused = Vec::new();
    for _ in 0..REQUESTS {
        let answer = smoke.ask_as(&session.access, "/api/auth/me/").await?;
        match answer.json::<UserResponse>() {
            Ok(user) if answer.status == 200 && user.email == session.email => {}
            _ => refused.push(answer.told()),
        }
    }
    if refused.is_empty() {
        return Ok(format!("{REQUESTS} of {REQUESTS} requests show the account"));
    }
    refused.dedup();
    Err(Trouble::Failed(format!("not every request shows the account: {}", refused.join(", "))))
}

pub(super) async fn unauthorized(smoke: &Smoke) -> Seen {
    let mut wrong = Vec::new();
    let nothing = smoke.ask("/api/auth/me/").await?;
    if let Err(Trouble::Failed(said)) = nothing.refused(401, Reason::CredentialsMissing) {
        wrong.push(format!("without a token: {said}"));
    }
    let garbage = smoke.ask_as(&"no.token.at-all".into(), "/api/auth/me/").await?;
    let code = garbage.refused(401, Reason::TokenMalformed);
    match code {
        Ok(problem) if problem.code == ProblemCode::TokenNotValid => {}
        Ok(_) => wrong.push("garbage: another code than token_not_valid".to_owned()),
        Err(Trouble::Failed(said) | Trouble::Skipped(said)) => wrong.push(format!("garbage: {said}")),
    }
    let challenges = |answer: &Answer| answer.header("www-authenticate").starts_with("Bearer");
    if ![nothing, garbage].iter().all(challenges) {
        wrong.push("no WWW-Authenticate: Bearer".to_owned());
    }
    unless_any(&wrong, "401 without a token and with garbage")
}

/// Signs in with a forged address. Limits count by address, so one that a client makes up, or the proxy's own in place of
/// everybody's, makes them useless.
pub(super) async fn client_address(smoke: &Smoke) -> Seen {
    let answer =
        smoke.browser.send(smoke.login_request()?.header("X-Forwarded-For", FORGED)).await?.with_status(200)?;
    let session = smoke.opened(&answer)?;
    let sessions: Vec<SessionResponse> = smoke.ask_as(&session.access, "/api/auth/sessions/").await?.json()?;
    let address = sessions.into_iter().find(|session| session.current).and_then(|session| session.ip_address);
    let Some(address) = address else { return Err(Trouble::failed("the API knows no address")) };
    if address == FORGED {
        return Err(Trouble::failed("the API believes any X-Forwarded-For: too many proxies are trusted"));
    }
    let from_outside = answer.peer.is_some_and(|peer| !is_private(peer.ip()));
    if from_outside && address.parse().is_ok_and(is_private) {
        return Err(Trouble::Failed(format!(
            "the API takes {address} for the client, which is a proxy: too few are trusted"
        )));
    }
    Ok(format!("the API sees {address}"))
}

fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local() || is_shared(v4.octets()),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// 100.64.0.0/10: what platforms number their insides with (RFC 6598).
const fn is_shared([first, second, ..]: [u8; 4]) -> bool {
    first == 100 && second & 0b1100_0000 == 64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxys_address_is_told_from_a_clients() {
        for inside in ["10.1.2.3", "127.0.0.1", "192.168.0.1", "100.64.0.1", "::ffff:10.1.2.3", "fd00::1", "fe80::1"] {
            assert!(is_private(inside.parse().unwrap_or_else(|_| panic!("{inside}"))), "{inside}");
        }
        for outside in ["198.51.100.1", "100.128.0.1", "2001:db8::1"] {
            assert!(!is_private(outside.parse().unwrap_or_else(|_| panic!("{outside}"))), "{outside}");
        }
    }
}
