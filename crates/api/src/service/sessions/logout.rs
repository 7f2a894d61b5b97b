//! Signing out: here, and everywhere.

use super::authorize::{self, Refusal};
use crate::service::limits::{Budget, Throttled};
use crate::service::tokens::{self, TokenError};
use crate::service::{ClientInfo, CurrentUser, Services, event};
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
    Throttled(#[from] Throttled),
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
    let (id, user) = (claims.sid, tokens::owner_of(&claims).map_err(LogoutError::NotValid)?);
    services.limits.tries(&client).by_name(Budget::RequestsSession, &id.to_string()).await?;
    // Reads before it asks for SQLite's one write lock: an old token can be sent for ever, and changes nothing.
    let owner = services.store.run(move |connection| sessions::find_owner_of_unrevoked(connection, id)).await?;
    // A session that another user has is not the token's.
    if owner != Some(user) {
        return Ok(());
    }
    let ended = services.store.write(move |connection| {
        let is_owner = sessions::find_owner(connection, id)? == Some(user);
        let ended = is_owner && sessions::revoke(connection, id, RevokeReason::Logout, now)?;
        if ended {
            events::insert(connection, &event(user, EventKind::LoggedOut, now, &client))?;
        }
        Ok(ended)
    });
    if ended.await? {
        services.feed.insert([id], now);
    }
    Ok(())
}

/// Why no session was ended.
#[derive(Debug, thiserror::Error)]
pub enum LogoutAllError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Ends every live session of the caller and returns how many there were.
///
/// # Errors
/// [`LogoutAllError`]; no session is ended then.
pub async fn logout_all(services: &Services, caller: CurrentUser, client: ClientInfo) -> Result<usize, LogoutAllError> {
    let now = services.now();
    let ended = services.store.write(move |connection| {
        if let Err(refusal) = authorize::authorize_change(connection, caller, now)? {
            return Ok(Err(refusal));
        }
        let ended = sessions::revoke_all(connection, caller.id, RevokeReason::LogoutAll, now)?;
        if !ended.is_empty() {
            events::insert(connection, &event(caller.id, EventKind::LoggedOutEverywhere, now, &client))?;
        }
        Ok(Ok(ended))
    });
    let ended = ended.await??;
    let count = ended.len();
    services.feed.insert(ended, now);
    Ok(count)
}
