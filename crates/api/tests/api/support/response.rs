//! A response of the API, and the assertions that tests make on it.

use auth_types::responses::TokenResponse;
use auth_types::{ProblemBody, ProblemCode, Reason};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER, WWW_AUTHENTICATE};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A status, headers and a body.
#[derive(Debug, Clone)]
pub struct TestResponse {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl TestResponse {
    pub async fn of(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, body: response.bytes().await.unwrap().to_vec() }
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The header's value; empty when the header is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// What an anonymous client can compare: status, body and headers, without those that differ between any two responses.
    pub fn comparable(&self) -> (u16, Value, Vec<String>) {
        let mut body: Value = self.json();
        body["request_id"] = Value::Null;
        let headers = self.headers.iter().filter(|(name, _)| *name != "x-request-id" && *name != "date");
        let mut headers: Vec<_> = headers.map(|(name, value)| format!("{name}: {value:?}")).collect();
        headers.sort();
        (self.status.as_u16(), body, headers)
    }

    #[track_caller]
    pub fn has_status(&self, status: u16) {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
    }

    #[track_caller]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        let parsed = serde_json::from_slice(&self.body);
        parsed.unwrap_or_else(|error| panic!("{error} in {} {}", self.status, self.text()))
    }

    /// Asserts that a sign-in or a refresh succeeded, and returns its tokens.
    #[track_caller]
    pub fn tokens(self) -> TokenResponse {
        self.has_status(200);
        assert_eq!(self.header("cache-control"), "no-store");
        self.json()
    }

    /// Asserts that a registration succeeded.
    #[track_caller]
    pub fn created(self) -> TokenResponse {
        self.has_status(201);
        assert_eq!(self.header("cache-control"), "no-store");
        self.json()
    }

    /// Asserts success, whatever the status.
    #[track_caller]
    pub fn done(self) {
        assert!(self.status.is_success(), "{} {}", self.status, self.text());
    }

    /// Asserts a failure in the form of the contract: problem details, and the headers that the status requires.
    #[track_caller]
    pub fn problem(&self, status: u16) -> ProblemBody {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text());
        let problem: ProblemBody = self.json();
        assert_eq!(problem.status, status);
        assert_eq!(problem.type_uri, "about:blank");
        assert_eq!(problem.title, self.status.canonical_reason().unwrap());
        assert_eq!(problem.request_id, self.header("x-request-id"));
        assert!(!problem.request_id.is_empty());
        assert_eq!(self.headers.contains_key(WWW_AUTHENTICATE), status == 401, "a challenge belongs to a 401");
        assert_eq!(self.headers.contains_key(RETRY_AFTER), matches!(status, 429 | 503), "Retry-After: 429 and 503");
        problem
    }

    /// Asserts a 401 for this reason.
    #[track_caller]
    pub fn unauthorized(self, reason: Reason) -> ProblemBody {
        let problem = self.problem(401);
        assert_eq!(problem.reason, reason, "{}", self.text());
        let sent = !matches!(reason, Reason::CredentialsMissing | Reason::CredentialsWrong);
        let challenge = if sent { r#"Bearer realm="api", error="invalid_token""# } else { r#"Bearer realm="api""# };
        assert_eq!(self.header("www-authenticate"), challenge);
        problem
    }

    /// Asserts a 400 that names exactly these fields.
    #[track_caller]
    pub fn invalid_fields(self, fields: &[&str]) -> ProblemBody {
        let problem = self.problem(400);
        assert_eq!(problem.reason, Reason::FieldsInvalid, "{}", self.text());
        let named: Vec<_> = problem.errors.keys().map(String::as_str).collect();
        assert_eq!(named, fields, "{}", self.text());
        problem
    }

    /// Asserts a 429 and returns its `Retry-After`, in seconds.
    #[track_caller]
    pub fn throttled(self) -> i64 {
        let problem = self.problem(429);
        assert_eq!((problem.code, problem.reason), (ProblemCode::Throttled, Reason::RateLimited));
        self.header("retry-after").parse().unwrap()
    }

    /// Asserts an error response of this status and reason.
    #[track_caller]
    pub fn problem_of(self, status: u16, reason: Reason) -> ProblemBody {
        let problem = self.problem(status);
        assert_eq!(problem.reason, reason, "{}", self.text());
        problem
    }
}
