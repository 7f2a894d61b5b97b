//! The rows of `sessions`.

use crate::store::any::MultiBackend;
use crate::store::schema::sessions;
use crate::store::types::Stored;
use auth_types::{SessionId, UserId};
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// A row of `sessions`.
#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = sessions)]
pub struct SessionRow {
    pub id: SessionId,
    #[diesel(deserialize_as = Stored<UserId>)]
    pub user_id: UserId,
    /// How many refresh tokens the session has had; only the newest is live.
    pub generation: i64,
    /// The live refresh token's `jti`.
    pub jti: String,
    /// SHA-256 of the `Idempotency-Key` that the latest rotation came with.
    pub rotation_key_hash: Option<Vec<u8>>,
    /// A hash of the neighbourhood and user agent of the latest rotation's client; `None` if the rotation had a key or its client
    /// was unknown. The column's name is that of the release that added it; elsewhere, an origin is a web origin.
    #[diesel(column_name = rotation_origin)]
    pub rotation_client_hash: Option<Vec<u8>>,
    /// `rotation_client_hash` of the rotation before that.
    #[diesel(column_name = previous_rotation_origin)]
    pub previous_rotation_client_hash: Option<Vec<u8>>,
    pub created_at: DateTime<Utc>,
    /// When the live generation was created: at sign-in or by the latest rotation.
    pub rotated_at: DateTime<Utc>,
    /// `rotated_at` of the generation before that.
    pub previous_rotated_at: Option<DateTime<Utc>>,
    /// End of the idle lifetime, never past `absolute_expires_at`.
    pub expires_at: DateTime<Utc>,
    pub absolute_expires_at: DateTime<Utc>,
    pub revoked_at: Option<DateTime<Utc>>,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
}

impl std::fmt::Debug for SessionRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut fields = f.debug_struct("SessionRow");
        fields.field("id", &self.id).field("generation", &self.generation).finish_non_exhaustive()
    }
}

/// The columns of a [`SessionRow`], for a statement that returns it.
pub(super) fn columns() -> <SessionRow as Selectable<MultiBackend>>::SelectExpression {
    <SessionRow as Selectable<MultiBackend>>::construct_selection()
}

/// Whether a session can still be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionState {
    Live,
    /// Time ran out.
    Expired,
    /// Someone ended it.
    Revoked,
}

impl SessionRow {
    /// The session's state at `now`. A session that was revoked and has expired counts as revoked.
    pub fn state(&self, now: DateTime<Utc>) -> SessionState {
        if self.revoked_at.is_some() {
            SessionState::Revoked
        } else if self.expires_at <= now || self.absolute_expires_at <= now {
            SessionState::Expired
        } else {
            SessionState::Live
        }
    }
}
