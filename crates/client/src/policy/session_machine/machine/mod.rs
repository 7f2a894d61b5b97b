//! The state machine of one tab's session.

#[cfg(test)]
mod tests;

use super::effect::Effect;
use super::epoch::Epoch;
use super::pause::{Pause, RefreshFailure};
use super::plan::{StorageContent, StorageSnapshot, TokenPlan};
use crate::policy::response::{RefreshOutcome, TransientError};
use crate::policy::sign_out_reason::SignOutReason;
use crate::policy::time::{Now, ServerClock};
use crate::policy::tokens::SessionTokens;
use auth_types::responses::UserResponse;
use auth_types::{Reason, SessionId};
use std::fmt;

/// How long the server may take to learn a new key, milliseconds.
const UNKNOWN_KEY_LIMIT_MS: i64 = 15 * 60 * 1000;

/// How many ended sessions are remembered, so that a late write by another tab cannot restore one.
const REMEMBERED_ENDINGS: usize = 8;

/// One tab's session: pure state, changed by what the tab observes.
#[derive(Clone, Default)]
pub struct SessionMachine {
    active: Option<ActiveSession>,
    epoch: Epoch,
    ended: Vec<SessionId>,
}

#[derive(Clone)]
struct ActiveSession {
    tokens: SessionTokens,
    clock: ServerClock,
    /// Whether the tokens are in storage: only then does empty storage mean a sign-out.
    is_stored: bool,
    pause: Option<Pause>,
}

impl SessionMachine {
    /// A tab that has not read storage yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The current tokens.
    pub fn tokens(&self) -> Option<&SessionTokens> {
        self.active.as_ref().map(|active| &active.tokens)
    }

    /// The current tokens if the server does not know the key that signed them. They must be stored, because they contain the
    /// time since when it is unknown.
    pub fn tokens_of_unknown_key(&self) -> Option<SessionTokens> {
        self.tokens().filter(|tokens| tokens.key_unknown_since().is_some()).cloned()
    }

    /// The epoch that this tab is in. Requests of another epoch are not sent, and their responses are dropped.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The session that most recently ended in this tab.
    pub fn last_ended(&self) -> Option<SessionId> {
        self.ended.last().copied()
    }

    /// Compares memory with storage and adopts the winner. Call this before each use of the tokens and after each response.
    pub fn sync_from_storage(&mut self, seen: StorageSnapshot) -> Effect {
        let StorageSnapshot { stored, now } = seen;
        match (stored, &self.active) {
            (StorageContent::Unavailable, _) | (StorageContent::Empty, None) => Effect::Nothing,
            (StorageContent::Empty, Some(active)) if !active.is_stored => Effect::Nothing,
            (StorageContent::Empty, Some(_)) => {
                self.end();
                Effect::ShowSignedOut
            }
            (StorageContent::Tokens(stored), Some(active)) if active.tokens.session() == stored.session() => {
                self.reconcile(*stored, now)
            }
            (StorageContent::Tokens(stored), active) if self.ended.contains(&stored.session()) => active
                .as_ref()
                .map_or(Effect::DeleteEndedSession, |active| Effect::Write(Box::new(active.tokens.clone()))),
            (StorageContent::Tokens(stored), _) => {
                self.begin(*stored, now, true);
                Effect::Switch
            }
        }
    }

    /// Handles a `storage` event. `removed` is the session whose tokens were deleted, if the event reports a deletion; `seen`
    /// is the content of storage by now.
    ///
    /// The deleted session may be stored again by then, when another tab received a response and wrote it a moment too late.
    /// The sign-out wins. It does not affect a session that has begun since: an event may arrive after this tab has synced.
    pub fn on_storage_event(&mut self, removed: Option<SessionId>, seen: StorageSnapshot) -> Effect {
        let is_back = match (&seen.stored, self.tokens()) {
            (StorageContent::Tokens(stored), Some(current)) => {
                removed == Some(current.session()) && stored.session() == current.session()
            }
            _ => false,
        };
        if !is_back {
            return self.sync_from_storage(seen);
        }
        self.end();
        Effect::DeleteEndedSession
    }

    /// What to do for a request of a page that was built in `epoch`. `refused` is the access token that the server has just
    /// refused with `token_not_valid`, if it refused one.
    pub fn plan(&self, epoch: Epoch, refused: Option<&str>, now: Now) -> TokenPlan {
        let Some(active) = self.active.as_ref().filter(|_| epoch == self.epoch) else { return TokenPlan::SignedOut };
        let tokens = || Box::new(active.tokens.clone());
        let is_refused = refused.is_some() && refused == active.tokens.access();
        let server_now = active.clock.at(now);
        if !is_refused && server_now < active.tokens.refresh_due_at() {
            return TokenPlan::Use(tokens());
        }
        let Some((pause, remaining)) = active.pause.and_then(|pause| Some((pause, pause.remaining(now)?))) else {
            return TokenPlan::Refresh(tokens());
        };
        if !is_refused && server_now < active.tokens.access_expires_at() {
            return TokenPlan::Use(tokens());
        }
        TokenPlan::Wait { error: pause.error, remaining }
    }

    /// Applies the outcome of the refresh of `parent`. `seen` was read after the response arrived; `jitter` is a random
    /// number from 0 to 1.
    pub fn apply_refresh(
        &mut self,
        parent: &SessionTokens,
        outcome: RefreshOutcome,
        seen: StorageSnapshot,
        jitter: f64,
    ) -> Effect {
        let now = seen.now;
        let effect = self.sync_from_storage(seen);
        let Some(active) = self.active.as_mut().filter(|active| active.tokens.session() == parent.session()) else {
            return effect;
        };
        if active.tokens.sequence() > parent.sequence() {
            if let RefreshOutcome::Adopt(tokens, _) = &outcome {
                active.tokens.take_access_of(tokens);
            }
            return if matches!(effect, Effect::Write(_)) { effect } else { Effect::Nothing };
        }
        match outcome {
            RefreshOutcome::Adopt(tokens, user) => {
                active.renew((*tokens).clone(), now);
                Effect::Renew(tokens, user)
            }
            RefreshOutcome::Ended(reason) => {
                self.end();
                Effect::EndSession(reason)
            }
            RefreshOutcome::KeyUnknown => {
                if active.note_key_unknown(now) >= UNKNOWN_KEY_LIMIT_MS {
                    self.end();
                    return Effect::EndSession(Reason::KeyUnknown);
                }
                active.pause(RefreshFailure { error: TransientError::Unavailable, retry_after: None }, now, jitter)
            }
            RefreshOutcome::Retry { error, after } => {
                active.pause(RefreshFailure { error, retry_after: after }, now, jitter)
            }
        }
    }

    /// Takes the tokens that a page of `epoch` asked for, by signing in or by changing the password. `seen` was read after
    /// the response arrived: a user who signed in meanwhile stays signed in. Only [`Effect::Begin`] means that the session
    /// begins; otherwise the caller should end it at the server.
    pub fn sign_in(
        &mut self,
        epoch: Epoch,
        tokens: &SessionTokens,
        user: UserResponse,
        seen: StorageSnapshot,
    ) -> Effect {
        let now = seen.now;
        let effect = self.sync_from_storage(seen);
        if epoch != self.epoch {
            return effect;
        }
        self.end();
        self.begin(tokens.clone(), now, false);
        Effect::Begin(Box::new(tokens.clone()), Box::new(user))
    }

    /// Reports whether the current tokens could be written. If not, storage must be left empty, and the tokens exist in
    /// memory only.
    pub fn on_written(&mut self, written: bool) {
        if let Some(active) = &mut self.active {
            active.is_stored = written;
        }
    }

    /// Ends the session for a page of `epoch`, and no other session: only [`Effect::SignOut`] means that it was this one.
    /// `seen` was read just now.
    pub fn sign_out(&mut self, epoch: Epoch, reason: SignOutReason, seen: StorageSnapshot) -> Effect {
        let effect = self.sync_from_storage(seen);
        match self.tokens().filter(|_| epoch == self.epoch).cloned() {
            Some(tokens) => {
                self.end();
                Effect::SignOut(Box::new(tokens), reason)
            }
            None => effect,
        }
    }

    /// Reports that the network is back: this ends a pause that the network caused, not one that the server asked for.
    pub fn online(&mut self) {
        if let Some(active) = &mut self.active {
            active.pause = active.pause.filter(|pause| pause.is_by_server);
        }
    }

    /// Adopts stored tokens of this session, or has this tab's written: the later generation wins, and within a generation the later
    /// access token.
    fn reconcile(&mut self, stored: SessionTokens, now: Now) -> Effect {
        let Some(active) = &mut self.active else { return Effect::Nothing };
        let rank = |tokens: &SessionTokens| (tokens.sequence(), tokens.access_expires_at());
        if rank(&stored) > rank(&active.tokens) {
            active.renew(stored, now);
            active.is_stored = true;
            Effect::Nothing
        } else if stored.sequence() < active.tokens.sequence() {
            Effect::Write(Box::new(active.tokens.clone()))
        } else {
            active.is_stored = true;
            if let Some(since) = stored.key_unknown_since() {
                active.tokens.note_key_unknown(since);
            }
            Effect::Nothing
        }
    }

    /// Begins a new epoch with the tokens of another session.
    fn begin(&mut self, tokens: SessionTokens, now: Now, is_stored: bool) {
        self.epoch = self.epoch.next();
        let clock = ServerClock::from_offset(tokens.clock_offset_ms(), now);
        self.active = Some(ActiveSession { tokens, clock, is_stored, pause: None });
    }

    fn end(&mut self) {
        let Some(active) = self.active.take() else { return };
        self.epoch = self.epoch.next();
        self.ended.push(active.tokens.session());
        if self.ended.len() > REMEMBERED_ENDINGS {
            self.ended.remove(0);
        }
    }
}

impl ActiveSession {
    /// Pauses refreshing after a failure.
    fn pause(&mut self, failure: RefreshFailure, now: Now, jitter: f64) -> Effect {
        let pause = Pause::after(self.pause, failure, now, jitter);
        self.pause = Some(pause);
        Effect::Pause { error: pause.error, wait: pause.wait }
    }

    /// Records that the server does not know the key, and returns for how long it has had time to learn it, milliseconds.
    fn note_key_unknown(&mut self, now: Now) -> i64 {
        let server_now = self.clock.at(now);
        server_now.saturating_sub(self.tokens.note_key_unknown(server_now))
    }

    /// Continues with later tokens of the same session.
    fn renew(&mut self, mut tokens: SessionTokens, now: Now) {
        self.clock = ServerClock::from_offset(tokens.clock_offset_ms(), now);
        // With cookies, storage contains no access token; each tab keeps its own until it expires.
        if tokens.access().is_none() {
            tokens.take_access_of(&self.tokens);
        }
        self.tokens = tokens;
        self.pause = None;
    }
}

impl fmt::Debug for SessionMachine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionMachine")
            .field("tokens", &self.tokens())
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}
