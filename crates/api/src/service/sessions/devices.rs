//! The caller's sessions: which there are, and ending one of them.

use super::authorize::{self, Refusal};
use super::login::MOST_SESSIONS;
use super::view::SessionView;
use crate::service::{ClientInfo, CurrentUser, Services, event};
use crate::store::events::EventKind;
use crate::store::sessions::RevokeReason;
use crate::store::{StoreError, events, sessions};
use auth_types::SessionId;
use auth_types::responses::SessionResponse;
use std::cmp::Reverse;

/// Why the sessions were not shown or ended.
#[derive(Debug, thiserror::Error)]
pub enum SessionsError {
    /// No such session, or not the caller's: which of them is not told.
    #[error("no such session")]
    NotFound,
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The caller's live sessions, latest used first.
///
/// # Errors
/// [`SessionsError`].
pub async fn list(services: &Services, caller: CurrentUser) -> Result<Vec<SessionResponse>, SessionsError> {
    let now = services.now();
    let found = services.store.run(move |connection| {
        if let Err(refusal) = authorize::authorize(connection, caller, now)? {
            return Ok(Err(refusal));
        }
        sessions::list_live(connection, caller.id, now, MOST_SESSIONS).map(Ok)
    });
    let view = SessionView::of(services, caller);
    let mut listed: Vec<_> = found.await??.into_iter().map(|row| view.response(row)).collect();
    // By what is shown: the exact order would tell which session was rotated last.
    listed.sort_by_key(|session| (Reverse(session.last_used_at), session.id.0));
    Ok(listed)
}

/// Ends one of the caller's sessions. Ending it twice is no error.
///
/// # Errors
/// [`SessionsError`].
pub async fn revoke(
    services: &Services,
    caller: CurrentUser,
    id: SessionId,
    client: ClientInfo,
) -> Result<(), SessionsError> {
    let now = services.now();
    let reason = if id == caller.session { RevokeReason::Logout } else { RevokeReason::OtherDevice };
    let ended = services.store.write(move |connection| {
        if let Err(refusal) = authorize::authorize_change(connection, caller, now)? {
            return Ok(Err(refusal.into()));
        }
        if sessions::find_owner(connection, id)? != Some(caller.id) {
            return Ok(Err(SessionsError::NotFound));
        }
        if sessions::revoke(connection, id, reason, now)? {
            let mut revoked = event(caller.id, EventKind::SessionRevoked, now, &client);
            revoked.detail.session = Some(id);
            events::insert(connection, &revoked)?;
        }
        Ok(Ok(()))
    });
    ended.await??;
    services.feed.insert([id], now);
    Ok(())
}
