//! Why a request of a page failed, and the message about it.

use super::response::{ApiResponse, FetchResult, ProblemFields, TransientError};
use auth_types::{FieldErrors, Reason};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// The message of a form that was not sent because some of its fields are invalid.
pub const CHECK_FIELDS: &str = "Please check what you entered.";

/// The message where nothing more helpful is known.
const FAILED: &str = "That did not work. Please try again.";

/// Why a request did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestFailure {
    /// The session has ended; the page is about to be replaced.
    SignedOut,
    /// An error that passes.
    Transient {
        /// Which.
        error: TransientError,
        /// How long to wait before the next attempt, if the server said so.
        after: Option<Duration>,
    },
    /// The server refused the request.
    Refused(ServerRefusal),
    /// The response has tokens of another service. The request took effect there, so it is not repeated.
    ForeignTokens,
    /// The request was not sent, because these fields are invalid.
    Unsendable(FieldErrors),
}

/// A refusal by the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerRefusal {
    /// The HTTP status.
    pub status: u16,
    /// Why; `Unknown` when the response does not say.
    pub reason: Reason,
    /// Field name → its error messages for people.
    pub errors: FieldErrors,
    /// The server's message for people, where a rule of a feature refused.
    pub detail: String,
    /// The name of that rule.
    pub feature: Option<String>,
}

impl RequestFailure {
    /// The errors of single fields.
    pub const fn field_errors(&self) -> Option<&FieldErrors> {
        match self {
            Self::Refused(ServerRefusal { errors, .. }) | Self::Unsendable(errors) => Some(errors),
            Self::SignedOut | Self::Transient { .. } | Self::ForeignTokens => None,
        }
    }

    /// Whether the same request is likely to succeed a little later.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Transient { .. })
    }

    /// One or two sentences for the user.
    pub fn message(&self) -> String {
        match self {
            Self::SignedOut => "You are signed out. Sign in again to go on.".to_owned(),
            Self::Transient { error: TransientError::Unreachable, .. } => {
                "The server cannot be reached. Check your connection and try again.".to_owned()
            }
            Self::Transient { error: TransientError::Unavailable, after } => {
                format!("The server is not ready yet. {}", try_again(*after))
            }
            Self::Transient { error: TransientError::RateLimited, after } => {
                format!("Too many requests. {}", try_again(*after))
            }
            Self::Transient { error: TransientError::Unexpected, .. } => {
                "Something went wrong on our side. Please try again.".to_owned()
            }
            Self::Refused(refusal) => refusal.message().to_owned(),
            Self::ForeignTokens => FAILED.to_owned(),
            Self::Unsendable(_) => CHECK_FIELDS.to_owned(),
        }
    }
}

impl ServerRefusal {
    fn message(&self) -> &str {
        match self.reason {
            Reason::FeatureRefused => &self.detail,
            Reason::CredentialsWrong => "Email, username or password is not right.",
            Reason::EmailTaken => "There is an account with this email already. Sign in instead.",
            Reason::UsernameTaken => "This username is taken. Choose another one.",
            Reason::EmailNotVerified => "Confirm your email first: open the link that we sent you.",
            Reason::RegistrationClosed => "New accounts are not accepted at the moment.",
            Reason::FieldsInvalid => "Some of what you entered cannot be accepted.",
            Reason::NotFound => "This does not exist any more.",
            Reason::PermissionDenied => "You may not do this.",
            Reason::UserInactive => "This account cannot be used any more.",
            Reason::LinkNotValid => "This link does not work any more.",
            Reason::BodyTooLarge => "This is too much to send at once.",
            _ => FAILED,
        }
    }
}

/// The sentence that says when to try again, such as "Please try again in 5 minutes."
fn try_again(after: Option<Duration>) -> String {
    let seconds = after.map_or(0, |after| after.as_secs());
    match seconds {
        0 => "Please try again in a moment.".to_owned(),
        1 => "Please try again in a second.".to_owned(),
        2..=90 => format!("Please try again in {seconds} seconds."),
        91..=5400 => format!("Please try again in {} minutes.", seconds.div_ceil(60)),
        _ => format!("Please try again in {} hours.", seconds.div_ceil(3600)),
    }
}

/// Reads the body of a successful response.
///
/// # Errors
/// Why the request failed.
pub fn read_json<T: DeserializeOwned>(result: FetchResult) -> Result<T, RequestFailure> {
    let response = accepted(result)?;
    let unexpected = RequestFailure::Transient { error: TransientError::Unexpected, after: None };
    if response.is_json { serde_json::from_str(&response.body).map_err(|_| unexpected) } else { Err(unexpected) }
}

/// Checks for success where the body does not matter.
///
/// # Errors
/// Why the request failed.
pub fn read_empty(result: FetchResult) -> Result<(), RequestFailure> {
    read_text(result).map(drop)
}

/// Reads the text of a successful response that is not JSON, such as a table.
///
/// # Errors
/// Why the request failed.
pub fn read_text(result: FetchResult) -> Result<String, RequestFailure> {
    Ok(accepted(result)?.body)
}

fn accepted(result: FetchResult) -> Result<ApiResponse, RequestFailure> {
    let response = result.map_err(|error| RequestFailure::Transient { error: error.transient_error(), after: None })?;
    if (200..300).contains(&response.status) {
        return Ok(response);
    }
    if let Some(error) = response.transient_error() {
        return Err(RequestFailure::Transient { error, after: response.retry_after });
    }
    let ProblemFields { reason, errors, detail, feature, .. } = response.problem_fields();
    let reason = reason.unwrap_or(Reason::Unknown);
    Err(RequestFailure::Refused(ServerRefusal { status: response.status, reason, errors, detail, feature }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::fixtures::{json, user};
    use crate::policy::response::TransportError;
    use auth_types::responses::UserResponse;
    use serde_json::json as value;

    #[test]
    fn a_body_is_read_from_json_only() {
        assert_eq!(read_json::<UserResponse>(Ok(json(200, &user(), 0))), Ok(user()));
        let page = ApiResponse::new(200, "text/html", "<h1>Welcome to the hotel</h1>");
        let unexpected = RequestFailure::Transient { error: TransientError::Unexpected, after: None };
        assert_eq!(read_json::<UserResponse>(Ok(page)), Err(unexpected.clone()));
        assert_eq!(read_json::<UserResponse>(Ok(json(200, &value!({}), 0))), Err(unexpected));
        assert_eq!(read_empty(Ok(ApiResponse::new(204, "", ""))), Ok(()));
    }

    #[test]
    fn a_refusal_keeps_its_reason_and_its_fields() {
        let body = value!({"reason": "fields_invalid", "errors": {"email": ["Enter an email address."]}});
        let Err(RequestFailure::Refused(refusal)) = read_empty(Ok(json(400, &body, 0))) else { panic!("not refused") };
        assert_eq!((refusal.status, refusal.reason), (400, Reason::FieldsInvalid));
        assert_eq!(refusal.errors["email"], ["Enter an email address."]);
    }

    #[test]
    fn a_refusal_of_a_feature_shows_its_own_detail() {
        let body = value!({"reason": "feature_refused", "feature": "polls.closed", "detail": "This poll is closed."});
        let failure = read_empty(Ok(json(409, &body, 0))).expect_err("a refusal");
        assert_eq!(failure.message(), "This poll is closed.");
        let RequestFailure::Refused(refusal) = failure else { panic!("not refused") };
        assert_eq!(refusal.feature.as_deref(), Some("polls.closed"));
    }

    #[test]
    fn a_transient_error_is_not_a_refusal() {
        for status in [408, 425, 429, 500, 502, 503, 504, 599] {
            let failure = read_empty(Ok(json(status, &value!({"reason": "internal"}), 0))).expect_err("a failure");
            assert!(failure.is_transient(), "{status}");
        }
        assert!(read_empty(Err(TransportError::Unreachable)).expect_err("a failure").is_transient());
    }

    #[test]
    fn messages_say_when_to_try_again() {
        let busy = |seconds| {
            RequestFailure::Transient { error: TransientError::RateLimited, after: Some(Duration::from_secs(seconds)) }
                .message()
        };
        assert_eq!(busy(30), "Too many requests. Please try again in 30 seconds.");
        assert_eq!(busy(900), "Too many requests. Please try again in 15 minutes.");
        assert_eq!(busy(7200), "Too many requests. Please try again in 2 hours.");
        assert_eq!(busy(0), "Too many requests. Please try again in a moment.");
    }
}
