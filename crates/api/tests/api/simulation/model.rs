//! The contract's answer table, written down a second time: what the API must answer.

use auth_types::{Reason, SessionId};
use chrono::{DateTime, Duration, Utc};

/// A session as the contract sees it.
#[derive(Debug)]
pub struct ModelSession {
    pub id: SessionId,
    /// Every refresh token the session has had; the last one's generation is their number.
    issued: Vec<Issued>,
    /// Every access token.
    pub accesses: Vec<String>,
    /// When the live generation and the one before were made.
    rotated_at: [Option<DateTime<Utc>>; 2],
    /// The key of the latest rotation.
    key: Option<String>,
    absolute_end: DateTime<Utc>,
    pub revoked: bool,
    /// Somebody but the owner has presented one of its tokens.
    pub robbed: bool,
}

#[derive(Debug)]
struct Issued {
    token: String,
    expires_at: DateTime<Utc>,
}

/// How long things live.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    pub refresh: Duration,
    pub session: Duration,
    pub leeway: Duration,
}

/// What must be answered to a refresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// A token that nobody has seen before.
    Successor,
    /// This one, to the byte.
    Same(String),
    Refused(Reason),
}

impl ModelSession {
    pub fn signed_in(id: SessionId, tokens: (&str, &str), now: DateTime<Utc>, rules: Rules) -> Self {
        let (access, refresh) = tokens;
        Self {
            id,
            issued: vec![Issued { token: refresh.to_owned(), expires_at: now + rules.refresh.min(rules.session) }],
            accesses: vec![access.to_owned()],
            rotated_at: [Some(now), None],
            key: None,
            absolute_end: now + rules.session,
            revoked: false,
            robbed: false,
        }
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

    /// Whether its newest token is accepted: a token's own expiry is in whole seconds.
    pub fn has_live_token(&self, now: DateTime<Utc>) -> bool {
        self.is_live(now) && self.issued.last().is_some_and(|live| live.expires_at.timestamp() > now.timestamp())
    }

    /// Whether this token's own time is over. After a lost answer that is a little earlier than its session's: a client
    /// that idles for that long is signed out as an idle one.
    pub fn has_run_out(&self, token: &str, now: DateTime<Utc>) -> bool {
        let issued = self.issued.iter().find(|issued| issued.token == token);
        issued.is_none_or(|issued| issued.expires_at.timestamp() <= now.timestamp())
    }

    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        !self.revoked && !self.is_expired(now)
    }

    /// What must be answered to this token, and what that does to the session but for the successor, which the answer
    /// brings ([`Self::succeeded`]).
    pub fn present(&mut self, token: &str, key: Option<&str>, now: DateTime<Utc>, rules: Rules) -> Expected {
        let index = self.issued.iter().position(|issued| issued.token == token).unwrap();
        let live = self.issued.last().unwrap();
        // A token's own expiry is in whole seconds and is looked at before the row is.
        if self.has_run_out(token, now) {
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
        let repeats = behind == 1 && key.is_some() && key == self.key.as_deref();
        let superseded_at = self.rotated_at.get(behind - 1).copied().flatten();
        let in_leeway = !rules.leeway.is_zero() && superseded_at.is_some_and(|at| now - at <= rules.leeway);
        if repeats || in_leeway {
            return Expected::Same(live.token.clone());
        }
        self.revoked = true;
        Expected::Refused(Reason::RefreshReused)
    }

    /// The live token was exchanged for this one.
    pub fn succeeded(&mut self, successor: &str, key: Option<&str>, now: DateTime<Utc>, rules: Rules) {
        let expires_at = (now + rules.refresh).min(self.absolute_end);
        self.issued.push(Issued { token: successor.to_owned(), expires_at });
        self.rotated_at = [Some(now), self.rotated_at[0]];
        self.key = key.map(str::to_owned);
    }
}
