//! A request to the API, before it is sent.

use super::{API_BASE, FileContent};
use crate::clock;
use crate::policy::{FetchResult, PendingSignOut, RefreshCredential, SessionTokens, repeat_after, step_key};
use auth_types::paths;
use auth_types::requests::RefreshRequest;
use auth_types::responses::{EmptyResponse, TokenTransport};
use serde::Serialize;
use std::fmt;
use std::time::Duration;
use uuid::Uuid;
use wasm_bindgen::JsValue;

/// How long a form waits for its response: a server that wakes up takes most of a minute.
pub(crate) const RESPONSE_TIMEOUT: Duration = Duration::from_mins(1);

/// How long a refresh waits. Less, because it can be repeated safely and other requests wait for it.
const REFRESH_TIMEOUT: Duration = Duration::from_secs(30);

/// The methods that the API uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// Its name in HTTP.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// The body of a request.
#[derive(Clone)]
pub(super) enum Body {
    Json(String),
    File(FileContent),
}

impl Body {
    fn media_type(&self) -> String {
        match self {
            Self::Json(_) => "application/json".to_owned(),
            Self::File(file) => file.media_type.clone(),
        }
    }
}

impl From<&Body> for JsValue {
    fn from(body: &Body) -> Self {
        match body {
            Body::Json(text) => text.into(),
            Body::File(file) => file.bytes.clone().into(),
        }
    }
}

/// A request to the API. Cheap to send again.
#[derive(Clone)]
pub struct ApiRequest {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Option<Body>,
    pub(super) access: Option<String>,
    pub(super) key: Option<String>,
    /// Whether cookies are sent and accepted. Only where the server requires that: otherwise browsers refuse the response.
    pub(super) cookies: bool,
    pub(super) csrf: Option<String>,
    pub(super) timeout: Duration,
    /// Whether it is sent again when the response is lost.
    repeats: bool,
}

impl ApiRequest {
    fn new(method: Method, path: impl Into<String>) -> Self {
        let path = path.into();
        Self {
            method,
            path,
            body: None,
            access: None,
            key: None,
            cookies: false,
            csrf: None,
            timeout: RESPONSE_TIMEOUT,
            repeats: false,
        }
    }

    /// A GET.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::Get, path)
    }

    /// A POST with a JSON body.
    pub fn post(path: impl Into<String>, body: &impl Serialize) -> Self {
        Self::new(Method::Post, path).with_body(body)
    }

    /// A PUT with a JSON body.
    pub fn put(path: impl Into<String>, body: &impl Serialize) -> Self {
        Self::new(Method::Put, path).with_body(body)
    }

    /// A PUT of a file, with the media type that the browser reports.
    pub fn put_file(path: impl Into<String>, file: FileContent) -> Self {
        Self { body: Some(Body::File(file)), ..Self::new(Method::Put, path) }
    }

    /// A PATCH with a JSON body.
    pub fn patch(path: impl Into<String>, body: &impl Serialize) -> Self {
        Self::new(Method::Patch, path).with_body(body)
    }

    /// A DELETE.
    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::Delete, path)
    }

    /// A DELETE with a JSON body.
    pub fn delete_with(path: impl Into<String>, body: &impl Serialize) -> Self {
        Self::delete(path).with_body(body)
    }

    /// The refresh of `tokens`, with their key: sent twice, it takes effect once.
    pub fn refresh(tokens: &SessionTokens) -> Self {
        let request = Self::with_refresh_credential(paths::REFRESH, tokens.refresh_credential());
        Self { key: Some(tokens.idempotency_key()), timeout: REFRESH_TIMEOUT, ..request }
    }

    /// A sign-out.
    pub fn sign_out(session: &PendingSignOut) -> Self {
        Self::with_refresh_credential(paths::LOGOUT, session.refresh_credential())
    }

    /// A POST that the refresh token authenticates, in either transport.
    fn with_refresh_credential(path: &str, refresh_credential: RefreshCredential) -> Self {
        match refresh_credential {
            RefreshCredential::Token(refresh) => Self::post(path, &RefreshRequest { refresh }),
            RefreshCredential::Cookie { csrf_token } => {
                let request = Self::post(path, &EmptyResponse {}).with_cookies();
                Self { csrf: Some(csrf_token), ..request }
            }
        }
    }

    /// This request, but with an `Idempotency-Key`, so that it takes effect once, however often it is sent.
    #[must_use]
    pub fn once(self, seed: Uuid) -> Self {
        let body = match &self.body {
            Some(Body::Json(text)) => text.as_str(),
            Some(Body::File(_)) | None => "",
        };
        Self { key: Some(step_key(seed, &self.path, body)), repeats: true, ..self }
    }

    /// How long to wait before it is repeated automatically, after it was sent `sent` times with this last result. A refresh is
    /// never repeated here: the session plans it.
    pub fn repeat_after(&self, result: &FetchResult, sent: u32) -> Option<Duration> {
        repeat_after(result, sent, clock::jitter()).filter(|_| self.repeats)
    }

    /// This request, but with the API's cookies, sent and accepted.
    #[must_use]
    pub fn with_cookies(self) -> Self {
        Self { cookies: true, ..self }
    }

    /// This request as a sign-in, with or without credentials as the server's transport requires: the browser stores a cookie only
    /// from a response to a request with credentials, and refuses such a response from other servers.
    #[must_use]
    pub fn signing_in(self, transport: TokenTransport) -> Self {
        match transport {
            TokenTransport::Body => self,
            TokenTransport::Cookie => self.with_cookies(),
        }
    }

    /// This request, but with this access token.
    #[must_use]
    pub fn with_access(&self, access: &str) -> Self {
        Self { access: Some(access.to_owned()), ..self.clone() }
    }

    /// Whether it may change something at the server.
    pub fn is_unsafe(&self) -> bool {
        self.method != Method::Get
    }

    /// Its full address.
    pub(super) fn url(&self) -> String {
        format!("{API_BASE}{}", self.path)
    }

    /// Its headers.
    pub(super) fn headers(&self) -> impl Iterator<Item = (&'static str, String)> {
        let given = [
            ("Accept", Some("application/json".to_owned())),
            ("Content-Type", self.body.as_ref().map(Body::media_type)),
            ("Authorization", self.access.as_ref().map(|access| format!("Bearer {access}"))),
            ("Idempotency-Key", self.key.clone()),
            ("X-CSRF-Token", self.csrf.clone()),
        ];
        given.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }

    fn with_body(self, body: &impl Serialize) -> Self {
        // Bodies are structs of strings, which always serialize.
        Self { body: Some(Body::Json(serde_json::to_string(body).unwrap_or_default())), ..self }
    }
}

impl fmt::Debug for ApiRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiRequest").field("method", &self.method).field("path", &self.path).finish_non_exhaustive()
    }
}
