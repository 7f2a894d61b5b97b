//! A second implementation of the contract's table: how the API must respond to a refresh.

use auth_types::{Reason, SessionId};
use chrono::{DateTime, Duration, Utc};

/// A session as the contract describes it.
#[derive(Debug)]
pub struct ModelSession {
    pub id: SessionId,
    /// Every refresh token of the session; the generation of the last one is their number.
    issued: Vec<Issued>,
    /// Every access token.
    pub accesses: Vec<String>,
    /// Every rotation; the one at index 0 superseded the first token.
    rotations: Vec<Rotation>,
    absolute_end: DateTime<Utc>,
    /// Whether the owner's client sends an `Idempotency-Key` with each refresh.
    sends_keys: bool,
    pub revoked: bool,
    /// Whether a thief has presented one of its tokens.
    pub was_stolen: bool,
}

#[derive(Debug)]
struct Issued {
    token: String,
    expires_at: DateTime<Utc>,
    recipients: Vec<Party>,
    presented_by: Vec<Party>,
}

#[derive(Debug)]
struct Rotation {
    at: DateTime<Utc>,
    key: Option<String>,
    client: ClientTraits,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    Owner,
    Thief,
}

/// What the server sees of a client: an address and a user agent. Each client is in its own network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientTraits {
    pub address: &'static str,
    pub user_agent: &'static str,
}

/// A refresh request.
#[derive(Debug, Clone, Copy)]
pub struct Presentation<'a> {
    pub token: &'a str,
    pub key: Option<&'a str>,
    pub client: ClientTraits,
    pub party: Party,
}

/// The lifetimes and the leeway.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    pub refresh: Duration,
    pub session: Duration,
    pub leeway: Duration,
}

/// The expected response to a refresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// A new token.
    Successor,
    /// Exactly this token.
    Same(String),
    Refused(Reason),
}

impl ModelSession {
    pub fn signed_in(id: SessionId, tokens: (&str, &str), now: DateTime<Utc>, rules: Rules) -> Self {
        let (access, refresh) = tokens;
        Self {
            id,
            issued: vec![Issued::new(refresh, now + rules.refresh.min(rules.session))],
            accesses: vec![access.to_owned()],
            rotations: Vec::new(),
            sends_keys: true,
            absolute_end: now + rules.session,
            revoked: false,
            was_stolen: false,
        }
    }

    /// The same for a client that sends no keys.
    pub fn without_keys(self) -> Self {
        Self { sends_keys: false, ..self }
    }

    pub fn generation(&self) -> usize {
        self.issued.len()
    }

    pub fn tokens(&self) -> impl Iterator<Item = &str> {
        self.issued.iter().map(|issued| issued.token.as_str())
    }

    pub fn is_expired(&self, now: DateTime<Utc>) -> bool {
        self.issued.last().is_none_or(|live| live.expires_at <= now) || self.absolute_end <= now
    }

    /// Whether its newest token is accepted. A token's own expiry is in whole seconds.
    pub fn has_live_token(&self, now: DateTime<Utc>) -> bool {
        self.is_live(now) && self.issued.last().is_some_and(|live| live.expires_at.timestamp() > now.timestamp())
    }

    /// Whether this token itself has expired. After a lost response that is slightly earlier than its session: a client that is
    /// idle for that long is signed out as an idle one.
    pub fn token_has_expired(&self, token: &str, now: DateTime<Utc>) -> bool {
        let issued = self.issued.iter().find(|issued| issued.token == token);
        issued.is_none_or(|issued| issued.expires_at.timestamp() <= now.timestamp())
    }

    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        !self.revoked && !self.is_expired(now)
    }

    /// The expected response to this token. Updates the session, except for a successor, which comes with the response
    /// ([`Self::rotate`]).
    pub fn present(&mut self, request: Presentation<'_>, now: DateTime<Utc>, rules: Rules) -> Expected {
        let token = request.token;
        let index = self.index_of(token);
        let live = self.issued.last().unwrap();
        // A token's own expiry is in whole seconds, and is checked before the row.
        if self.token_has_expired(token, now) {
            return Expected::Refused(Reason::SessionExpired);
        }
        if self.revoked {
            return Expected::Refused(Reason::SessionRevoked);
        }
        if self.is_expired(now) {
            return Expected::Refused(Reason::SessionExpired);
        }
        let behind = self.issued.len() - 1 - index;
        if behind == 0 {
            return Expected::Successor;
        }
        let since = &self.rotations[index..];
        let repeats = behind == 1 && request.key.is_some() && request.key == since[0].key.as_deref();
        if repeats || Self::in_leeway(request, since, now, rules) {
            return Expected::Same(live.token.clone());
        }
        self.revoked = true;
        Expected::Refused(Reason::RefreshReused)
    }

    /// `since` begins with the rotation that superseded the presented token.
    fn in_leeway(request: Presentation<'_>, since: &[Rotation], now: DateTime<Utc>, rules: Rules) -> bool {
        let age = now - since[0].at;
        let keyless = request.key.is_none() && since.iter().all(|rotation| rotation.key.is_none());
        let is_recent = !rules.leeway.is_zero() && Duration::zero() <= age && age <= rules.leeway;
        keyless && since.len() <= 2 && since[0].client == request.client && is_recent
    }

    fn index_of(&self, token: &str) -> usize {
        self.issued.iter().position(|issued| issued.token == token).unwrap()
    }

    /// Whether an honest client counts as a thief by the contract, because it sends no keys and was late.
    pub fn was_late(&self, token: &str, now: DateTime<Utc>, rules: Rules) -> bool {
        let since = &self.rotations[self.index_of(token)..];
        !self.sends_keys && (since.len() > 2 || now - since[0].at > rules.leeway || rules.leeway.is_zero())
    }

    /// Records a response to a refresh, with the `issued` token unless it was refused.
    pub fn record(&mut self, request: Presentation<'_>, issued: Option<&str>) {
        let presented = self.index_of(request.token);
        self.issued[presented].presented_by.push(request.party);
        if let Some(token) = issued {
            let index = self.index_of(token);
            self.issued[index].recipients.push(request.party);
        }
    }

    /// Must never be true if the owner's client sends keys: the session is live although owner and thief have presented the same
    /// token, or the same token was issued to both.
    pub fn is_shared_undetected(&self) -> bool {
        let both = |parties: &[Party]| parties.contains(&Party::Owner) && parties.contains(&Party::Thief);
        let is_undetected = !self.revoked && self.issued.iter().any(|issued| both(&issued.presented_by));
        self.sends_keys && (is_undetected || self.issued.iter().any(|issued| both(&issued.recipients)))
    }

    /// Records that the live token was exchanged for this one.
    pub fn rotate(&mut self, successor: &str, request: Presentation<'_>, now: DateTime<Utc>, rules: Rules) {
        let expires_at = (now + rules.refresh).min(self.absolute_end);
        self.issued.push(Issued::new(successor, expires_at));
        let (key, client) = (request.key.map(str::to_owned), request.client);
        self.rotations.push(Rotation { at: now, key, client });
    }
}

impl Issued {
    fn new(token: &str, expires_at: DateTime<Utc>) -> Self {
        Self { token: token.to_owned(), expires_at, recipients: Vec::new(), presented_by: Vec::new() }
    }
}
