//! What a response means, above all the response to a refresh.

use super::issued_tokens::{IssuedTokens, RefreshCredential};
use super::time::Now;
use super::tokens::SessionTokens;
use auth_types::responses::UserResponse;
use auth_types::{FieldErrors, ProblemCode, Reason};
use serde::Deserialize;
use std::fmt;
use std::time::Duration;

/// A complete response.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiResponse {
    /// The HTTP status.
    pub status: u16,
    /// Whether its media type is JSON. That of a captive portal's page is not.
    pub is_json: bool,
    /// How long the server asks to be left alone.
    pub retry_after: Option<Duration>,
    /// The body.
    pub body: String,
    /// When the request was sent.
    pub sent: Now,
    /// When the response was complete.
    pub received: Now,
}

/// A response, or why there is none.
pub type FetchResult = Result<ApiResponse, TransportError>;

/// Why there is no response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportError {
    /// The network failed, or the browser withheld the response.
    Unreachable,
    /// It took too long.
    TimedOut,
}

/// An error that is expected to pass without any change by the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransientError {
    /// No connection.
    Unreachable,
    /// The server is starting, overloaded or cannot reach its database.
    Unavailable,
    /// The server has received too many requests.
    RateLimited,
    /// A response that the client does not understand.
    Unexpected,
}

/// What the response to a refresh means for the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefreshOutcome {
    /// The successor of the parent, and who the user is now.
    Adopt(Box<SessionTokens>, Box<UserResponse>),
    /// The session has ended for good.
    Ended(Reason),
    /// The server does not know the key that signed the refresh token. It may learn it soon.
    KeyUnknown,
    /// Nothing is decided; the session stays.
    Retry {
        /// Why.
        error: TransientError,
        /// What the server asked for.
        after: Option<Duration>,
    },
}

/// The members of a problem that the client reads. Each is optional, because other servers and proxies may respond.
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
    /// A response with this status, `Content-Type` and body.
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

    /// The same with the times of the request and of the response.
    #[must_use]
    pub fn timed(self, sent: Now, received: Now) -> Self {
        Self { sent, received, ..self }
    }

    /// The transient error that the status stands for, if it does.
    pub const fn transient_error(&self) -> Option<TransientError> {
        match self.status {
            408 | 425 | 502..=504 | 520..=530 => Some(TransientError::Unavailable),
            429 => Some(TransientError::RateLimited),
            500..=599 => Some(TransientError::Unexpected),
            _ => None,
        }
    }

    /// Whether the API itself has responded. A captive portal or a proxy may respond in its place.
    pub(super) const fn is_from_api(&self) -> bool {
        self.status == 204 || self.is_json
    }

    /// The body read as a problem; members that it lacks are empty.
    pub(super) fn problem_fields(&self) -> ProblemFields {
        if self.is_json { serde_json::from_str(&self.body).unwrap_or_default() } else { ProblemFields::default() }
    }
}

impl fmt::Debug for ApiResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiResponse")
            .field("status", &self.status)
            .field("is_json", &self.is_json)
            .finish_non_exhaustive()
    }
}

impl TransportError {
    /// The error that people are shown.
    pub const fn transient_error(self) -> TransientError {
        match self {
            Self::Unreachable => TransientError::Unreachable,
            Self::TimedOut => TransientError::Unavailable,
        }
    }
}

/// The longest wait that is shown, even if a server or proxy asks for more: none of the API's limits is longer.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(24);

/// Reads a `Retry-After` in seconds (RFC 9110, 10.2.3). The form with a date needs a right clock, so it is not used.
pub fn retry_after(header: &str) -> Option<Duration> {
    header.trim().parse().ok().map(|seconds| Duration::from_secs(seconds).min(MAX_RETRY_AFTER))
}

/// Whether the response refuses the access token: the only 401 that a refresh can fix.
pub fn asks_for_refresh(response: &ApiResponse) -> bool {
    response.status == 401 && response.problem_fields().code == Some(ProblemCode::TokenNotValid)
}

/// Reads the response to a refresh of `parent`.
///
/// Only a 401 with a typed terminal reason ends a session. Responses of proxies, captive portals, failing servers or newer
/// servers leave it as it is.
pub fn refresh_outcome(parent: &SessionTokens, result: &FetchResult) -> RefreshOutcome {
    let response = match result {
        Ok(response) => response,
        Err(error) => return RefreshOutcome::Retry { error: error.transient_error(), after: None },
    };
    successor(parent, response).or_else(|| ending(parent, response)).unwrap_or_else(|| RefreshOutcome::Retry {
        error: response.transient_error().unwrap_or(TransientError::Unexpected),
        after: response.retry_after,
    })
}

fn successor(parent: &SessionTokens, response: &ApiResponse) -> Option<RefreshOutcome> {
    if response.status != 200 || !response.is_json {
        return None;
    }
    let given: IssuedTokens = serde_json::from_str(&response.body).ok()?;
    let tokens = parent.succeeded_by(&given, response.sent, response.received)?;
    Some(RefreshOutcome::Adopt(Box::new(tokens), Box::new(given.user)))
}

fn ending(parent: &SessionTokens, response: &ApiResponse) -> Option<RefreshOutcome> {
    let reason = response.problem_fields().reason?;
    let has_cookie = matches!(parent.refresh_credential(), RefreshCredential::Cookie { .. });
    let is_over = match (response.status, reason) {
        (401, Reason::KeyUnknown) => return Some(RefreshOutcome::KeyUnknown),
        // The browser does not send the cookie, and no script can restore it; or it sends another session's, because someone
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

    fn outcome(response: ApiResponse) -> RefreshOutcome {
        refresh_outcome(&tokens(session(1), 1, 0), &Ok(response))
    }

    fn refused(status: u16, reason: &str) -> ApiResponse {
        json(status, &value!({"code": "token_not_valid", "reason": reason, "detail": "No."}), 1)
    }

    #[test]
    fn a_successor_is_adopted() {
        let RefreshOutcome::Adopt(adopted, user) = outcome(json(200, &response(session(1), 2, 5), 5)) else {
            panic!("not adopted")
        };
        assert_eq!(
            (adopted.sequence(), adopted.refresh_credential()),
            (2, RefreshCredential::Token(token(session(1), 2)))
        );
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
            let response = ApiResponse::new(401, "application/json", body);
            assert_eq!(
                outcome(response),
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
    fn a_transient_status_leaves_the_session_and_is_classified() {
        let of = |status| match outcome(ApiResponse::new(status, "text/html", "<h1>Bad gateway</h1>")) {
            RefreshOutcome::Retry { error, .. } => error,
            other => panic!("{status}: {other:?}"),
        };
        assert_eq!([408, 425, 502, 503, 504].map(of), [TransientError::Unavailable; 5]);
        assert_eq!(of(429), TransientError::RateLimited);
        assert_eq!([200, 204, 302, 404, 418, 500, 501].map(of), [TransientError::Unexpected; 7]);
    }

    #[test]
    fn a_transport_error_leaves_the_session() {
        let of = |error| refresh_outcome(&tokens(session(1), 1, 0), &Err(error));
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
    fn a_retry_after_header_is_passed_on() {
        let response = refused(503, "unavailable").retry_after(retry_after("7"));
        assert_eq!(
            outcome(response),
            RefreshOutcome::Retry { error: TransientError::Unavailable, after: Some(Duration::from_secs(7)) }
        );
        assert_eq!(retry_after("999999999999"), Some(Duration::from_hours(24)));
        for header in ["", "-1", "1.5", "Wed, 21 Oct 2026 07:28:00 GMT", "99999999999999999999999"] {
            assert_eq!(retry_after(header), None, "{header}");
        }
    }

    #[test]
    fn a_200_without_a_successor_is_not_adopted() {
        let mut gone = value!(response(session(1), 2, 5));
        gone.as_object_mut().expect("an object").remove("refresh");
        let captive_portal = ApiResponse::new(200, "text/html", "<h1>Welcome to the hotel</h1>");
        let responses = [
            captive_portal,
            json(200, &gone, 5),
            json(200, &response(session(2), 2, 5), 5),
            json(200, &response(session(1), 1, 5), 5),
            json(200, &value!({"access": "a", "refresh": "b"}), 5),
        ];
        for response in responses {
            assert_eq!(outcome(response), RefreshOutcome::Retry { error: TransientError::Unexpected, after: None });
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
        let response = json(200, &response(session(1), 2, 5), 5);
        let outcome = refresh_outcome(&tokens(session(1), 1, 0), &Ok(response.clone()));
        let printed = format!("{response:?} {outcome:?} {:?}", after(1));
        assert!(!printed.contains("access-") && !printed.contains("e30."), "{printed}");
    }
}
