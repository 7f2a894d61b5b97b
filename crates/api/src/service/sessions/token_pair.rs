//! A session's token pair, which a sign-in and a refresh return.

use crate::clock::CheckedTime;
use crate::service::Services;
use crate::service::accounts::user_view;
use crate::store::sessions::SessionRow;
use crate::store::users::UserRow;
use crate::telemetry;
use auth_types::responses::TokenResponse;
use chrono::{DateTime, Utc};

/// Signing failed, which is a defect.
#[derive(Debug, thiserror::Error)]
#[error("cannot sign a token")]
pub struct SignError(#[from] jsonwebtoken::errors::Error);

/// The session's live tokens: a new access token, and the one refresh token that its row describes.
pub(in crate::service) fn token_response(
    services: &Services,
    session: &SessionRow,
    user: &UserRow,
    now: CheckedTime,
) -> Result<TokenResponse, SignError> {
    telemetry::record_caller(user.id, session.id);
    let access = services.tokens.sign_access(session, user.role, now)?;
    let now = now.get();
    Ok(TokenResponse {
        access: access.token,
        refresh: services.tokens.sign_refresh(session)?,
        access_expires_in: seconds_until(access.expires_at, now),
        refresh_expires_in: seconds_until(session.expires_at, now),
        server_time: now.timestamp(),
        user: user_view::response(user),
    })
}

/// Whole seconds from `now` until `then`, at least 0.
fn seconds_until(then: DateTime<Utc>, now: DateTime<Utc>) -> i64 {
    (then.timestamp() - now.timestamp()).max(0)
}
