//! A browser with one storage, two clocks, and several tabs that run the client's own policy.

use super::model::ClientTraits;
use auth_types::SessionId;
use chrono::{DateTime, Utc};
use client::policy::{
    ApiResponse, Effect, Now, RefreshCredential, SessionMachine, SessionTokens, StorageContent, StorageSnapshot,
    TransportError,
};

/// The refresh that a tab is waiting for.
#[derive(Debug, Clone)]
pub enum PendingRefresh {
    /// The request has not reached the server.
    Sent { sent: Sent, at: Now, server_at: DateTime<Utc> },
    /// The server has responded, and may have set the cookie.
    Received { sent: Sent, response: ApiResponse, cookie: Option<String> },
}

/// A refresh request.
#[derive(Debug, Clone)]
pub struct Sent {
    pub parent: Box<SessionTokens>,
    /// The refresh token in the request, from the parent or from the cookie.
    pub token: Option<String>,
}

#[derive(Debug, Default)]
pub struct Tab {
    pub machine: SessionMachine,
    pub pending: Option<PendingRefresh>,
}

#[derive(Debug)]
pub struct Browser {
    /// The client of its requests.
    pub client: ClientTraits,
    /// Whether its tabs send an `Idempotency-Key` with each refresh, as Latchkey's client does.
    pub sends_keys: bool,
    /// The content of localStorage, as text, which survives a crash.
    pub storage: Option<String>,
    /// With cookies, the refresh token, which the browser hides from the tabs.
    pub cookie: Option<String>,
    pub tabs: Vec<Tab>,
    /// The error of the wall clock, in milliseconds.
    pub wall_error: i64,
    /// The monotonic clock, in milliseconds.
    pub steady: i64,
    /// For each tab, the session that was deleted since the tab last received `storage` events.
    removed: Vec<Option<SessionId>>,
}

impl Browser {
    pub fn new(tabs: usize, wall_error: i64) -> Self {
        let open = (0..tabs).map(|_| Tab::default()).collect();
        let client = ClientTraits { address: "203.0.113.7", user_agent: "fox/1" };
        Self {
            client,
            sends_keys: true,
            storage: None,
            cookie: None,
            tabs: open,
            wall_error,
            steady: 0,
            removed: vec![None; tabs],
        }
    }

    pub fn at(mut self, client: ClientTraits) -> Self {
        self.client = client;
        self
    }

    pub fn without_keys(mut self) -> Self {
        self.sends_keys = false;
        self
    }

    pub fn now(&self, server: DateTime<Utc>) -> Now {
        Now { wall_ms: server.timestamp_millis() + self.wall_error, steady_ms: self.steady }
    }

    pub fn snapshot(&self, server: DateTime<Utc>) -> StorageSnapshot {
        let stored = self.storage.as_deref().map_or(StorageContent::Empty, |text| {
            StorageContent::Tokens(Box::new(serde_json::from_str(text).expect("a tab wrote it")))
        });
        StorageSnapshot { stored, now: self.now(server) }
    }

    /// The session in the storage.
    pub fn stored_session(&self) -> Option<SessionId> {
        let text = self.storage.as_deref()?;
        Some(serde_json::from_str::<SessionTokens>(text).expect("a tab wrote it").session())
    }

    pub fn write(&mut self, tokens: &SessionTokens) {
        self.storage = Some(serde_json::to_string(tokens).unwrap());
    }

    pub fn clear(&mut self) {
        if let Some(session) = self.stored_session() {
            self.storage = None;
            self.removed.fill(Some(session));
        }
    }

    /// The refresh request that a tab sends now.
    pub fn refresh(&self, parent: Box<SessionTokens>) -> Sent {
        let token = refresh_of(&parent).or_else(|| self.cookie.clone());
        Sent { parent, token }
    }

    /// Whether any tab is waiting for a response.
    pub fn is_busy(&self) -> bool {
        self.tabs.iter().any(|tab| tab.pending.is_some())
    }

    /// The tab reads the storage.
    pub fn sync_from_storage(&mut self, tab: usize, server: DateTime<Utc>) {
        let snapshot = self.snapshot(server);
        let effect = self.tabs[tab].machine.sync_from_storage(snapshot);
        self.apply_effect(effect);
    }

    /// The tab receives the `storage` events that it has not received yet.
    pub fn deliver_storage_events(&mut self, tab: usize, server: DateTime<Utc>) {
        let snapshot = self.snapshot(server);
        let removed = std::mem::take(&mut self.removed[tab]);
        let effect = self.tabs[tab].machine.on_storage_event(removed, snapshot);
        self.apply_effect(effect);
    }

    /// The session that the tab's next `storage` events report as removed.
    pub fn removed(&self, tab: usize) -> Option<SessionId> {
        self.removed[tab]
    }

    /// Applies a tab's effect to the storage.
    pub fn apply_effect(&mut self, effect: Effect) {
        match effect {
            Effect::Write(tokens) | Effect::Renew(tokens, _) | Effect::Begin(tokens, _) => self.write(&tokens),
            Effect::DeleteEndedSession | Effect::EndSession(_) | Effect::SignOut(..) => self.clear(),
            Effect::Nothing | Effect::Switch | Effect::ShowSignedOut | Effect::Pause { .. } => {}
        }
    }

    /// The tab and its pending request are gone, and a new tab opens.
    pub fn crash(&mut self, tab: usize) {
        self.tabs[tab] = Tab::default();
        self.removed[tab] = None;
    }
}

/// The result of a request without a response.
pub const LOST: Result<ApiResponse, TransportError> = Err(TransportError::TimedOut);

/// The refresh token, if it is not in a cookie.
pub fn refresh_of(tokens: &SessionTokens) -> Option<String> {
    match tokens.refresh_credential() {
        RefreshCredential::Token(refresh) => Some(refresh),
        RefreshCredential::Cookie { .. } => None,
    }
}
