//! What an answer means, above all the answer to a refresh.

use super::issued_tokens::{IssuedTokens, Renewal};
use super::time::Now;
use super::tokens::SessionTokens;
use auth_types::responses::UserResponse;
use auth_types::{FieldErrors, ProblemCode, Reason};
use serde::Deserialize;
use std::fmt;
use std::time::Duration;

/// An answer as it arrived, read to its end.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiResponse {
    /// The HTTP status.
    pub status: u16,
    /// Whether it says that it is JSON. A captive portal's page does not.
    pub is_json: bool,
    /// How long the server asks to be left alone.
    pub retry_after: Option<Duration>,
    /// The body.
    pub body: String,
    /// When the request went out.
    pub sent: Now,
    /// When the answer was there.
    pub received: Now,
}

/// An answer, or why there is none.
pub type FetchResult = Result<ApiResponse, TransportError>;

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportError {
    /// The network failed, or the browser kept the answer back.
    Unreachable,
    /// It took too long.
    TimedOut,
}

/// What goes wrong without being anyone's fault, and passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransientError {
    /// No connection.
    Unreachable,
    /// The server is starting, overloaded or cannot reach its database.
    Unavailable,
    /// The server has had enough of us for a while.
    RateLimited,
    /// An answer that nobody can make sense of.
    Unexpected,
}

/// What the answer to a refresh means for the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefreshOutcome {
    /// The successor of the parent, and who the user is now.
    Adopt(Box<SessionTokens>, Box<UserResponse>),
    /// The session cannot come back.
    Ended(Reason),
    /// The server does not know the key of the refresh token. It may be on its way there.
    KeyUnknown,
    /// Nothing is decided; the session stays.
    Retry {
        /// What to tell people.
        error: TransientError,
        /// What the server asked for.
        after: Option<Duration>,
    },
}

/// The members of a problem that decide, each of them optional: other servers and proxies answer too.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ProblemFields {
    #[serde(default)]
    pub(super) code: Option<ProblemCode>,
    #[serde(default)]
    pub(super) reason: Option<Reason>,
    #[serde(default)]
    pub(super) errors: FieldErrors,
    #[serde(default)]
    pub(super) detail: String,
    #[serde(default)]
    pub(super) feature: Option<String>,
}

impl ApiResponse {
    /// An answer with this status, `Content-Type` and body.
    pub fn new(status: u16, content_type: &str, body: impl Into<String>) -> Self {
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        Self {
            status,
            is_json: essence == "application/json" || essence.ends_with("+json"),
            retry_after: None,
            body: body.into(),
            sent: Now::default(),
            received: Now::default(),
        }
    }

    /// The same with a `Retry-After`.
    #[must_use]
    pub fn retry_after(self, retry_after: Option<Duration>) -> Self {
        Self { retry_after, ..self }
    }

    /// The same with the moments when the request left and the answer was there.
    #[must_use]
    pub fn timed(self, sent: Now, received: Now) -> Self {
        Self { sent, received, ..self }
    }

    /// What passes by itself, if that is what the status says.
    pub const fn transient_error(&self) -> Option<TransientError> {
        match self.status {
            408 | 425 | 502..=504 | 520..=530 => Some(TransientError::Unavailable),
            429 => Some(TransientError::RateLimited),
            500..=599 => Some(TransientError::Unexpected),
            _ => None,
        }
    }

    /// Whether the API itself has said what became of the request. A page in between may have answered in its place.
    pub(super) const fn is_from_api(&self) -> bool {
        self.status == 204 || self.is_json
    }

    /// The body as a problem, as far as it is one.
    pub(super) fn problem_fields(&self) -> ProblemFields {
        if self.is_json { serde_json::from_str(&self.body).unwrap_or_default() } else { ProblemFields::default() }
    }
}

impl fmt::Debug for ApiResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).field("is_json", &self.is_json).finish_non_exhaustive()
    }
}

impl TransportError {
    /// What it looks like to people.
    pub const fn transient_error(self) -> TransientError {
        match self {
            Self::Unreachable => TransientError::Unreachable,
            Self::TimedOut => TransientError::Unavailable,
        }
    }
}

/// The longest time that people are told to wait, whatever a server or a proxy says: no limit of ours is longer.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(24);

/// Reads a `Retry-After` in seconds (RFC 9110, 10.2.3). The form with a date needs a right clock, so it is not used.
pub fn retry_after(header: &str) -> Option<Duration> {
    header.trim().parse().ok().map(|seconds| Duration::from_secs(seconds).min(LONGEST_RETRY_AFTER))
}

/// Whether an answer to an access token asks for another one: the only 401 that a refresh can help.
pub fn asks_for_refresh(answer: &ApiResponse) -> bool {
    answer.status == 401 && answer.problem_fields().code == Some(ProblemCode::TokenNotValid)
}

/// What the answer to a refresh of `parent` means.
///
/// Only a 401 with a typed terminal reason ends a session. All that a proxy, a captive portal, a server in trouble or a
/// newer server may say leaves it standing.
pub fn refresh_outcome(parent: &SessionTokens, exchange: &FetchResult) -> RefreshOutcome {
    let answer = match exchange {
        Ok(answer) => answer,
        Err(silence) => return RefreshOutcome::Retry { error: silence.transient_error(), after: None },
    };
    successor(parent, answer).or_else(|| ending(parent, answer)).unwrap_or_else(|| RefreshOutcome::Retry {
        error: answer.transient_error().unwrap_or(TransientError::Unexpected),
        after: answer.retry_after,
    })
}

fn successor(parent: &SessionTokens, answer: &ApiResponse) -> Option<RefreshOutcome> {
    if answer.status != 200 || !answer.is_json {
        return None;
    }
    let given: IssuedTokens = serde_json::from_str(&answer.body).ok()?;
    let tokens = parent.succeeded_by(&given, answer.sent, answer.received)?;
    Some(RefreshOutcome::Adopt(Box::new(tokens), Box::new(given.user)))
}

fn ending(parent: &SessionTokens, answer: &ApiResponse) -> Option<RefreshOutcome> {
    let reason = answer.problem_fields().reason?;
    let has_cookie = matches!(parent.renewal(), Renewal::Cookie { .. });
    let is_over = match (answer.status, reason) {
        (401, Reason::KeyUnknown) => return Some(RefreshOutcome::KeyUnknown),
        // The browser does not send the cookie, and no script can bring it back; or it sends another session's: somebody
        // signed in on another page that uses the same server.
        (401, Reason::CredentialsMissing) | (403, Reason::CsrfFailed) => has_cookie,
        (401, reason) => reason.ends_session(),
        _ => false,
    };
    is_over.then_some(RefreshOutcome::Ended(reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::fixtures::{after, json, response, session, token, tokens};
    use serde_json::json as value;

    fn outcome(answer: ApiResponse) -> RefreshOutcome {
        refresh_outcome(&tokens(session(1), 1, 0), &Ok(answer))
    }

    fn refused(status: u16, reason: &str) -> ApiResponse {
        json(status, &value!({"code": "token_not_valid", "reason": reason, "detail": "No."}), 1)
    }

    #[test]
    fn a_successor_is_adopted() {
        let RefreshOutcome::Adopt(adopted, user) = outcome(json(200, &response(session(1), 2, 5), 5)) else {
            panic!("not adopted")
        };
        assert_eq!((adopted.generation(), adopted.renewal()), (2, Renewal::Token(token(session(1), 2))));
        assert_eq!(user.email, "ada@example.com");
    }

    #[test]
    fn every_typed_terminal_reason_with_401_ends_the_session() {
        for reason in ["session_revoked", "session_expired", "refresh_reused", "user_inactive", "token_malformed"] {
            assert!(matches!(outcome(refused(401, reason)), RefreshOutcome::Ended(_)), "{reason}");
        }
    }

    #[test]
    fn a_terminal_reason_with_another_status_ends_nothing() {
        for status in [200, 400, 403, 404, 409, 429, 500, 503] {
            assert!(matches!(outcome(refused(status, "session_revoked")), RefreshOutcome::Retry { .. }), "{status}");
        }
    }

    #[test]
    fn a_401_that_is_not_typed_or_not_terminal_ends_nothing() {
        for reason in ["token_expired", "credentials_missing", "of_a_newer_server"] {
            assert!(matches!(outcome(refused(401, reason)), RefreshOutcome::Retry { .. }), "{reason}");
        }
        for body in ["", "{}", "[]", "null", r#"{"reason":7}"#, r#"{"detail":"Token is blacklisted"}"#, "<html>"] {
            let answer = ApiResponse::new(401, "application/json", body);
            assert_eq!(
                outcome(answer),
                RefreshOutcome::Retry { error: TransientError::Unexpected, after: None },
                "{body}"
            );
        }
    }

    #[test]
    fn a_terminal_reason_in_a_page_that_is_not_json_ends_nothing() {
        let body = r#"{"reason":"session_revoked"}"#;
        assert!(matches!(
            outcome(ApiResponse::new(401, "text/html; charset=utf-8", body)),
            RefreshOutcome::Retry { .. }
        ));
        assert!(matches!(outcome(ApiResponse::new(401, "application/problem+json", body)), RefreshOutcome::Ended(_)));
    }

    #[test]
    fn what_passes_leaves_the_session_and_says_what_it_is() {
        let of = |status| match outcome(ApiResponse::new(status, "text/html", "<h1>Bad gateway</h1>")) {
            RefreshOutcome::Retry { error, .. } => error,
            other => panic!("{status}: {other:?}"),
        };
        assert_eq!([408, 425, 502, 503, 504].map(of), [TransientError::Unavailable; 5]);
        assert_eq!(of(429), TransientError::RateLimited);
        assert_eq!([200, 204, 302, 404, 418, 500, 501].map(of), [TransientError::Unexpected; 7]);
    }

    #[test]
    fn silence_leaves_the_session() {
        let of = |silence| refresh_outcome(&tokens(session(1), 1, 0), &Err(silence));
        assert_eq!(
            of(TransportError::Unreachable),
            RefreshOutcome::Retry { error: TransientError::Unreachable, after: None }
        );
        assert_eq!(
            of(TransportError::TimedOut),
            RefreshOutcome::Retry { error: TransientError::Unavailable, after: None }
        );
    }

    #[test]
    fn the_servers_wish_is_passed_on() {
        let answer = refused(503, "unavailable").retry_after(retry_after("7"));
        assert_eq!(
            outcome(answer),
            RefreshOutcome::Retry { error: TransientError::Unavailable, after: Some(Duration::from_secs(7)) }
        );
        assert_eq!(retry_after("999999999999"), Some(Duration::from_hours(24)));
        for header in ["", "-1", "1.5", "Wed, 21 Oct 2026 07:28:00 GMT", "99999999999999999999999"] {
            assert_eq!(retry_after(header), None, "{header}");
        }
    }

    #[test]
    fn a_200_that_is_no_successor_is_not_adopted() {
        let mut gone = value!(response(session(1), 2, 5));
        gone.as_object_mut().expect("an object").remove("refresh");
        let captive_portal = ApiResponse::new(200, "text/html", "<h1>Welcome to the hotel</h1>");
        let answers = [
            captive_portal,
            json(200, &gone, 5),
            json(200, &response(session(2), 2, 5), 5),
            json(200, &response(session(1), 1, 5), 5),
            json(200, &value!({"access": "a", "refresh": "b"}), 5),
        ];
        for answer in answers {
            assert_eq!(outcome(answer), RefreshOutcome::Retry { error: TransientError::Unexpected, after: None });
        }
    }

    #[test]
    fn only_token_not_valid_asks_for_a_refresh() {
        assert!(asks_for_refresh(&refused(401, "token_expired")));
        assert!(asks_for_refresh(&json(401, &value!({"code": "token_not_valid"}), 1)));
        assert!(!asks_for_refresh(&refused(403, "token_expired")));
        assert!(!asks_for_refresh(&json(401, &value!({"code": "no_active_account"}), 1)));
        assert!(!asks_for_refresh(&ApiResponse::new(401, "text/html", "{\"code\":\"token_not_valid\"}")));
    }

    #[test]
    fn debug_output_holds_no_secret() {
        let answer = json(200, &response(session(1), 2, 5), 5);
        let outcome = refresh_outcome(&tokens(session(1), 1, 0), &Ok(answer.clone()));
        let printed = format!("{answer:?} {outcome:?} {:?}", after(1));
        assert!(!printed.contains("access-") && !printed.contains("e30."), "{printed}");
    }
}
