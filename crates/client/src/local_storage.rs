//! The only module that uses localStorage, through gloo-storage: one key for the tokens, one for the sign-up that is not
//! confirmed, one for the action that may have ended the session, one for the pending sign-outs, and one for the lock between
//! tabs.

use crate::policy::{Now, PendingSignOuts, SessionTokens, StorageContent, UnconfirmedAction};
use auth_types::SessionId;
use gloo_storage::errors::StorageError;
use gloo_storage::{LocalStorage, Storage};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The key of the tokens.
pub const TOKENS_KEY: &str = "latchkey.tokens";

/// The key of the sign-up that is not confirmed yet. Here, and not in the tab's own storage, because the mailed link opens
/// in another tab.
const BROWSER_SECRET_KEY: &str = "latchkey.registration";

/// The key of the last action that may have ended the session.
const UNCONFIRMED_ACTION_KEY: &str = "latchkey.unsettled";

/// The key of the pending sign-outs.
pub const PENDING_SIGN_OUTS_KEY: &str = "latchkey.sign_outs";

/// The key of the tab that has the lock, where there are no Web Locks. The name is that of earlier releases, which a tab may
/// still run.
const CLAIM_KEY: &str = "latchkey.turn";

/// A tab's claim to the lock.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct LockClaim {
    pub tab: Uuid,
    /// By the device's clock, milliseconds.
    pub at: i64,
}

/// How long a claim is valid: its tab may have been closed.
const CLAIM_LIFETIME_MS: i64 = 3_000;

impl LockClaim {
    /// Whether it is still valid; not when the clock has been set back since.
    pub fn is_valid(&self, now: Now) -> bool {
        (0..CLAIM_LIFETIME_MS).contains(&now.wall_ms.saturating_sub(self.at))
    }
}

/// Claims the lock; false where nothing can be stored.
pub fn write_claim(claim: &LockClaim) -> bool {
    is_available() && LocalStorage::set(CLAIM_KEY, claim).is_ok()
}

/// The claim of the tab that has the lock.
pub fn read_claim() -> Option<LockClaim> {
    if is_available() { LocalStorage::get(CLAIM_KEY).ok() } else { None }
}

/// Releases the lock.
pub fn clear_claim() {
    if is_available() {
        LocalStorage::delete(CLAIM_KEY);
    }
}

/// Stores the browser secret of a sign-up that must be confirmed. Where nothing can be stored, the mailed link leads to the
/// sign-in page.
pub fn write_browser_secret(secret: &str) {
    if is_available() {
        // Without it the user signs in with the password.
        let _: Result<(), StorageError> = LocalStorage::set(BROWSER_SECRET_KEY, secret);
    }
}

/// The browser secret of this browser's last sign-up, if that is not confirmed yet.
pub fn read_browser_secret() -> Option<String> {
    if is_available() { LocalStorage::get(BROWSER_SECRET_KEY).ok() } else { None }
}

/// Deletes the browser secret.
pub fn clear_browser_secret() {
    if is_available() {
        LocalStorage::delete(BROWSER_SECRET_KEY);
    }
}

/// Stores an action that ends the session, before it is sent.
pub fn write_unconfirmed_action(action: &UnconfirmedAction) {
    if is_available() {
        // Without it the message after a reload is less precise.
        let _: Result<(), StorageError> = LocalStorage::set(UNCONFIRMED_ACTION_KEY, action);
    }
}

/// The last such action, if its response has not arrived.
pub fn read_unconfirmed_action() -> Option<UnconfirmedAction> {
    if is_available() { LocalStorage::get(UNCONFIRMED_ACTION_KEY).ok() } else { None }
}

/// Deletes the action: its response has arrived, or a user has signed in.
pub fn clear_unconfirmed_action() {
    if is_available() {
        LocalStorage::delete(UNCONFIRMED_ACTION_KEY);
    }
}

/// Deletes the action of this session, which has not ended the session.
pub fn clear_unconfirmed_action_of(session: SessionId) {
    if read_unconfirmed_action().is_some_and(|action| action.session == session) {
        clear_unconfirmed_action();
    }
}

/// The pending sign-outs.
pub fn read_pending_sign_outs() -> PendingSignOuts {
    if is_available() {
        LocalStorage::get(PENDING_SIGN_OUTS_KEY).unwrap_or_default()
    } else {
        PendingSignOuts::default()
    }
}

/// Stores the pending sign-outs, and returns whether that succeeded.
pub fn write_pending_sign_outs(sign_outs: &PendingSignOuts) -> bool {
    if sign_outs.is_empty() {
        if is_available() {
            LocalStorage::delete(PENDING_SIGN_OUTS_KEY);
        }
        return true;
    }
    is_available() && LocalStorage::set(PENDING_SIGN_OUTS_KEY, sign_outs).is_ok()
}

/// Reads the stored tokens. Content that does not parse as tokens is deleted and counts as none.
pub fn read_tokens() -> StorageContent {
    if !is_available() {
        return StorageContent::Unavailable;
    }
    match LocalStorage::get(TOKENS_KEY) {
        Ok(tokens) => StorageContent::Tokens(Box::new(tokens)),
        Err(StorageError::KeyNotFound(_)) => StorageContent::Empty,
        Err(StorageError::SerdeError(_)) => {
            clear_tokens();
            StorageContent::Empty
        }
        Err(StorageError::JsError(_)) => StorageContent::Unavailable,
    }
}

/// Stores `tokens` and returns whether that succeeded (storage may be full or forbidden). If not, the stored tokens are
/// deleted: an older generation would look like a theft after the next reload.
pub fn write_tokens(tokens: &SessionTokens) -> bool {
    let written = is_available() && LocalStorage::set(TOKENS_KEY, tokens).is_ok();
    if !written {
        clear_tokens();
    }
    written
}

/// Deletes the stored tokens.
pub fn clear_tokens() {
    if is_available() {
        LocalStorage::delete(TOKENS_KEY);
    }
}

/// Whether the browser grants storage at all; gloo-storage panics where it does not.
fn is_available() -> bool {
    web_sys::window().is_some_and(|window| matches!(window.local_storage(), Ok(Some(_))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_valid_for_three_seconds_and_not_when_the_clock_was_set_back() {
        let claim = LockClaim { tab: Uuid::nil(), at: 10_000 };
        let is_valid = |wall_ms| claim.is_valid(Now { wall_ms, steady_ms: 0 });
        for wall_ms in [10_000, 10_001, 12_999] {
            assert!(is_valid(wall_ms), "{wall_ms}");
        }
        for wall_ms in [13_000, 9_999, 0, i64::MAX] {
            assert!(!is_valid(wall_ms), "{wall_ms}");
        }
        assert!(!LockClaim { tab: Uuid::nil(), at: i64::MIN }.is_valid(Now { wall_ms: i64::MAX, steady_ms: 0 }));
    }
}
