//! What one tab knows about its session, and what it decides.

#[cfg(test)]
mod tests;

use super::effect::Effect;
use super::epoch::Epoch;
use super::pause::Pause;
use super::plan::{StorageContent, StorageSnapshot, TokenPlan};
use crate::policy::response::{RefreshOutcome, TransientError};
use crate::policy::sign_out_reason::SignOutReason;
use crate::policy::time::{Now, ServerClock};
use crate::policy::tokens::SessionTokens;
use auth_types::responses::UserResponse;
use auth_types::{Reason, SessionId};
use std::fmt;
use std::time::Duration;

/// How long a key may be on its way to the server, milliseconds.
const UNKNOWN_KEY_LIMIT_MS: i64 = 15 * 60 * 1000;

/// How many ended sessions are remembered, so that a late write of another tab cannot bring one back.
const REMEMBERED_ENDINGS: usize = 8;

/// One tab's session: pure state, moved by what the tab sees.
#[derive(Clone, Default)]
pub struct SessionMachine {
    held: Option<ActiveSession>,
    epoch: Epoch,
    ended: Vec<SessionId>,
}

#[derive(Clone)]
struct ActiveSession {
    tokens: SessionTokens,
    clock: ServerClock,
    /// Whether storage has these: only then does empty storage mean a sign-out.
    stored: bool,
    pause: Option<Pause>,
}

impl SessionMachine {
    /// A tab that has not looked anywhere yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The tokens in hand.
    pub fn tokens(&self) -> Option<&SessionTokens> {
        self.held.as_ref().map(|held| &held.tokens)
    }

    /// The tokens in hand when the server does not know their key: to be written down with the time since when that is so.
    pub fn tokens_of_unknown_key(&self) -> Option<SessionTokens> {
        self.tokens().filter(|tokens| tokens.key_unknown_since().is_some()).cloned()
    }

    /// The epoch that this tab is in. What was asked in one is neither sent nor answered in another.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The session that ended last in this tab.
    pub fn last_ended(&self) -> Option<SessionId> {
        self.ended.last().copied()
    }

    /// Compares memory with storage and takes what wins. Do this before every use and after every answer.
    pub fn sync_from_storage(&mut self, seen: StorageSnapshot) -> Effect {
        let StorageSnapshot { stored, now } = seen;
        match (stored, &self.held) {
            (StorageContent::Unavailable, _) | (StorageContent::Empty, None) => Effect::Nothing,
            (StorageContent::Empty, Some(held)) if !held.stored => Effect::Nothing,
            (StorageContent::Empty, Some(_)) => {
                self.end();
                Effect::Leave
            }
            (StorageContent::Tokens(theirs), Some(held)) if held.tokens.session() == theirs.session() => {
                self.compare(*theirs, now)
            }
            (StorageContent::Tokens(theirs), held) if self.ended.contains(&theirs.session()) => {
                held.as_ref().map_or(Effect::Remove, |held| Effect::Write(Box::new(held.tokens.clone())))
            }
            (StorageContent::Tokens(theirs), _) => {
                self.take(*theirs, now, true);
                Effect::Switch
            }
        }
    }

    /// Takes a `storage` event: `removed` is the session whose tokens were deleted, when it says that; `seen` is what is
    /// there by now.
    ///
    /// The session that was deleted may be back by then, if another tab had an answer in hand and wrote it a moment too
    /// late. The sign-out wins. It says nothing about a session that began since: events may come late, after this tab
    /// has looked.
    pub fn on_storage_event(&mut self, removed: Option<SessionId>, seen: StorageSnapshot) -> Effect {
        let is_back = match (&seen.stored, self.tokens()) {
            (StorageContent::Tokens(theirs), Some(ours)) => {
                removed == Some(ours.session()) && theirs.session() == ours.session()
            }
            _ => false,
        };
        if !is_back {
            return self.sync_from_storage(seen);
        }
        self.end();
        Effect::Remove
    }

    /// What to do for a request of a page that was built in `epoch`. `refused` is the access token that the server has
    /// just answered with `token_not_valid`, if that is why you ask.
    pub fn plan(&self, epoch: Epoch, refused: Option<&str>, now: Now) -> TokenPlan {
        let Some(held) = self.held.as_ref().filter(|_| epoch == self.epoch) else { return TokenPlan::SignedOut };
        let tokens = || Box::new(held.tokens.clone());
        let refused = refused.is_some() && refused == held.tokens.access();
        let server_now = held.clock.at(now);
        if !refused && server_now < held.tokens.refresh_due_at() {
            return TokenPlan::Use(tokens());
        }
        let Some((pause, remaining)) = held.pause.and_then(|pause| Some((pause, pause.remaining(now)?))) else {
            return TokenPlan::Refresh(tokens());
        };
        if !refused && server_now < held.tokens.access_expires_at() {
            return TokenPlan::Use(tokens());
        }
        TokenPlan::Wait { error: pause.error, remaining }
    }

    /// Takes the outcome of the refresh of `parent`. `seen` was read after the answer arrived; `jitter` is a random
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
        let Some(held) = self.held.as_mut().filter(|held| held.tokens.session() == parent.session()) else {
            return effect;
        };
        if held.tokens.generation() > parent.generation() {
            if let RefreshOutcome::Adopt(tokens, _) = &outcome {
                held.tokens.take_access_of(tokens);
            }
            return if matches!(effect, Effect::Write(_)) { effect } else { Effect::Newer };
        }
        match outcome {
            RefreshOutcome::Adopt(tokens, user) => {
                held.renew((*tokens).clone(), now);
                Effect::Renew(tokens, user)
            }
            RefreshOutcome::Ended(reason) => {
                self.end();
                Effect::End(reason)
            }
            RefreshOutcome::KeyUnknown if held.is_key_given_up(now) => {
                self.end();
                Effect::End(Reason::KeyUnknown)
            }
            RefreshOutcome::KeyUnknown => held.wait((TransientError::Unavailable, None), now, jitter),
            RefreshOutcome::Retry { error, after } => held.wait((error, after), now, jitter),
        }
    }

    /// Takes the tokens that a page of `epoch` asked for, by signing in or by changing the password. `seen` was read after
    /// the answer arrived: whoever signed in meanwhile stays signed in. Only [`Effect::Begin`] means that the session begins; the
    /// server should end one that nobody waits for.
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
        self.take(tokens.clone(), now, false);
        Effect::Begin(Box::new(tokens.clone()), Box::new(user))
    }

    /// Says whether the tokens in hand could be written. If not, storage must be left empty, and memory is all there is.
    pub fn on_written(&mut self, written: bool) {
        if let Some(held) = &mut self.held {
            held.stored = written;
        }
    }

    /// Forgets the session at the wish of a page of `epoch`, and no other session: only [`Effect::Forget`] means that it was this
    /// one. `seen` was read just now.
    pub fn sign_out(&mut self, epoch: Epoch, reason: SignOutReason, seen: StorageSnapshot) -> Effect {
        let effect = self.sync_from_storage(seen);
        match self.tokens().filter(|_| epoch == self.epoch).cloned() {
            Some(tokens) => {
                self.end();
                Effect::Forget(Box::new(tokens), reason)
            }
            None => effect,
        }
    }

    /// Says that the network is back: a pause that the network caused is over, one that the server asked for is not.
    pub fn online(&mut self) {
        if let Some(held) = &mut self.held {
            held.pause = held.pause.filter(|pause| pause.asked);
        }
    }

    /// Same session in memory and in storage: the later generation wins, and of one generation the later access token.
    fn compare(&mut self, theirs: SessionTokens, now: Now) -> Effect {
        let Some(held) = &mut self.held else { return Effect::Nothing };
        let rank = |tokens: &SessionTokens| (tokens.generation(), tokens.access_expires_at());
        if rank(&theirs) > rank(&held.tokens) {
            held.renew(theirs, now);
            held.stored = true;
            Effect::Newer
        } else if theirs.generation() < held.tokens.generation() {
            Effect::Write(Box::new(held.tokens.clone()))
        } else {
            held.stored = true;
            if let Some(since) = theirs.key_unknown_since() {
                held.tokens.note_key_unknown(since);
            }
            Effect::Nothing
        }
    }

    /// Starts with the tokens of another session.
    fn take(&mut self, tokens: SessionTokens, now: Now, stored: bool) {
        self.epoch = self.epoch.next();
        let clock = ServerClock::from_offset(tokens.clock_offset_ms(), now);
        self.held = Some(ActiveSession { tokens, clock, stored, pause: None });
    }

    fn end(&mut self) {
        let Some(held) = self.held.take() else { return };
        self.epoch = self.epoch.next();
        self.ended.push(held.tokens.session());
        if self.ended.len() > REMEMBERED_ENDINGS {
            self.ended.remove(0);
        }
    }
}

impl ActiveSession {
    /// Leaves the server alone for a while.
    fn wait(&mut self, cause: (TransientError, Option<Duration>), now: Now, jitter: f64) -> Effect {
        let pause = Pause::after(self.pause, cause, now, jitter);
        self.pause = Some(pause);
        Effect::Pause { error: pause.error, wait: pause.wait }
    }

    /// Whether the server has had its time to learn the key.
    fn is_key_given_up(&mut self, now: Now) -> bool {
        let server_now = self.clock.at(now);
        server_now.saturating_sub(self.tokens.note_key_unknown(server_now)) >= UNKNOWN_KEY_LIMIT_MS
    }

    /// Goes on with later tokens of the same session.
    fn renew(&mut self, mut tokens: SessionTokens, now: Now) {
        self.clock = ServerClock::from_offset(tokens.clock_offset_ms(), now);
        // With cookies, storage holds none; each tab uses up its own.
        if tokens.access().is_none() {
            tokens.take_access_of(&self.tokens);
        }
        self.tokens = tokens;
        self.pause = None;
    }
}

impl fmt::Debug for SessionMachine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper").field("tokens", &self.tokens()).field("epoch", &self.epoch).finish_non_exhaustive()
    }
}
