//! A session's token pair, which a sign-in and a refresh return.

use crate::clock::CheckedTime;
use crate::config::Lifetimes;
use crate::service::accounts::avatar_key;
use crate::service::tokens::{new_jti, new_session_id, seconds_until};
use crate::service::{CheckedContext, Services};
use crate::store::sessions::{NewSession, SessionRow};
use crate::store::types::{At, SqlSessionId};
use crate::store::users::UserRow;
use crate::telemetry;
use auth_types::UserId;
use auth_types::responses::{TokenResponse, UserResponse};

/// Signing failed, which is a defect.
#[derive(Debug, thiserror::Error)]
#[error("cannot sign a token")]
pub struct SignError(#[from] jsonwebtoken::errors::Error);

/// A new session of `user`, ready to insert.
pub(in crate::service) fn new_session(user: UserId, lifetimes: &Lifetimes, context: &CheckedContext) -> NewSession {
    let now = context.at;
    let absolute_expires_at = now + lifetimes.session;
    NewSession {
        id: SqlSessionId(new_session_id(now)),
        user_id: user.0,
        generation: 1,
        jti: new_jti(),
        created_at: At(now),
        rotated_at: At(now),
        expires_at: At((now + lifetimes.refresh).min(absolute_expires_at)),
        absolute_expires_at: At(absolute_expires_at),
        ip_address: context.client.ip_address.clone(),
        user_agent: context.client.user_agent.clone(),
    }
}

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
        user: user_response(user),
    })
}

/// A user, as they see themselves.
pub(in crate::service) fn user_response(user: &UserRow) -> UserResponse {
    UserResponse {
        id: user.id,
        email: user.email.clone(),
        username: user.username.clone(),
        display_name: user.display_name.clone(),
        role: user.role,
        email_verified: user.email_verified_at.is_some(),
        avatar_url: user.avatar_key.as_deref().map(avatar_key::url),
        created_at: user.created_at,
        last_login_at: user.last_login_at,
    }
}
