//! The tokens of one session, as they are kept.

use super::peek::{Place, place_of};
use super::time::{Now, ServerClock};
use auth_types::SessionId;
use auth_types::responses::TokenResponse;
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// The longest time before its expiry that an access token is replaced, milliseconds.
const AHEAD_MS: i64 = 30_000;

/// A pair of tokens with what is known about them. Times are the server's, so a wrong local clock changes nothing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Record", into = "Record")]
pub struct Tokens {
    record: Record,
    place: Place,
}

/// What is written down. No name, no address: only what is needed to go on after a reload.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    access: String,
    refresh: String,
    /// Unix milliseconds on the server's clock.
    access_expires_at: i64,
    /// How long the access token lives from its issue, milliseconds.
    access_lifetime: i64,
    /// Unix milliseconds on the server's clock. For show only: that a session is over, only the server says.
    refresh_expires_at: i64,
    /// Server time less local time when the tokens arrived, milliseconds.
    clock_offset: i64,
    /// Made at sign-in, kept for the session's life; every `Idempotency-Key` is derived from it.
    key_seed: Uuid,
}

impl TryFrom<Record> for Tokens {
    type Error = &'static str;

    fn try_from(record: Record) -> Result<Self, Self::Error> {
        let place = place_of(&record.refresh).ok_or("not a refresh token of this service")?;
        if record.access.is_empty() || !record.access.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("not an access token: it could not be sent in a header");
        }
        Ok(Self { record, place })
    }
}

impl From<Tokens> for Record {
    fn from(tokens: Tokens) -> Self {
        tokens.record
    }
}

impl Tokens {
    /// The tokens of a new session; `key_seed` is random. `None` if the answer holds no refresh token of this service.
    #[must_use]
    pub fn signed_in(answer: &TokenResponse, sent: Now, received: Now, key_seed: Uuid) -> Option<Self> {
        let server_ms = answer.server_time.saturating_mul(1000);
        let expiry = |seconds: i64| server_ms.saturating_add(seconds.saturating_mul(1000));
        let record = Record {
            access: answer.access.clone(),
            refresh: answer.refresh.clone(),
            access_expires_at: expiry(answer.access_expires_in),
            access_lifetime: answer.access_expires_in.saturating_mul(1000).max(0),
            refresh_expires_at: expiry(answer.refresh_expires_in),
            clock_offset: ServerClock::measured(answer.server_time, sent, received).offset_ms(),
            key_seed,
        };
        Self::try_from(record).ok()
    }

    /// The tokens that a refresh of these gave. `None` unless they are of the same session and a later generation.
    #[must_use]
    pub fn succeeded_by(&self, answer: &TokenResponse, sent: Now, received: Now) -> Option<Self> {
        let successor = Self::signed_in(answer, sent, received, self.record.key_seed)?;
        let follows = successor.session() == self.session() && successor.generation() > self.generation();
        follows.then_some(successor)
    }

    /// The access token.
    #[must_use]
    pub fn access(&self) -> &str {
        &self.record.access
    }

    /// The refresh token.
    #[must_use]
    pub fn refresh(&self) -> &str {
        &self.record.refresh
    }

    /// The session that both belong to.
    #[must_use]
    pub const fn session(&self) -> SessionId {
        self.place.session
    }

    /// The session's generation when they were made.
    #[must_use]
    pub const fn generation(&self) -> i64 {
        self.place.generation
    }

    /// When the access token expires, Unix milliseconds on the server's clock.
    #[must_use]
    pub const fn access_expires_at(&self) -> i64 {
        self.record.access_expires_at
    }

    /// From when on the access token should be replaced: 30 s or a tenth of its life ahead of expiry, whichever is less.
    #[must_use]
    pub fn refresh_due_at(&self) -> i64 {
        let ahead = AHEAD_MS.min(self.record.access_lifetime / 10);
        self.record.access_expires_at.saturating_sub(ahead)
    }

    /// Server time less local time when the tokens arrived, milliseconds.
    #[must_use]
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
    #[must_use]
    pub fn idempotency_key(&self) -> String {
        Uuid::new_v5(&self.record.key_seed, self.record.refresh.as_bytes()).to_string()
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("place", &self.place).finish_non_exhaustive()
    }
}
