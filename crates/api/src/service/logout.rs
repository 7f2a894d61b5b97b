//! Signing out: here, and everywhere.

use super::tokens::{self, TokenError};
use super::{ClientInfo, CurrentUser, Services, event};
use crate::store::events::EventKind;
use crate::store::sessions::RevokeReason;
use crate::store::{StoreError, events, sessions};

/// Why a session was not ended.
#[derive(Debug, thiserror::Error)]
pub enum LogoutError {
    /// The token was never ours.
    #[error("refresh token is not valid")]
    NotValid(#[source] TokenError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Ends the session of a refresh token, whatever its age and generation. Ending it twice is no error.
///
/// # Errors
/// [`LogoutError`].
pub async fn logout(services: &Services, token: &str, client: ClientInfo) -> Result<(), LogoutError> {
    let now = services.now();
    let claims = services.tokens.verify_refresh_of_any_age(token, now).map_err(LogoutError::NotValid)?;
    tokens::note_owner(&claims);
    let id = claims.sid;
    let ended = services.store.write(move |connection| {
        let owner = sessions::find_owner(connection, id)?;
        let ended = sessions::revoke(connection, id, RevokeReason::Logout, now)?;
        if let Some(owner) = owner.filter(|_| ended) {
            events::insert(connection, &event(owner, EventKind::LoggedOut, now, &client))?;
        }
        Ok(ended)
    });
    if ended.await? {
        services.feed.insert([id], now);
    }
    Ok(())
}

/// Ends every live session of the caller and answers how many there were.
///
/// # Errors
/// When the database does not answer; no session is ended then.
pub async fn logout_all(services: &Services, caller: CurrentUser, client: ClientInfo) -> Result<usize, StoreError> {
    let now = services.now();
    let ended = services.store.write(move |connection| {
        let ended = sessions::revoke_all(connection, caller.id, RevokeReason::LogoutAll, now)?;
        events::insert(connection, &event(caller.id, EventKind::LoggedOutEverywhere, now, &client))?;
        Ok(ended)
    });
    let ended = ended.await?;
    let count = ended.len();
    services.feed.insert(ended, now);
    Ok(count)
}
