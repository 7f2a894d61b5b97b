//! How the API says no: problem details (RFC 9457) with simplejwt's two members kept.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Field name → what is wrong with it, for people.
pub type FieldErrors = BTreeMap<String, Vec<String>>;

/// The body of every failure, `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProblemBody {
    /// Always `about:blank`: the status and `reason` say what happened.
    #[serde(rename = "type")]
    pub type_uri: String,
    /// The status in words.
    pub title: String,
    /// The HTTP status again.
    pub status: u16,
    /// One sentence for people.
    pub detail: String,
    /// simplejwt's vocabulary.
    pub code: ProblemCode,
    /// What exactly happened.
    pub reason: Reason,
    /// The `X-Request-Id` of the answer: quote it when you ask for help.
    pub request_id: String,
    /// With 400: the fields and what is wrong with each.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub errors: FieldErrors,
    /// With `feature_refused`: which rule of which feature, as `notes.locked`.
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

/// What exactly went wrong: the one vocabulary that client and server decide by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The session was ended by someone, or does not exist. `/verify/` also says this of a refresh token that was exchanged.
    SessionRevoked,
    /// The session's idle or absolute lifetime is over.
    SessionExpired,
    /// An older generation of the refresh token came back: two parties hold it, so the session was revoked.
    RefreshReused,
    /// The account is deactivated or deleted.
    UserInactive,
    /// Not a token of ours: form, signature, type or claims do not hold.
    TokenMalformed,
    /// The token names a key that this process does not know. It may be on its way: a client keeps its tokens and tries again for
    /// 15 minutes.
    KeyUnknown,
    /// The access token's time is over; a refresh gives the next.
    TokenExpired,
    /// No `Authorization` header, or none with the `Bearer` scheme.
    CredentialsMissing,
    /// Wrong password, unknown or inactive account: which of them is not told.
    CredentialsWrong,
    /// The address must be confirmed first.
    EmailNotVerified,
    /// Another account has this address.
    EmailTaken,
    /// Another account has this username.
    UsernameTaken,
    /// One or more fields are missing, of a wrong type or not acceptable; see `errors`.
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
    /// The request's `Origin` is not one of those that may change things here.
    OriginNotAllowed,
    /// `X-CSRF-Token` is missing or not the one of the cookie's session: a page that is not the client's sent this, or
    /// another tab has signed in meanwhile.
    CsrfFailed,
    /// The request came in clear.
    HttpsRequired,
    /// New accounts are not accepted.
    RegistrationClosed,
    /// The link is unknown, spent or expired.
    LinkNotValid,
    /// Too many requests; `Retry-After` says when to come back.
    RateLimited,
    /// No such route or object.
    NotFound,
    /// The route exists, the method does not; see `Allow`.
    MethodNotAllowed,
    /// The caller may not do this.
    PermissionDenied,
    /// A rule of a feature; see `feature`, and `detail` for people.
    FeatureRefused,
    /// The server is busy or its database does not answer; `Retry-After` says when to come back.
    Unavailable,
    /// A defect of the server.
    Internal,
    /// A reason from a newer server.
    #[serde(other)]
    Unknown,
}

impl Reason {
    /// Whether a client must delete its tokens when a refresh is answered with this: the session cannot come back.
    ///
    /// Anything else (a network error, a 5xx, a 429) leaves the session standing.
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
