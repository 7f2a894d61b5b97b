//! The user who acts, and the session through which.

use auth_types::{Role, SessionId, UserId};
use chrono::{DateTime, Utc};

/// The caller, proven by a valid access token of a session that has not been revoked.
#[derive(Debug, Clone, Copy)]
pub struct CurrentUser {
    /// The `user_id` claim.
    pub id: UserId,
    /// The `sid` claim: the session that this access token belongs to.
    pub session: SessionId,
    /// The `role` claim, as old as the token: good enough for display. What changes something reads the user's row.
    pub role: Role,
    /// The `iat` claim: all that the holder of this token may know about when the session was refreshed.
    pub issued_at: DateTime<Utc>,
}
