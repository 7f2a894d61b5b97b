//! The caller's sessions: listing them and ending one.

use super::login::MAX_SESSIONS;
use super::view::SessionView;
use crate::service::{ClientInfo, CurrentUser, Error, Services};
use crate::store::events::EventKind;
use crate::store::sessions::RevokeReason;
use crate::store::{events, sessions};
use auth_types::SessionId;
use auth_types::responses::SessionResponse;
use std::cmp::Reverse;
use std::convert::Infallible;

/// The session does not exist or is another user's; the response does not distinguish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such session")]
pub struct NoSuchSession;

/// Lists the caller's live sessions, most recently used first.
pub async fn list(services: &Services, caller: CurrentUser) -> Result<Vec<SessionResponse>, Error<Infallible>> {
    let now = services.now();
    let found =
        caller.read(services, move |connection, user| sessions::list_live(connection, user.id, now, MAX_SESSIONS));
    let view = SessionView::of(services.settings.lifetimes.refresh, caller);
    let mut listed: Vec<_> = found.await?.into_iter().map(|row| view.response(row)).collect();
    // Sorted by the rounded time: the exact order would show which session was rotated last.
    listed.sort_by_key(|session| (Reverse(session.last_used_at), session.id.0));
    Ok(listed)
}

/// Ends one of the caller's sessions. Ending it again is not an error.
pub async fn revoke(
    services: &Services,
    caller: CurrentUser,
    id: SessionId,
    client: ClientInfo,
) -> Result<(), Error<NoSuchSession>> {
    let reason = if id == caller.session { RevokeReason::Logout } else { RevokeReason::OtherDevice };
    let context = services.context(client);
    let ended_at = context.shared_at;
    let revocation = caller.write(services, move |connection, user, _| {
        if sessions::find_owner(connection, id)? != Some(user.id) {
            return Ok(Err(Error::Refused(NoSuchSession)));
        }
        if sessions::revoke(connection, id, reason, ended_at)? {
            let mut revoked = context.event(user.id, EventKind::SessionRevoked);
            revoked.detail.session = Some(id);
            events::insert(connection, &revoked)?;
        }
        Ok(Ok(()))
    });
    revocation.await?;
    services.feed.insert([id], ended_at);
    Ok(())
}
