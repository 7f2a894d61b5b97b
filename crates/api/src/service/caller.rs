//! Who calls.

use super::limits::{Meter, Network};
use crate::store::events::{self, EventDetail, EventKind, NewEvent};
use crate::store::{AnyConnection, QueryResult};
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

/// Records what a feature did for a user, among what happened to their account: `notes.deleted` for a feature called `notes`.
///
/// # Errors
/// When the database does not respond.
pub fn record(
    connection: &mut AnyConnection,
    user: UserId,
    what: &'static str,
    (at, client): (DateTime<Utc>, &ClientInfo),
) -> QueryResult<()> {
    let mut event = event(user, EventKind::Feature, at, client);
    event.detail.feature = Some(what.to_owned());
    events::insert(connection, &event)
}

/// An event of `user`, or of nobody known, caused by `client` at `at`.
pub(super) fn event(
    user: impl Into<Option<UserId>>,
    kind: EventKind,
    at: DateTime<Utc>,
    client: &ClientInfo,
) -> NewEvent {
    NewEvent {
        user: user.into(),
        kind,
        at,
        ip_address: client.ip_address.clone(),
        user_agent: client.user_agent.clone(),
        detail: EventDetail::default(),
    }
}
