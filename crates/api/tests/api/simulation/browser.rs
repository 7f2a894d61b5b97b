//! A browser: one storage, two clocks, several tabs that run the client's own policy.

use super::model::Origin;
use auth_types::SessionId;
use chrono::{DateTime, Utc};
use client::policy::{
    ApiResponse, Effect, Now, Renewal, SessionMachine, SessionTokens, StorageContent, StorageSnapshot, TransportError,
};

/// What a tab is waiting for.
#[derive(Debug, Clone)]
pub enum Flight {
    /// The request has not reached the server.
    Sent { sent: Sent, at: Now, server_at: DateTime<Utc> },
    /// The server has answered, and may have set the cookie.
    Answered { sent: Sent, answer: ApiResponse, cookie: Option<String> },
}

/// A refresh.
#[derive(Debug, Clone)]
pub struct Sent {
    pub parent: Box<SessionTokens>,
    /// The refresh token that goes along, from the parent or from the cookie.
    pub token: Option<String>,
}

#[derive(Debug, Default)]
pub struct Tab {
    pub machine: SessionMachine,
    pub flight: Option<Flight>,
}

#[derive(Debug)]
pub struct Browser {
    /// Where its requests come from.
    pub origin: Origin,
    /// Whether its tabs send an `Idempotency-Key` with each refresh, as our client does.
    pub sends_keys: bool,
    /// What localStorage holds, as text: what survives a crash.
    pub storage: Option<String>,
    /// With cookies: the refresh token that the browser keeps from the tabs.
    pub cookie: Option<String>,
    pub tabs: Vec<Tab>,
    /// How wrong the wall clock is, milliseconds.
    pub wall_error: i64,
    /// The monotonic clock, milliseconds.
    pub steady: i64,
    /// The session whose tokens were deleted since a tab was last told, if any were.
    removed: Vec<Option<SessionId>>,
}

impl Browser {
    pub fn new(tabs: usize, wall_error: i64) -> Self {
        let open = (0..tabs).map(|_| Tab::default()).collect();
        let origin = Origin { address: "203.0.113.7", user_agent: "fox/1" };
        Self {
            origin,
            sends_keys: true,
            storage: None,
            cookie: None,
            tabs: open,
            wall_error,
            steady: 0,
            removed: vec![None; tabs],
        }
    }

    pub fn at(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    pub fn without_keys(mut self) -> Self {
        self.sends_keys = false;
        self
    }

    pub fn now(&self, server: DateTime<Utc>) -> Now {
        Now { wall_ms: server.timestamp_millis() + self.wall_error, steady_ms: self.steady }
    }

    pub fn seen(&self, server: DateTime<Utc>) -> StorageSnapshot {
        let stored = self.storage.as_deref().map_or(StorageContent::Empty, |text| {
            StorageContent::Tokens(Box::new(serde_json::from_str(text).expect("what a tab has written")))
        });
        StorageSnapshot { stored, now: self.now(server) }
    }

    /// The session that the storage holds.
    pub fn stored_session(&self) -> Option<SessionId> {
        let text = self.storage.as_deref()?;
        Some(serde_json::from_str::<SessionTokens>(text).expect("what a tab has written").session())
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

    /// A refresh that leaves now.
    pub fn refresh(&self, parent: Box<SessionTokens>) -> Sent {
        let token = refresh_of(&parent).or_else(|| self.cookie.clone());
        Sent { parent, token }
    }

    /// Whether any tab waits for an answer.
    pub fn is_busy(&self) -> bool {
        self.tabs.iter().any(|tab| tab.flight.is_some())
    }

    /// The tab looks at the storage.
    pub fn look(&mut self, tab: usize, server: DateTime<Utc>) {
        let seen = self.seen(server);
        let change = self.tabs[tab].machine.sync_from_storage(seen);
        self.carry_out(change);
    }

    /// The tab gets the `storage` events it has not had yet.
    pub fn tell(&mut self, tab: usize, server: DateTime<Utc>) {
        let (seen, removed) = (self.seen(server), std::mem::take(&mut self.removed[tab]));
        let change = self.tabs[tab].machine.on_storage_event(removed, seen);
        self.carry_out(change);
    }

    /// What the tab will hear was removed.
    pub fn removed(&self, tab: usize) -> Option<SessionId> {
        self.removed[tab]
    }

    /// What a tab does to the storage.
    pub fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Write(tokens) | Effect::Renew(tokens, _) | Effect::Begin(tokens, _) => self.write(&tokens),
            Effect::DeleteEndedSession | Effect::EndSession(_) | Effect::SignOut(..) => self.clear(),
            Effect::Nothing | Effect::AdoptNewer | Effect::Switch | Effect::ShowSignedOut | Effect::Pause { .. } => {}
        }
    }

    /// The tab is gone, and with it what it was waiting for; another opens.
    pub fn crash(&mut self, tab: usize) {
        self.tabs[tab] = Tab::default();
        self.removed[tab] = None;
    }
}

/// What a request looks like that got no answer.
pub const LOST: Result<ApiResponse, TransportError> = Err(TransportError::TimedOut);

/// The refresh token of these, where tokens are in bodies.
pub fn refresh_of(tokens: &SessionTokens) -> Option<String> {
    match tokens.renewal() {
        Renewal::Token(refresh) => Some(refresh),
        Renewal::Cookie { .. } => None,
    }
}
