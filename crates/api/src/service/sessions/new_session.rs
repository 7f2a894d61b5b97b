//! The first row of a session, which a sign-in, a sign-up and a change of password insert.

use crate::config::Lifetimes;
use crate::service::CheckedContext;
use crate::service::tokens::{new_jti, new_session_id};
use crate::store::sessions::NewSession;
use crate::store::types::At;
use auth_types::UserId;

/// A new session of `user`, ready to insert.
pub(in crate::service) fn new_session(user: UserId, lifetimes: &Lifetimes, context: &CheckedContext) -> NewSession {
    let now = context.at;
    let absolute_expires_at = now + lifetimes.session;
    NewSession {
        id: new_session_id(now).into(),
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
