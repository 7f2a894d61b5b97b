//! Sign-outs that the server has not confirmed: there was no connection, or no response.

use super::issued_tokens::RefreshCredential;
use super::response::FetchResult;
use super::time::Now;
use super::tokens::SessionTokens;
use super::unconfirmed_action::is_conclusive;
use auth_types::{Reason, SessionId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How long an unsent sign-out is kept, milliseconds. The credential that ends a session also renews it, so it must not stay
/// in storage for longer than a night without a connection.
const KEPT_MS: i64 = 24 * 60 * 60 * 1000;

/// How many are kept; the oldest are dropped. A sign-in needs a connection, so there is rarely more than one.
const MAX_KEPT: usize = 8;

/// A sign-out that must still be sent. It ends its own session, no matter who is signed in when it is sent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingSignOut {
    session: SessionId,
    /// By the device's clock, Unix milliseconds.
    at: i64,
    proof: Proof,
}

/// What proves to the server that this browser owned the session.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Proof {
    /// The refresh token, in its three parts, so that code that searches storage for tokens, such as another version of this
    /// client, does not take it for the token of a current session.
    Token(Vec<String>),
    /// The CSRF token, sent with the browser's cookie.
    Cookie(String),
}

impl PendingSignOut {
    /// The sign-out of the session of these tokens.
    pub fn of(tokens: &SessionTokens, now: Now) -> Self {
        let proof = match tokens.refresh_credential() {
            RefreshCredential::Token(refresh) => Proof::Token(refresh.split('.').map(str::to_owned).collect()),
            RefreshCredential::Cookie { csrf_token } => Proof::Cookie(csrf_token),
        };
        Self { session: tokens.session(), at: now.wall_ms, proof }
    }

    /// The session that it ends.
    pub const fn session(&self) -> SessionId {
        self.session
    }

    /// The credential that authenticates the sign-out.
    pub fn refresh_credential(&self) -> RefreshCredential {
        match &self.proof {
            Proof::Token(parts) => RefreshCredential::Token(parts.join(".")),
            Proof::Cookie(csrf_token) => RefreshCredential::Cookie { csrf_token: csrf_token.clone() },
        }
    }

    /// Whether the result of sending it shows that nothing is left to do. A refusal counts, too: the session does not exist, or
    /// its cookie is gone. An unknown key does not: the server may learn it soon.
    pub fn is_acknowledged(result: &FetchResult) -> bool {
        let is_key_unknown =
            result.as_ref().is_ok_and(|response| response.problem_fields().reason == Some(Reason::KeyUnknown));
        is_conclusive(result) && !is_key_unknown
    }

    /// Whether the server refused it because the browser did not send the session's cookie: the session is still live.
    pub fn lacked_its_cookie(result: &FetchResult) -> bool {
        let reason = result.as_ref().ok().and_then(|response| response.problem_fields().reason);
        matches!(reason, Some(Reason::CredentialsMissing | Reason::CsrfFailed))
    }

    /// Whether it is still kept. Not when the clock has been set back since: it could then be kept without limit.
    fn is_kept(&self, now: Now) -> bool {
        (0..KEPT_MS).contains(&(now.wall_ms.saturating_sub(self.at)))
    }
}

/// The sign-outs of this browser that the server has not confirmed, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingSignOuts(Vec<PendingSignOut>);

impl PendingSignOuts {
    /// Adds one, in place of an earlier one of its session.
    pub fn keep(&mut self, late: PendingSignOut) {
        self.forget(late.session);
        self.0.push(late);
        self.0.drain(..self.0.len().saturating_sub(MAX_KEPT));
    }

    /// Removes the one of a session.
    pub fn forget(&mut self, session: SessionId) {
        self.0.retain(|late| late.session != session);
    }

    /// Removes those that have expired.
    pub fn expire(&mut self, now: Now) {
        self.0.retain(|late| late.is_kept(now));
    }

    /// Removes those that need the cookie of their session, which has just been replaced.
    pub fn forget_cookies(&mut self) {
        self.0.retain(|late| matches!(late.proof, Proof::Token(_)));
    }

    /// The one to send next.
    pub fn first(&self) -> Option<&PendingSignOut> {
        self.0.first()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for PendingSignOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingSignOut").field("session", &self.session).field("at", &self.at).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::fixtures::{after, cookie_response, json, session, token, tokens};
    use crate::policy::response::{ApiResponse, TransportError};
    use serde_json::json as value;
    use uuid::Uuid;

    const DAY: i64 = 24 * 3600;

    fn late(number: u128, seconds: i64) -> PendingSignOut {
        PendingSignOut::of(&tokens(session(number), 1, 0), after(seconds))
    }

    fn by_cookie(number: u128) -> PendingSignOut {
        let response = cookie_response(session(number), 0).into();
        let tokens =
            SessionTokens::from_response(&response, after(0), after(0), Uuid::nil()).expect("tokens of this service");
        PendingSignOut::of(&tokens, after(0))
    }

    fn kept(all: &[PendingSignOut]) -> PendingSignOuts {
        let mut kept = PendingSignOuts::default();
        for late in all {
            kept.keep(late.clone());
        }
        kept
    }

    #[test]
    fn it_is_stored_with_its_proof_and_never_with_a_whole_token() {
        for late in [late(1, 0), by_cookie(1)] {
            let text = serde_json::to_string(&kept(std::slice::from_ref(&late))).expect("JSON");
            let read: PendingSignOuts = serde_json::from_str(&text).expect("what was written");
            assert_eq!(read.first().map(PendingSignOut::refresh_credential), Some(late.refresh_credential()));
            assert_eq!(read.first().map(PendingSignOut::session), Some(session(1)));
            assert!(!text.contains(&token(session(1), 1)), "{text}");
        }
        assert_eq!(late(1, 0).refresh_credential(), RefreshCredential::Token(token(session(1), 1)));
        assert!(!format!("{:?}", late(1, 0)).contains("c2ln"));
    }

    #[test]
    fn it_is_kept_for_a_day_and_not_when_the_clock_was_set_back() {
        for (seconds, is_kept) in [(0, true), (DAY - 1, true), (DAY, false), (-1, false), (400 * DAY, false)] {
            let mut all = kept(&[late(1, 0)]);
            all.expire(after(seconds));
            assert_eq!(!all.is_empty(), is_kept, "{seconds}");
        }
    }

    #[test]
    fn each_session_has_one_and_only_the_newest_are_kept() {
        let mut all = kept(&[late(1, 0), late(2, 1), late(1, 2)]);
        assert_eq!(all.first().map(PendingSignOut::session), Some(session(2)));
        all.forget(session(2));
        assert_eq!(all, kept(&[late(1, 2)]));
        let many: Vec<_> = (0..20).map(|number| late(number, 0)).collect();
        assert_eq!(kept(&many), kept(&many[20 - MAX_KEPT..]));
    }

    #[test]
    fn a_replaced_cookie_leaves_those_with_a_token() {
        let mut all = kept(&[by_cookie(1), late(2, 0)]);
        all.forget_cookies();
        assert_eq!(all, kept(&[late(2, 0)]));
    }

    #[test]
    fn a_session_is_still_live_if_its_cookie_was_not_sent() {
        let refused = |status, reason| Ok(json(status, &value!({ "reason": reason }), 0));
        for result in [refused(401, "credentials_missing"), refused(403, "csrf_failed")] {
            assert!(PendingSignOut::lacked_its_cookie(&result));
        }
        for result in [refused(200, "unknown"), refused(401, "token_malformed"), Err(TransportError::Unreachable)] {
            assert!(!PendingSignOut::lacked_its_cookie(&result));
        }
    }

    #[test]
    fn a_verdict_is_an_acknowledgement_and_a_transient_error_is_not() {
        let refused = |status, reason| Ok(json(status, &value!({ "reason": reason }), 0));
        let heard = [
            refused(200, "unknown"),
            refused(401, "token_malformed"),
            refused(403, "csrf_failed"),
            refused(401, "credentials_missing"),
        ];
        assert!(heard.iter().all(PendingSignOut::is_acknowledged));
        let hotel = ApiResponse::new(200, "text/html", "<h1>Welcome to the hotel</h1>");
        let unheard = [
            Err(TransportError::Unreachable),
            Err(TransportError::TimedOut),
            refused(503, "unavailable"),
            refused(429, "throttled"),
            refused(500, "internal"),
            refused(401, "key_unknown"),
            Ok(hotel),
        ];
        assert!(!unheard.iter().any(PendingSignOut::is_acknowledged));
    }
}
