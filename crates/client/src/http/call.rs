//! A request to the API, before it is sent.

use crate::policy::Tokens;
use auth_types::requests::RefreshRequest;
use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// What a form waits for: a server that wakes up takes most of a minute.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a refresh waits for. Less, because it can be repeated safely and others wait for it.
const REFRESH_PATIENCE: Duration = Duration::from_secs(30);

/// The methods that the API uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    Post,
    Patch,
    Delete,
}

/// A request to the API. Cheap to send again.
#[derive(Clone)]
pub struct Call {
    pub(super) verb: Verb,
    pub(super) path: String,
    pub(super) body: Option<String>,
    pub(super) access: Option<String>,
    pub(super) key: Option<String>,
    pub(super) patience: Duration,
}

impl Call {
    fn new(verb: Verb, path: impl Into<String>) -> Self {
        Self { verb, path: path.into(), body: None, access: None, key: None, patience: PATIENCE }
    }

    /// A GET.
    #[must_use]
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Verb::Get, path)
    }

    /// A POST with a JSON body.
    #[must_use]
    pub fn post(path: impl Into<String>, body: &impl Serialize) -> Self {
        Self::new(Verb::Post, path).with_body(body)
    }

    /// A PATCH with a JSON body.
    #[must_use]
    pub fn patch(path: impl Into<String>, body: &impl Serialize) -> Self {
        Self::new(Verb::Patch, path).with_body(body)
    }

    /// A DELETE.
    #[must_use]
    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(Verb::Delete, path)
    }

    /// The refresh of `tokens`, with their key: sent twice it has one effect.
    #[must_use]
    pub fn refresh(tokens: &Tokens) -> Self {
        let body = RefreshRequest { refresh: tokens.refresh().to_owned() };
        let call = Self::post("/api/auth/refresh/", &body);
        Self { key: Some(tokens.idempotency_key()), patience: REFRESH_PATIENCE, ..call }
    }

    /// The same as the caller of this access token.
    #[must_use]
    pub fn with_access(&self, access: &str) -> Self {
        Self { access: Some(access.to_owned()), ..self.clone() }
    }

    fn with_body(self, body: &impl Serialize) -> Self {
        // Bodies are structs of strings: they always have a JSON form.
        Self { body: Some(serde_json::to_string(body).unwrap_or_default()), ..self }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("verb", &self.verb).field("path", &self.path).finish_non_exhaustive()
    }
}
