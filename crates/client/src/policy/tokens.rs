//! The tokens of one session, as a tab keeps them.

use super::issued_tokens::{IssuedTokens, RefreshCredential};
use super::pair::Pair;
use super::time::{Now, ServerClock};
use super::token_position::TokenPosition;
use auth_types::SessionId;
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// How long before its expiry an access token is replaced at the earliest, milliseconds.
const EARLIEST_REFRESH_MS: i64 = 30_000;

/// A pair of tokens with what is known about them. Times are the server's, so a wrong local clock changes nothing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Record", into = "Record")]
pub struct SessionTokens {
    record: Record,
    position: TokenPosition,
}

/// The stored form. It has no name and no address: only what a tab needs to continue after a reload.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    #[serde(flatten)]
    pair: Pair,
    /// Unix milliseconds on the server's clock. For display only: the server decides whether a session has ended.
    refresh_expires_at: i64,
    /// Server time minus local time when the tokens arrived, milliseconds.
    clock_offset: i64,
    /// Created at sign-in, kept for the session's life; every `Idempotency-Key` is derived from it.
    key_seed: Uuid,
    /// Since when the server does not know the key that signed the refresh token, Unix milliseconds on its clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key_unknown_since: Option<i64>,
}

impl TryFrom<Record> for SessionTokens {
    type Error = &'static str;

    fn try_from(record: Record) -> Result<Self, Self::Error> {
        let position = record.pair.position().ok_or("not a refresh token of this service")?;
        if !record.pair.can_be_sent() {
            return Err("not tokens: they could not be sent in a header");
        }
        Ok(Self { record, position })
    }
}

impl From<SessionTokens> for Record {
    fn from(tokens: SessionTokens) -> Self {
        tokens.record
    }
}

impl SessionTokens {
    /// The tokens of a response. `key_seed` is random for a new session, and the session's own afterwards. `None` if the response has no tokens of this service.
    pub fn from_response(response: &IssuedTokens, sent: Now, received: Now, key_seed: Uuid) -> Option<Self> {
        let record = Record {
            pair: Pair::of(response)?,
            refresh_expires_at: response.expiry(response.refresh_expires_in),
            clock_offset: ServerClock::measured(response.server_time, sent, received).offset_ms(),
            key_seed,
            key_unknown_since: None,
        };
        Self::try_from(record).ok()
    }

    /// The tokens that a refresh of these returned. `None` unless they belong to the same session and a later generation.
    pub fn succeeded_by(&self, response: &IssuedTokens, sent: Now, received: Now) -> Option<Self> {
        let mut successor = Self::from_response(response, sent, received, self.record.key_seed)?;
        successor.count_on_from(self);
        let follows = successor.session() == self.session() && successor.sequence() > self.sequence();
        follows.then_some(successor)
    }

    /// With cookies: counts one response more than `parent`.
    fn count_on_from(&mut self, parent: &Self) {
        if let (Pair::Cookie { responses, .. }, Pair::Cookie { responses: before, .. }) =
            (&mut self.record.pair, &parent.record.pair)
        {
            *responses = before.saturating_add(1);
            self.position.sequence = *responses;
        }
    }

    /// With cookies: adopts the access token of `other`, which belongs to the same session.
    pub(super) fn take_access_of(&mut self, other: &Self) {
        if let Pair::Cookie { access, .. } = &mut self.record.pair {
            *access = other.record.pair.access().cloned();
        }
    }

    /// Since when the server does not know the key that signed the refresh token.
    pub(super) const fn key_unknown_since(&self) -> Option<i64> {
        self.record.key_unknown_since
    }

    /// Records that the key was unknown at this moment, and returns since when it has been. That time is stored with the
    /// tokens, so that neither a reload nor another tab starts counting again.
    pub(super) fn note_key_unknown(&mut self, at: i64) -> i64 {
        let since = self.record.key_unknown_since.map_or(at, |since| since.min(at));
        self.record.key_unknown_since = Some(since);
        since
    }

    /// The access token; with cookies there is none after a reload.
    pub fn access(&self) -> Option<&str> {
        self.record.pair.access().map(|access| access.token.as_str())
    }

    /// The credential for a refresh.
    pub fn refresh_credential(&self) -> RefreshCredential {
        self.record.pair.refresh_credential()
    }

    /// The session that the tokens belong to.
    pub const fn session(&self) -> SessionId {
        self.position.session
    }

    /// The session's generation when they were issued. With cookies no script can know that, so this browser uses its own
    /// number: how many responses with tokens it has received.
    pub const fn sequence(&self) -> i64 {
        self.position.sequence
    }

    /// When the access token expires, Unix milliseconds on the server's clock; `i64::MIN` where there is none.
    pub fn access_expires_at(&self) -> i64 {
        self.record.pair.access().map_or(i64::MIN, |access| access.expires_at)
    }

    /// When the access token should be replaced: 30 s or a tenth of its lifetime before expiry, whichever is shorter.
    pub fn refresh_due_at(&self) -> i64 {
        let margin = self.record.pair.access().map_or(0, |access| EARLIEST_REFRESH_MS.min(access.lifetime / 10));
        self.access_expires_at().saturating_sub(margin)
    }

    /// Server time minus local time when the tokens arrived, milliseconds.
    pub const fn clock_offset_ms(&self) -> i64 {
        self.record.clock_offset
    }

    /// The `Idempotency-Key` for the refresh of these tokens.
    ///
    /// It is a function of what is stored: it exists before the request is sent, is the same after a crash, sleep or lost
    /// response, is the same in every tab without coordination, and differs for another parent. Two random keys for one
    /// parent would be a trap: of two racing tabs, the one that stored its key last need not be the one that rotated, and a
    /// retry with that key past the leeway would look like a reuse. The seed never leaves this browser, so an attacker who
    /// sees one key or one token cannot derive the next key.
    ///
    /// With cookies the parent cannot be read. The count of responses stands for it, because the same event changes both:
    /// - A response that is lost completely changes neither: the retry has the same key.
    /// - A response that reached the browser but not the script (the tab was closed) changes only the cookie. Two consecutive
    ///   rotations then share a key, which is harmless: the server compares it only with its latest rotation's.
    /// - Racing tabs send the same cookie and count, and count its one response to the same number.
    /// - A tab may read the count just before another tab's response changes both, and send its request just after. Its own
    ///   response corrects that; only if that one is lost as well does a retry depend on the leeway.
    ///
    /// One key for the session's whole life would need no count, but would raise no alarm: an attacker who saw one request
    /// with its cookie could follow the owner forever, each taking the other's rotations for lost responses.
    pub fn idempotency_key(&self) -> String {
        let key = |parent: &[u8]| Uuid::new_v5(&self.record.key_seed, parent).to_string();
        match &self.record.pair {
            Pair::Body { refresh, .. } => key(refresh.as_bytes()),
            Pair::Cookie { responses, .. } => key(&responses.to_be_bytes()),
        }
    }
}

impl fmt::Debug for SessionTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionTokens").field("position", &self.position).finish_non_exhaustive()
    }
}
