//! How failures look on the wire: the only module that maps them to status codes.

mod accounts;
mod failures;
mod sessions;

use crate::store::users::TakenName;
use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use auth_types::{FieldErrors, ProblemBody, ProblemCode, Reason};
use std::fmt;

/// Seconds after which a client may retry when the server is busy.
pub const RETRY_AFTER_SECONDS: u32 = 2;

/// A failure, as problem details (RFC 9457).
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    code: ProblemCode,
    reason: Reason,
    detail: String,
    errors: FieldErrors,
    feature: Option<&'static str>,
    /// Further headers: a challenge, when to retry, what is allowed.
    headers: Vec<(HeaderName, HeaderValue)>,
    /// Whether it is caused by load, of one client or of all.
    is_caused_by_load: bool,
}

impl Problem {
    fn new(status: StatusCode, code: ProblemCode, reason: Reason, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            reason,
            detail: detail.into(),
            errors: FieldErrors::new(),
            feature: None,
            headers: Vec::new(),
            is_caused_by_load: false,
        }
    }

    /// The same with one more header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// 401: a token was sent and is not valid (RFC 6750, section 3.1).
    pub fn token_not_valid(reason: Reason) -> Self {
        let (code, detail) = match reason {
            Reason::SessionRevoked => (ProblemCode::TokenNotValid, "The session was ended. Sign in again."),
            Reason::SessionExpired => (ProblemCode::TokenNotValid, "The session is over. Sign in again."),
            Reason::RefreshReused => (ProblemCode::TokenNotValid, "Token is blacklisted"),
            Reason::TokenExpired => (ProblemCode::TokenNotValid, "Token is expired"),
            Reason::UserInactive => (ProblemCode::UserInactive, "User is inactive"),
            _ => (ProblemCode::TokenNotValid, "Token is invalid"),
        };
        let challenge = HeaderValue::from_static(r#"Bearer realm="api", error="invalid_token""#);
        Self::new(StatusCode::UNAUTHORIZED, code, reason, detail).header(header::WWW_AUTHENTICATE, challenge)
    }

    /// 401: no credentials were sent.
    pub fn credentials_missing() -> Self {
        let detail = "Authentication credentials were not provided.";
        let code = ProblemCode::NotAuthenticated;
        Self::new(StatusCode::UNAUTHORIZED, code, Reason::CredentialsMissing, detail).challenged()
    }

    fn no_active_account() -> Self {
        let detail = "No active account found with the given credentials";
        let code = ProblemCode::NoActiveAccount;
        Self::new(StatusCode::UNAUTHORIZED, code, Reason::CredentialsWrong, detail).challenged()
    }

    fn challenged(self) -> Self {
        self.header(header::WWW_AUTHENTICATE, HeaderValue::from_static(r#"Bearer realm="api""#))
    }

    /// 400: fields are missing, of a wrong type or not acceptable.
    pub fn fields_invalid(errors: FieldErrors) -> Self {
        let detail = "One or more fields are not acceptable; see errors.";
        Self { errors, ..Self::new(StatusCode::BAD_REQUEST, ProblemCode::Invalid, Reason::FieldsInvalid, detail) }
    }

    /// 400: one field is not acceptable.
    pub fn field(name: &str, message: impl Into<String>) -> Self {
        Self::fields_invalid(FieldErrors::from([(name.to_owned(), vec![message.into()])]))
    }

    /// 400: the body is not JSON.
    pub fn body_malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ProblemCode::ParseError, Reason::BodyMalformed, detail)
    }

    /// 400: a header cannot be read.
    pub fn header_malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ProblemCode::Invalid, Reason::HeaderMalformed, detail)
    }

    /// 413.
    pub fn body_too_large(limit: usize) -> Self {
        let detail = format!("The body has more than {limit} bytes.");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, ProblemCode::Invalid, Reason::BodyTooLarge, detail)
    }

    /// 408: the body did not arrive in time.
    pub fn body_timeout() -> Self {
        let detail = "The body did not arrive in time.";
        Self::new(StatusCode::REQUEST_TIMEOUT, ProblemCode::Error, Reason::BodyTimeout, detail)
    }

    /// 415.
    pub fn content_type_unsupported(accepted: &[&str]) -> Self {
        let detail = format!("Send the body as {}.", accepted.join(", "));
        let code = ProblemCode::UnsupportedMediaType;
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, code, Reason::ContentTypeUnsupported, detail)
    }

    /// 415: the body is compressed, or encoded otherwise.
    pub fn content_coding_unsupported() -> Self {
        let detail = "Send the body as it is, without Content-Encoding.";
        let code = ProblemCode::UnsupportedMediaType;
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, code, Reason::ContentTypeUnsupported, detail)
            .header(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"))
    }

    /// 403: a page of this `Origin` may not send unsafe requests.
    pub fn origin_not_allowed() -> Self {
        let detail = "This origin may not send such requests; see CORS_ALLOWED_ORIGINS and CSRF_TRUSTED_ORIGINS.";
        Self::new(StatusCode::FORBIDDEN, ProblemCode::PermissionDenied, Reason::OriginNotAllowed, detail)
    }

    fn csrf_failed() -> Self {
        let detail = "Send the csrf_token of this session in X-CSRF-Token.";
        Self::new(StatusCode::FORBIDDEN, ProblemCode::PermissionDenied, Reason::CsrfFailed, detail)
    }

    /// 403: the caller may not do this.
    pub fn permission_denied() -> Self {
        let detail = "You may not do this.";
        Self::new(StatusCode::FORBIDDEN, ProblemCode::PermissionDenied, Reason::PermissionDenied, detail)
    }

    /// 403: the request came in plaintext.
    pub fn https_required() -> Self {
        let detail = "Use https:// here: this request could be read in transit.";
        Self::new(StatusCode::FORBIDDEN, ProblemCode::PermissionDenied, Reason::HttpsRequired, detail)
    }

    /// 404.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, ProblemCode::NotFound, Reason::NotFound, "Not found.")
    }

    /// 409: a rule of a feature refuses the request. `rule` names feature and rule for programs, as in `notes.locked`; `detail`
    /// describes it to people.
    pub fn conflict(rule: &'static str, detail: impl Into<String>) -> Self {
        let problem = Self::new(StatusCode::CONFLICT, ProblemCode::Invalid, Reason::FeatureRefused, detail);
        Self { feature: Some(rule), ..problem }
    }

    /// 503: the same request may succeed in a moment.
    pub fn unavailable() -> Self {
        let detail = "The service is busy. Try again in a moment.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, ProblemCode::Error, Reason::Unavailable, detail)
            .header(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS))
    }

    /// 429: a budget is spent.
    pub fn throttled(retry_after_seconds: u32) -> Self {
        let detail = format!("Too many requests. Try again in {}.", in_words(retry_after_seconds));
        Self::new(StatusCode::TOO_MANY_REQUESTS, ProblemCode::Throttled, Reason::RateLimited, detail)
            .header(header::RETRY_AFTER, HeaderValue::from(retry_after_seconds))
            .caused_by_load()
    }

    fn caused_by_load(self) -> Self {
        Self { is_caused_by_load: true, ..self }
    }

    /// 500. The cause is logged here and not sent to the client.
    pub fn internal(cause: impl fmt::Display) -> Self {
        log::error!("problem.internal: {cause}");
        let detail = "Something went wrong on our side.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, ProblemCode::Error, Reason::Internal, detail)
    }

    fn taken(name: TakenName) -> Self {
        let (reason, field, detail) = match name {
            TakenName::Email => (Reason::EmailTaken, "email", "An account with this email address exists already."),
            TakenName::Username => (Reason::UsernameTaken, "username", "This username is taken."),
        };
        let errors = FieldErrors::from([(field.to_owned(), vec![detail.to_owned()])]);
        Self { errors, ..Self::new(StatusCode::CONFLICT, ProblemCode::Invalid, reason, detail) }
    }

    fn registration_closed() -> Self {
        let detail = "New accounts are not accepted here.";
        Self::new(StatusCode::FORBIDDEN, ProblemCode::PermissionDenied, Reason::RegistrationClosed, detail)
    }

    fn email_not_verified() -> Self {
        let detail = "Confirm your email address first: open the link in the mail that was sent to it.";
        Self::new(StatusCode::FORBIDDEN, ProblemCode::PermissionDenied, Reason::EmailNotVerified, detail)
    }

    fn link_not_valid() -> Self {
        let detail = "This link is not valid, or was used already, or is too old. Ask for a new one.";
        Self::new(StatusCode::BAD_REQUEST, ProblemCode::Invalid, Reason::LinkNotValid, detail)
    }

    /// A refusal of the framework's own, as problem details.
    pub fn from_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::not_found(),
            StatusCode::SERVICE_UNAVAILABLE => Self::unavailable(),
            StatusCode::METHOD_NOT_ALLOWED => {
                let detail = "This method is not allowed here; see Allow.";
                Self::new(status, ProblemCode::MethodNotAllowed, Reason::MethodNotAllowed, detail)
            }
            StatusCode::REQUEST_TIMEOUT => {
                let detail = "The request did not arrive in time.";
                Self::new(status, ProblemCode::Error, Reason::BodyTimeout, detail)
            }
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
                let detail = "The request's head, its first line and headers, is too large.";
                Self::new(status, ProblemCode::Invalid, Reason::HeaderMalformed, detail)
            }
            status if status.is_client_error() => {
                let detail = "The request's first line or one of its headers cannot be read.";
                Self::new(status, ProblemCode::Invalid, Reason::HeaderMalformed, detail)
            }
            _ => Self::internal(status),
        }
    }

    /// The machine-readable reason.
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// Whether it is a refusal caused by load, of one client or of all: a spent budget or a full queue, not an outage.
    pub const fn is_caused_by_load(&self) -> bool {
        self.is_caused_by_load
    }

    /// The body, with the request's id.
    pub fn body(&self, request_id: &str) -> ProblemBody {
        ProblemBody {
            type_uri: "about:blank".to_owned(),
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            code: self.code,
            reason: self.reason,
            request_id: request_id.to_owned(),
            errors: self.errors.clone(),
            feature: self.feature.map(str::to_owned),
        }
    }
}

/// A time to wait in the largest suitable unit, rounded up.
fn in_words(seconds: u32) -> String {
    let (count, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7_200 => (seconds.div_ceil(60), "minute"),
        _ => (seconds.div_ceil(3_600), "hour"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status.as_u16(), self.detail)
    }
}

/// `http::middleware::finish` writes the body, because the request's id is only known there.
impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut response = HttpResponse::build(self.status);
        if self.status == StatusCode::REQUEST_TIMEOUT {
            response.force_close(); // the rest of the request may never come
        }
        for header in &self.headers {
            response.append_header(header.clone());
        }
        response.finish()
    }
}
