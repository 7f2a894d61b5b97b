//! The only module that uses localStorage, through gloo-storage: one key for the tokens, one for the sign-up that is not
//! confirmed, one for the action that may have ended the session, one for the pending sign-outs, and one for the lock between
//! tabs.

use crate::policy::{Now, PendingSignOuts, SessionTokens, StorageContent, UnconfirmedAction};
use auth_types::SessionId;
use gloo_storage::errors::StorageError;
use gloo_storage::{LocalStorage, Storage};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The key of the tokens.
pub const TOKENS_KEY: &str = "latchkey.tokens";

/// The key of the sign-up that is not confirmed yet. Here, and not in the tab's own storage, because the mailed link opens
/// in another tab.
const BROWSER_SECRET_KEY: &str = "latchkey.registration";

/// The key of the last action that may have ended the session. The name is that of earlier releases, which may have stored it.
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

/// Why a value could not be read.
enum StorageReadError {
    /// The browser grants no storage.
    Unavailable,
    Storage(StorageError),
}

/// Claims the lock; false where nothing can be stored.
pub fn write_claim(claim: &LockClaim) -> bool {
    write(CLAIM_KEY, claim)
}

/// The claim of the tab that has the lock.
pub fn read_claim() -> Option<LockClaim> {
    read(CLAIM_KEY).ok()
}

/// Releases the lock.
pub fn clear_claim() {
    remove(CLAIM_KEY);
}

/// Stores the browser secret of a sign-up that must be confirmed. Where nothing can be stored, the mailed link leads to the
/// sign-in page.
pub fn write_browser_secret(secret: &str) {
    write(BROWSER_SECRET_KEY, secret); // without it the user signs in with the password
}

/// The browser secret of this browser's last sign-up, if that is not confirmed yet.
pub fn read_browser_secret() -> Option<String> {
    read(BROWSER_SECRET_KEY).ok()
}

/// Deletes the browser secret.
pub fn clear_browser_secret() {
    remove(BROWSER_SECRET_KEY);
}

/// Stores an action that ends the session, before it is sent.
pub fn write_unconfirmed_action(action: &UnconfirmedAction) {
    write(UNCONFIRMED_ACTION_KEY, action); // without it the message after a reload is less precise
}

/// The last such action, if its response has not arrived.
pub fn read_unconfirmed_action() -> Option<UnconfirmedAction> {
    read(UNCONFIRMED_ACTION_KEY).ok()
}

/// Deletes the action: its response has arrived, or a user has signed in.
pub fn clear_unconfirmed_action() {
    remove(UNCONFIRMED_ACTION_KEY);
}

/// Deletes the action of this session, which has not ended the session.
pub fn clear_unconfirmed_action_of(session: SessionId) {
    if read_unconfirmed_action().is_some_and(|action| action.session == session) {
        clear_unconfirmed_action();
    }
}

/// The pending sign-outs.
pub fn read_pending_sign_outs() -> PendingSignOuts {
    read(PENDING_SIGN_OUTS_KEY).unwrap_or_default()
}

/// Stores the pending sign-outs, and returns whether that succeeded.
pub fn write_pending_sign_outs(sign_outs: &PendingSignOuts) -> bool {
    if sign_outs.is_empty() {
        remove(PENDING_SIGN_OUTS_KEY);
        return true;
    }
    write(PENDING_SIGN_OUTS_KEY, sign_outs)
}

/// Reads the stored tokens. Content that does not parse as tokens is deleted and counts as none.
pub fn read_tokens() -> StorageContent {
    match read(TOKENS_KEY) {
        Ok(tokens) => StorageContent::Tokens(Box::new(tokens)),
        Err(StorageReadError::Storage(StorageError::KeyNotFound(_))) => StorageContent::Empty,
        Err(StorageReadError::Storage(StorageError::SerdeError(_))) => {
            clear_tokens();
            StorageContent::Empty
        }
        Err(StorageReadError::Unavailable | StorageReadError::Storage(StorageError::JsError(_))) => {
            StorageContent::Unavailable
        }
    }
}

/// Stores `tokens` and returns whether that succeeded (storage may be full or forbidden). If not, the stored tokens are
/// deleted: an older generation would look like a theft after the next reload.
pub fn write_tokens(tokens: &SessionTokens) -> bool {
    let written = write(TOKENS_KEY, tokens);
    if !written {
        clear_tokens();
    }
    written
}

/// Deletes the stored tokens.
pub fn clear_tokens() {
    remove(TOKENS_KEY);
}

/// Reads a value; an error where there is none, where it does not parse, or where nothing can be stored.
fn read<T: DeserializeOwned>(key: &str) -> Result<T, StorageReadError> {
    if is_available() {
        LocalStorage::get(key).map_err(StorageReadError::Storage)
    } else {
        Err(StorageReadError::Unavailable)
    }
}

/// Writes a value, and returns whether that succeeded.
fn write<T: Serialize + ?Sized>(key: &str, value: &T) -> bool {
    is_available() && LocalStorage::set(key, value).is_ok()
}

/// Removes a value, if there is one.
fn remove(key: &str) {
    if is_available() {
        LocalStorage::delete(key);
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
