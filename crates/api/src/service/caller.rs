//! Who calls.

use super::limits::{Meter, Network};
use auth_types::{Role, SessionId, UserId};
use chrono::{DateTime, Utc};

/// Who calls, as far as the connection tells. Address and user agent are kept with sessions and events and never decided
/// by; the network is what tries are counted by.
#[derive(Debug, Clone, Default)]
pub struct ClientInfo {
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    /// `None` when the address is not the client's own, or not known.
    pub network: Option<Network>,
    /// What this request has taken of which budgets.
    pub meter: Meter,
}

/// The caller, proven by a valid access token of a session that has not been revoked.
#[derive(Debug, Clone, Copy)]
pub struct CurrentUser {
    /// The `user_id` claim.
    pub id: UserId,
    /// The `sid` claim: the session that this access token belongs to.
    pub session: SessionId,
    /// The `role` claim, as old as the token: what is only shown may go by it. What changes something reads the user's own.
    pub role: Role,
    /// The `iat` claim: all that the holder of this token may know of when the session was refreshed.
    pub issued_at: DateTime<Utc>,
}
