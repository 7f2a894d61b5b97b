//! The only place that touches localStorage, through gloo-storage: one key for the tokens, one for the sign-up that
//! waits for its mail, one for what may have ended the session, one for the sign-outs that the server has not heard of, and one
//! for the tab whose turn it is.

use crate::policy::{Now, PendingSignOuts, SessionTokens, StorageContent, UnconfirmedAction};
use auth_types::SessionId;
use gloo_storage::errors::StorageError;
use gloo_storage::{LocalStorage, Storage};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The key that everything is kept under.
pub const KEY: &str = "latchkey.tokens";

/// The key of the sign-up that is not confirmed yet. Here, and not in the tab's own storage, because the mailed link opens
/// in another tab.
const REGISTRATION_KEY: &str = "latchkey.registration";

/// The key of what was asked for last and may have ended the session.
const UNCONFIRMED_ACTION_KEY: &str = "latchkey.unsettled";

/// The key of the sign-outs that the server has not heard of.
pub const PENDING_SIGN_OUTS_KEY: &str = "latchkey.sign_outs";

/// The key of the tab whose turn it is, where there are no Web Locks.
const CLAIM_KEY: &str = "latchkey.turn";

/// A tab's claim to its turn.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Claim {
    pub tab: Uuid,
    /// By the device's clock, milliseconds.
    pub at: i64,
}

/// How long a claim holds: its tab may have been closed.
const CLAIM_HOLDS_MS: i64 = 3_000;

impl Claim {
    /// Whether it still holds; not when the clock has been set back since.
    pub fn holds(&self, now: Now) -> bool {
        (0..CLAIM_HOLDS_MS).contains(&now.wall_ms.saturating_sub(self.at))
    }
}

/// Claims the turn; false where nothing can be stored.
pub fn write_claim(claim: &Claim) -> bool {
    is_available() && LocalStorage::set(CLAIM_KEY, claim).is_ok()
}

/// Who claims the turn.
pub fn read_claim() -> Option<Claim> {
    if is_available() { LocalStorage::get(CLAIM_KEY).ok() } else { None }
}

/// Gives the turn to the others.
pub fn clear_claim() {
    if is_available() {
        LocalStorage::delete(CLAIM_KEY);
    }
}

/// Keeps what the server gave for a sign-up that has to be confirmed. Where that is not possible, its link leads to the
/// sign-in page.
pub fn write_registration(registration: &str) {
    if is_available() {
        // Without it the person signs in by hand.
        let _: Result<(), StorageError> = LocalStorage::set(REGISTRATION_KEY, registration);
    }
}

/// What the server gave for the last sign-up of this browser that is not confirmed yet.
pub fn read_registration() -> Option<String> {
    if is_available() { LocalStorage::get(REGISTRATION_KEY).ok() } else { None }
}

/// Deletes it.
pub fn clear_registration() {
    if is_available() {
        LocalStorage::delete(REGISTRATION_KEY);
    }
}

/// Notes what somebody asks for that ends the session.
pub fn write_unconfirmed_action(unsettled: &UnconfirmedAction) {
    if is_available() {
        // Without it a reload tells less.
        let _: Result<(), StorageError> = LocalStorage::set(UNCONFIRMED_ACTION_KEY, unsettled);
    }
}

/// What was asked for last, while its response has not arrived.
pub fn read_unconfirmed_action() -> Option<UnconfirmedAction> {
    if is_available() { LocalStorage::get(UNCONFIRMED_ACTION_KEY).ok() } else { None }
}

/// Its response is there, or somebody has signed in.
pub fn clear_unconfirmed_action() {
    if is_available() {
        LocalStorage::delete(UNCONFIRMED_ACTION_KEY);
    }
}

/// What this session asked for has not ended it.
pub fn clear_unconfirmed_action_of(session: SessionId) {
    if read_unconfirmed_action().is_some_and(|unsettled| unsettled.session == session) {
        clear_unconfirmed_action();
    }
}

/// The sign-outs that the server has not heard of.
pub fn read_pending_sign_outs() -> PendingSignOuts {
    if is_available() {
        LocalStorage::get(PENDING_SIGN_OUTS_KEY).unwrap_or_default()
    } else {
        PendingSignOuts::default()
    }
}

/// Keeps them until they are sent, and says whether that worked.
pub fn write_pending_sign_outs(late: &PendingSignOuts) -> bool {
    if late.is_empty() {
        if is_available() {
            LocalStorage::delete(PENDING_SIGN_OUTS_KEY);
        }
        return true;
    }
    is_available() && LocalStorage::set(PENDING_SIGN_OUTS_KEY, late).is_ok()
}

/// What is stored. Content that is not ours is deleted and counts as nothing.
pub fn read() -> StorageContent {
    if !is_available() {
        return StorageContent::Unavailable;
    }
    match LocalStorage::get(KEY) {
        Ok(tokens) => StorageContent::Tokens(Box::new(tokens)),
        Err(StorageError::KeyNotFound(_)) => StorageContent::Empty,
        Err(StorageError::SerdeError(_)) => {
            clear();
            StorageContent::Empty
        }
        Err(StorageError::JsError(_)) => StorageContent::Unavailable,
    }
}

/// Stores `tokens` and says whether that worked (storage may be full or forbidden). If not, nothing is left there: an
/// older generation would look like a theft after the next reload.
pub fn write(tokens: &SessionTokens) -> bool {
    let written = is_available() && LocalStorage::set(KEY, tokens).is_ok();
    if !written {
        clear();
    }
    written
}

/// Deletes what is stored.
pub fn clear() {
    if is_available() {
        LocalStorage::delete(KEY);
    }
}

/// Whether the browser grants storage at all; gloo-storage takes that for granted and would stop the program.
fn is_available() -> bool {
    web_sys::window().is_some_and(|window| matches!(window.local_storage(), Ok(Some(_))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_holds_for_three_seconds_and_not_when_the_clock_was_set_back() {
        let claim = Claim { tab: Uuid::nil(), at: 10_000 };
        let holds = |wall_ms| claim.holds(Now { wall_ms, steady_ms: 0 });
        for wall_ms in [10_000, 10_001, 12_999] {
            assert!(holds(wall_ms), "{wall_ms}");
        }
        for wall_ms in [13_000, 9_999, 0, i64::MAX] {
            assert!(!holds(wall_ms), "{wall_ms}");
        }
        assert!(!Claim { tab: Uuid::nil(), at: i64::MIN }.holds(Now { wall_ms: i64::MAX, steady_ms: 0 }));
    }
}
