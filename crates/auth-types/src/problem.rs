//! The API's error responses: problem details (RFC 9457), with simplejwt's two members.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Field name → its error messages for people.
pub type FieldErrors = BTreeMap<String, Vec<String>>;

/// The body of every failure, `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProblemBody {
    /// Always `about:blank`: the status and `reason` say what happened.
    #[serde(rename = "type")]
    pub type_uri: String,
    /// The status as text.
    pub title: String,
    /// The HTTP status again.
    pub status: u16,
    /// One sentence for people.
    pub detail: String,
    /// simplejwt's code.
    pub code: ProblemCode,
    /// The exact cause.
    pub reason: Reason,
    /// The `X-Request-Id` of the response: quote it when you ask for help.
    pub request_id: String,
    /// With 400: the invalid fields and the errors of each.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub errors: FieldErrors,
    /// With `feature_refused`: the feature and its rule, such as `notes.locked`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub feature: Option<String>,
}

/// simplejwt's and Django REST framework's codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the documentation; each is defined by simplejwt")]
pub enum ProblemCode {
    NoActiveAccount,
    TokenNotValid,
    NotAuthenticated,
    UserNotFound,
    UserInactive,
    Invalid,
    ParseError,
    PermissionDenied,
    Throttled,
    UnsupportedMediaType,
    MethodNotAllowed,
    NotFound,
    Error,
    /// A code from a newer server.
    #[serde(other)]
    Unknown,
}

/// The exact cause of an error: the one vocabulary by which clients decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The session was revoked, or does not exist. `/verify/` also returns this for a refresh token that was exchanged.
    SessionRevoked,
    /// The session's idle or absolute lifetime is over.
    SessionExpired,
    /// An older generation of the refresh token was used again: two parties have it, so the session was revoked.
    RefreshReused,
    /// The account is deactivated or deleted.
    UserInactive,
    /// Not a token of this service: its form, signature, type or claims are not valid.
    TokenMalformed,
    /// The token names a key that this process does not know, but may learn soon: a client keeps its tokens and retries for 15
    /// minutes.
    KeyUnknown,
    /// The access token has expired; a refresh returns the next.
    TokenExpired,
    /// No `Authorization` header, or none with the `Bearer` scheme.
    CredentialsMissing,
    /// Wrong password, unknown or inactive account; the response does not say which.
    CredentialsWrong,
    /// The address must be confirmed first.
    EmailNotVerified,
    /// Another account has this address.
    EmailTaken,
    /// Another account has this username.
    UsernameTaken,
    /// One or more fields are missing, of the wrong type or not valid; see `errors`.
    FieldsInvalid,
    /// The body is not JSON.
    BodyMalformed,
    /// The body is too large.
    BodyTooLarge,
    /// The body did not arrive in time.
    BodyTimeout,
    /// The `Content-Type` is not `application/json`.
    ContentTypeUnsupported,
    /// A header cannot be read.
    HeaderMalformed,
    /// The request's `Origin` is not allowed to make changes.
    OriginNotAllowed,
    /// `X-CSRF-Token` is missing or belongs to another session than the cookie: a foreign page sent the request, or another tab
    /// has signed in meanwhile.
    CsrfFailed,
    /// The request came over plain HTTP.
    HttpsRequired,
    /// New accounts are not accepted.
    RegistrationClosed,
    /// The link is unknown, used or expired.
    LinkNotValid,
    /// Too many requests; `Retry-After` says when to try again.
    RateLimited,
    /// No such route or object.
    NotFound,
    /// The route exists, the method does not; see `Allow`.
    MethodNotAllowed,
    /// The caller may not do this.
    PermissionDenied,
    /// A rule of a feature; see `feature`, and `detail` for people.
    FeatureRefused,
    /// The server is busy or its database does not respond; `Retry-After` says when to try again.
    Unavailable,
    /// A defect of the server.
    Internal,
    /// A reason from a newer server.
    #[serde(other)]
    Unknown,
}

impl Reason {
    /// Whether a client must delete its tokens when a refresh fails with this reason: the session has ended for good.
    ///
    /// Any other failure (a network error, a 5xx, a 429) leaves the session as it is.
    pub const fn ends_session(self) -> bool {
        match self {
            Self::SessionRevoked
            | Self::SessionExpired
            | Self::RefreshReused
            | Self::UserInactive
            | Self::TokenMalformed => true,
            Self::TokenExpired
            | Self::KeyUnknown
            | Self::CredentialsMissing
            | Self::CredentialsWrong
            | Self::EmailNotVerified
            | Self::EmailTaken
            | Self::UsernameTaken
            | Self::FieldsInvalid
            | Self::BodyMalformed
            | Self::BodyTooLarge
            | Self::BodyTimeout
            | Self::ContentTypeUnsupported
            | Self::HeaderMalformed
            | Self::OriginNotAllowed
            | Self::CsrfFailed
            | Self::HttpsRequired
            | Self::RegistrationClosed
            | Self::LinkNotValid
            | Self::RateLimited
            | Self::NotFound
            | Self::MethodNotAllowed
            | Self::PermissionDenied
            | Self::FeatureRefused
            | Self::Unavailable
            | Self::Internal
            | Self::Unknown => false,
        }
    }
}
