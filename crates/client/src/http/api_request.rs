//! A request to the API, before it is sent.

use super::{API_BASE, FileContent};
use crate::clock;
use crate::policy::{FetchResult, PendingSignOut, Renewal, SessionTokens, repeat_after, step_key};
use auth_types::paths;
use auth_types::requests::RefreshRequest;
use auth_types::responses::EmptyResponse;
use serde::Serialize;
use std::fmt;
use std::time::Duration;
use uuid::Uuid;
use wasm_bindgen::JsValue;

/// What a form waits for: a server that wakes up takes most of a minute.
pub(crate) const RESPONSE_TIMEOUT: Duration = Duration::from_mins(1);

/// What a refresh waits for. Less, because it can be repeated safely and others wait for it.
const REFRESH_TIMEOUT: Duration = Duration::from_secs(30);

/// The methods that the API uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// What a request carries.
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
    pub(super) verb: Verb,
    pub(super) path: String,
    pub(super) body: Option<Body>,
    pub(super) access: Option<String>,
    pub(super) key: Option<String>,
    /// Whether cookies go along and come back. Only where the server asks for that: elsewhere browsers refuse the answer.
    pub(super) cookies: bool,
    pub(super) csrf: Option<String>,
    pub(super) patience: Duration,
}

impl ApiRequest {
    fn new(verb: Verb, path: impl Into<String>) -> Self {
        let path = path.into();
        Self { verb, path, body: None, access: None, key: None, cookies: false, csrf: None, patience: RESPONSE_TIMEOUT }
    }

    /// A GET.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Verb::Get, path)
    }

    /// A POST with a JSON body.
    pub fn post(path: impl Into<String>, body: &impl Serialize) -> Self {
        Self::new(Verb::Post, path).with_body(body)
    }

    /// A PUT of a file, as what the browser takes it for.
    pub fn put_file(path: impl Into<String>, file: FileContent) -> Self {
        Self { body: Some(Body::File(file)), ..Self::new(Verb::Put, path) }
    }

    /// A PATCH with a JSON body.
    pub fn patch(path: impl Into<String>, body: &impl Serialize) -> Self {
        Self::new(Verb::Patch, path).with_body(body)
    }

    /// A DELETE.
    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(Verb::Delete, path)
    }

    /// A DELETE with a JSON body.
    pub fn delete_with(path: impl Into<String>, body: &impl Serialize) -> Self {
        Self::delete(path).with_body(body)
    }

    /// The refresh of `tokens`, with their key: sent twice it has one effect.
    pub fn refresh(tokens: &SessionTokens) -> Self {
        let call = Self::renewing(paths::REFRESH, tokens.renewal());
        Self { key: Some(tokens.idempotency_key()), patience: REFRESH_TIMEOUT, ..call }
    }

    /// The end of a session.
    pub fn logout(late: &PendingSignOut) -> Self {
        Self::renewing(paths::LOGOUT, late.renewal())
    }

    /// A POST that the refresh token authenticates, wherever that is.
    fn renewing(path: &str, renewal: Renewal) -> Self {
        match renewal {
            Renewal::Token(refresh) => Self::post(path, &RefreshRequest { refresh }),
            Renewal::Cookie { csrf_token } => {
                let call = Self::post(path, &EmptyResponse {}).with_cookies();
                Self { csrf: Some(csrf_token), ..call }
            }
        }
    }

    /// The same as a step that is done once, however often it is sent.
    #[must_use]
    pub fn once(self, seed: Uuid) -> Self {
        let body = match &self.body {
            Some(Body::Json(text)) => text.as_str(),
            Some(Body::File(_)) | None => "",
        };
        Self { key: Some(step_key(seed, &self.path, body)), ..self }
    }

    /// How long to wait before it is repeated by itself, when this came of sending it so often. A refresh is planned by the
    /// session.
    pub fn repeat_after(&self, exchange: &FetchResult, sent: u32) -> Option<Duration> {
        let is_step = self.key.is_some() && self.patience == RESPONSE_TIMEOUT;
        repeat_after(exchange, sent, clock::jitter()).filter(|_| is_step)
    }

    /// The same with the API's cookies, there and back.
    #[must_use]
    pub fn with_cookies(self) -> Self {
        Self { cookies: true, ..self }
    }

    /// The same as the caller of this access token.
    #[must_use]
    pub fn with_access(&self, access: &str) -> Self {
        Self { access: Some(access.to_owned()), ..self.clone() }
    }

    /// Whether it asks for a change.
    pub fn changes_something(&self) -> bool {
        self.verb != Verb::Get
    }

    /// Where it goes.
    pub(super) fn url(&self) -> String {
        format!("{API_BASE}{}", self.path)
    }

    /// What it says besides its body.
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
        // Bodies are structs of strings: they always have a JSON form.
        Self { body: Some(Body::Json(serde_json::to_string(body).unwrap_or_default())), ..self }
    }
}

impl fmt::Debug for ApiRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("verb", &self.verb).field("path", &self.path).finish_non_exhaustive()
    }
}
