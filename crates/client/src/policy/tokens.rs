//! The tokens of one session, as a tab holds them.

use super::issued_tokens::{IssuedTokens, Renewal};
use super::pair::Pair;
use super::time::{Now, ServerClock};
use super::token_position::TokenPosition;
use auth_types::SessionId;
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// The longest time before its expiry that an access token is replaced, milliseconds.
const AHEAD_MS: i64 = 30_000;

/// A pair of tokens with what is known about them. Times are the server's, so a wrong local clock changes nothing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Record", into = "Record")]
pub struct SessionTokens {
    record: Record,
    place: TokenPosition,
}

/// What is written down. No name, no address: only what is needed to go on after a reload.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    #[serde(flatten)]
    pair: Pair,
    /// Unix milliseconds on the server's clock. For show only: that a session is over, only the server says.
    refresh_expires_at: i64,
    /// Server time less local time when the tokens arrived, milliseconds.
    clock_offset: i64,
    /// Made at sign-in, kept for the session's life; every `Idempotency-Key` is derived from it.
    key_seed: Uuid,
    /// Since when the server does not know the key that signed the refresh token, Unix milliseconds on its clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key_unknown_since: Option<i64>,
}

impl TryFrom<Record> for SessionTokens {
    type Error = &'static str;

    fn try_from(record: Record) -> Result<Self, Self::Error> {
        let place = record.pair.place().ok_or("not a refresh token of this service")?;
        if !record.pair.can_be_sent() {
            return Err("not tokens: they could not be sent in a header");
        }
        Ok(Self { record, place })
    }
}

impl From<SessionTokens> for Record {
    fn from(tokens: SessionTokens) -> Self {
        tokens.record
    }
}

impl SessionTokens {
    /// The tokens of a new session; `key_seed` is random. `None` if the answer holds none of this service.
    pub fn signed_in(answer: &IssuedTokens, sent: Now, received: Now, key_seed: Uuid) -> Option<Self> {
        let record = Record {
            pair: Pair::of(answer)?,
            refresh_expires_at: answer.expiry(answer.refresh_expires_in),
            clock_offset: ServerClock::measured(answer.server_time, sent, received).offset_ms(),
            key_seed,
            key_unknown_since: None,
        };
        Self::try_from(record).ok()
    }

    /// The tokens that a refresh of these gave. `None` unless they are of the same session and a later generation.
    pub fn succeeded_by(&self, answer: &IssuedTokens, sent: Now, received: Now) -> Option<Self> {
        let mut successor = Self::signed_in(answer, sent, received, self.record.key_seed)?;
        successor.count_on_from(self);
        let follows = successor.session() == self.session() && successor.generation() > self.generation();
        follows.then_some(successor)
    }

    /// With cookies: one answer more than `parent`.
    fn count_on_from(&mut self, parent: &Self) {
        if let (Pair::Cookie { answers, .. }, Pair::Cookie { answers: before, .. }) =
            (&mut self.record.pair, &parent.record.pair)
        {
            *answers = before.saturating_add(1);
            self.place.generation = *answers;
        }
    }

    /// With cookies: goes on with the access token of `other`, tokens of the same session.
    pub(super) fn take_access_of(&mut self, other: &Self) {
        if let Pair::Cookie { access, .. } = &mut self.record.pair {
            *access = other.record.pair.access().cloned();
        }
    }

    /// Since when the server does not know the key that signed the refresh token.
    pub(super) const fn key_unknown_since(&self) -> Option<i64> {
        self.record.key_unknown_since
    }

    /// Notes that it was so at this moment, and returns since when. It is written down with the tokens, so that neither a reload
    /// nor another tab begins to count again.
    pub(super) fn note_key_unknown(&mut self, at: i64) -> i64 {
        let since = self.record.key_unknown_since.map_or(at, |since| since.min(at));
        self.record.key_unknown_since = Some(since);
        since
    }

    /// The access token; with cookies there is none after a reload.
    pub fn access(&self) -> Option<&str> {
        self.record.pair.access().map(|access| access.token.as_str())
    }

    /// What a refresh shows.
    pub fn renewal(&self) -> Renewal {
        self.record.pair.renewal()
    }

    /// The session that all of it belongs to.
    pub const fn session(&self) -> SessionId {
        self.place.session
    }

    /// The session's generation when they were made. With cookies no script can know that, and it is a number of this
    /// browser's own: how many answers with tokens it has had.
    pub const fn generation(&self) -> i64 {
        self.place.generation
    }

    /// When the access token expires, Unix milliseconds on the server's clock; where there is none, long ago.
    pub fn access_expires_at(&self) -> i64 {
        self.record.pair.access().map_or(i64::MIN, |access| access.expires_at)
    }

    /// From when on the access token should be replaced: 30 s or a tenth of its life ahead of expiry, whichever is less.
    pub fn refresh_due_at(&self) -> i64 {
        let ahead = self.record.pair.access().map_or(0, |access| AHEAD_MS.min(access.lifetime / 10));
        self.access_expires_at().saturating_sub(ahead)
    }

    /// Server time less local time when the tokens arrived, milliseconds.
    pub const fn clock_offset_ms(&self) -> i64 {
        self.record.clock_offset
    }

    /// The `Idempotency-Key` for the refresh of these tokens.
    ///
    /// A function of what is stored: there before the request is sent, the same after a crash, sleep or lost answer, the
    /// same in every tab without any agreement between them, and another one for another parent. Two random keys for one
    /// parent would be a trap: of two racing tabs the one that stored its key last need not be the one that rotated, and
    /// a retry with that key past the leeway would look like a theft. The seed never leaves this browser, so whoever
    /// sees one key or one token cannot make the next.
    ///
    /// With cookies the parent cannot be read, and the count of answers stands for it, because both move by the same
    /// event:
    /// - An answer that is lost whole moves neither: the retry has the same key.
    /// - An answer that reached the browser and not the script (the tab was closed) moves the cookie alone. Then two
    ///   rotations in a row have one key, which does no harm: the server compares it with its latest rotation's only.
    /// - Tabs that race send one cookie and one count, and count its one answer to the same number.
    /// - A tab may read the count a moment before another's answer moves both, and be sent a moment after. Its own answer
    ///   sets that right; only if that one is lost as well, a retry depends on the leeway.
    ///
    /// One key for the session's whole life would do without the count, and without the alarm: whoever saw one request
    /// with its cookie could follow the owner for ever, each taking the other's rotations for lost answers.
    pub fn idempotency_key(&self) -> String {
        let key = |parent: &[u8]| Uuid::new_v5(&self.record.key_seed, parent).to_string();
        match &self.record.pair {
            Pair::Body { refresh, .. } => key(refresh.as_bytes()),
            Pair::Cookie { answers, .. } => key(&answers.to_be_bytes()),
        }
    }
}

impl fmt::Debug for SessionTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionTokens").field("place", &self.place).finish_non_exhaustive()
    }
}
