//! Table `auth_events`: security events of accounts, for their owners and for the operator.

mod counting;
mod metrics;
mod retention;

use super::any::{AnyConnection, MultiBackend};
use super::schema::{auth_events, users};
use super::types::{At, Nullable, Text, Timestamptz};
use auth_types::UserId;
use auth_types::events::EventResponse;
pub use auth_types::{EventDetail, EventKind};
use chrono::{DateTime, Utc};
use counting::count;
pub(super) use counting::count_for;
use diesel::prelude::*;
pub use metrics::EventMetrics;
pub use retention::{
    delete_anonymous_surplus, delete_of_user, delete_older, delete_surplus, erased_users, newest_id,
    recent_users_with_surplus, users_with_surplus,
};
use serde::{Deserialize, Serialize};

impl Queryable<Text, MultiBackend> for EventKind {
    type Row = String;
    /// A newer release on the same database may have written other kinds.
    fn build(row: String) -> diesel::deserialize::Result<Self> {
        Ok(Self::ALL.iter().copied().find(|kind| kind.as_str() == row).unwrap_or(Self::Unknown))
    }
}

/// An event to insert.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// `None` for an unknown name: [`insert`] then writes nothing.
    pub user: Option<UserId>,
    pub kind: EventKind,
    pub at: DateTime<Utc>,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub detail: EventDetail,
}

/// Inserts an event of a user who exists. Without a user, or for a deleted one, the same statement inserts nothing: an unknown
/// name must take as much time as a known one.
///
/// On PostgreSQL the statement waits for a deletion in progress, and then finds no user. So no event is written after the
/// deletion of a user's events.
pub fn insert(connection: &mut AnyConnection, event: &NewEvent) -> QueryResult<()> {
    let owner = users::table
        .filter(users::id.nullable().eq(event.user.map(|user| user.0)))
        .filter(users::deleted_at.is_null())
        .select((
            users::id.nullable(),
            event.kind.as_str().into_sql::<Text>(),
            At(event.at).into_sql::<Timestamptz>(),
            event.ip_address.as_deref().into_sql::<Nullable<Text>>(),
            event.user_agent.as_deref().into_sql::<Nullable<Text>>(),
            detail_as_json(event).into_sql::<Text>(),
        ));
    let columns = (
        auth_events::user_id,
        auth_events::kind,
        auth_events::at,
        auth_events::ip_address,
        auth_events::user_agent,
        auth_events::detail,
    );
    let inserted = match connection {
        AnyConnection::Postgres(postgres) => {
            owner.for_key_share().insert_into(auth_events::table).into_columns(columns).execute(postgres)
        }
        // A statement that writes locks the whole file.
        AnyConnection::Sqlite(sqlite) => owner.insert_into(auth_events::table).into_columns(columns).execute(sqlite),
    };
    count(event.kind, inserted?);
    Ok(())
}

/// Inserts an event that belongs to no account: information for the operator about a deleted account, or about the whole
/// database.
pub fn insert_anonymous(connection: &mut AnyConnection, event: &NewEvent) -> QueryResult<()> {
    let inserted = diesel::insert_into(auth_events::table)
        .values((
            auth_events::user_id.eq(None::<i64>),
            auth_events::kind.eq(event.kind.as_str()),
            auth_events::at.eq(At(event.at)),
            auth_events::detail.eq(detail_as_json(event)),
        ))
        .execute(connection)?;
    count(event.kind, inserted);
    Ok(())
}

fn detail_as_json(event: &NewEvent) -> String {
    serde_json::to_string(&event.detail).unwrap_or_default()
}

/// Where a page of events begins: before the event with this time and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventPosition {
    pub at: DateTime<Utc>,
    pub id: i64,
}

/// At most `limit` of a user's events before a position, newest first.
pub fn list(
    connection: &mut AnyConnection,
    user: UserId,
    EventPosition { at, id }: EventPosition,
    limit: i64,
) -> QueryResult<Vec<EventResponse>> {
    type EventColumns = (i64, EventKind, DateTime<Utc>, Option<String>, Option<String>, String);
    let at = At(at);
    let same_time = auth_events::at.eq(at);
    let rows: Vec<EventColumns> = auth_events::table
        .filter(auth_events::user_id.assume_not_null().eq(user.0))
        // The first condition bounds the index scan, the second one follows the order of the rows.
        .filter(auth_events::at.le(at))
        .filter(auth_events::at.lt(at).or(same_time.and(auth_events::id.lt(id))))
        .order((auth_events::at.desc(), auth_events::id.desc()))
        .limit(limit)
        .select((
            auth_events::id,
            auth_events::kind,
            auth_events::at,
            auth_events::ip_address,
            auth_events::user_agent,
            auth_events::detail,
        ))
        .load(connection)?;
    let event = |(id, kind, at, ip_address, user_agent, detail): EventColumns| {
        // A detail that a newer release has written in another form is left out.
        let detail = serde_json::from_str(&detail).unwrap_or_default();
        EventResponse { id, kind, at, ip_address, user_agent, detail }
    };
    Ok(rows.into_iter().map(event).collect())
}

#[cfg(test)]
mod tests {
    use super::EventKind;

    #[test]
    fn every_kind_has_its_own_counter() {
        assert!(EventKind::ALL.iter().enumerate().all(|(index, kind)| index == *kind as usize));
    }
}
