//! Signing out of one session or of all.

use super::attribution::attribute_to_owner;
use crate::service::limits::Budget;
use crate::service::tokens::{self, TokenError};
use crate::service::{ClientInfo, CurrentUser, Error, Services};
use crate::store::events::EventKind;
use crate::store::sessions::RevokeReason;
use crate::store::{events, sessions};
use std::convert::Infallible;

/// Ends the session of a refresh token of any age and generation. Ending it again is not an error.
pub async fn logout(services: &Services, token: &str, client: ClientInfo) -> Result<(), Error<TokenError>> {
    let context = services.context(client);
    let claims = services.tokens.verify_refresh_of_any_age(token).map_err(Error::Refused)?;
    let id = claims.sid;
    let user = tokens::user_of(&claims).map_err(Error::Refused)?;
    attribute_to_owner(user, id);
    services.limits.charges(&context.client).charge(Budget::RequestsSession, &id.to_string()).await?;
    // Read before taking SQLite's one write lock: an old token can be sent for ever and changes nothing.
    let owner = services.store.run(move |connection| sessions::find_owner_of_unrevoked(connection, id)).await?;
    // Another user's session does not belong to the token.
    if owner != Some(user) {
        return Ok(());
    }
    let ended_at = context.shared_at;
    let revocation = services.store.write(move |connection| {
        let is_owner = sessions::find_owner(connection, id)? == Some(user);
        let ended = is_owner && sessions::revoke(connection, id, RevokeReason::Logout, ended_at)?;
        if ended {
            events::insert(connection, &context.event(user, EventKind::LoggedOut))?;
        }
        Ok(ended)
    });
    if revocation.await? {
        services.feed.insert([id], ended_at);
    }
    Ok(())
}

/// Ends every live session of the caller and returns how many there were.
///
/// # Errors
/// [`Error`]; then no session is ended.
pub async fn logout_all(
    services: &Services,
    caller: CurrentUser,
    client: ClientInfo,
) -> Result<usize, Error<Infallible>> {
    let context = services.context(client);
    let ended_at = context.shared_at;
    let revocation = caller.write(services, move |connection, user, _| {
        let ended = sessions::revoke_all(connection, user.id, RevokeReason::LogoutAll, ended_at)?;
        if ended.live > 0 {
            events::insert(connection, &context.event(user.id, EventKind::LoggedOutEverywhere))?;
        }
        Ok(Ok(ended))
    });
    let ended = revocation.await?;
    services.feed.insert(ended.all, ended_at);
    Ok(ended.live)
}
