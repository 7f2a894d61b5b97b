//! Table `auth_events`: what happened to an account, for its owner and for the operator.

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
    delete_of_user, delete_older, delete_surplus, delete_surplus_of_nobody, erased_users, newest_id,
    recent_users_with_surplus, users_with_surplus,
};
use serde::{Deserialize, Serialize};

impl Queryable<Text, MultiBackend> for EventKind {
    type Row = String;
    /// A newer program on the same database may know more.
    fn build(row: String) -> diesel::deserialize::Result<Self> {
        Ok(Self::ALL.iter().copied().find(|kind| kind.as_str() == row).unwrap_or(Self::Unknown))
    }
}

/// An event to insert.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Nobody when a name is unknown: [`insert`] writes nothing then.
    pub user: Option<UserId>,
    pub kind: EventKind,
    pub at: DateTime<Utc>,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub detail: EventDetail,
}

/// Inserts an event of a user who exists. For nobody and for somebody who was deleted it inserts nothing, by the same
/// statement: an unknown name must cost what a known one does.
///
/// On PostgreSQL the statement waits for a deletion that is under way, and finds the user gone then. So nothing about a
/// person is written behind the deletion of their events.
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
            written(event).into_sql::<Text>(),
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
        // A statement that writes holds the whole file.
        AnyConnection::Sqlite(sqlite) => owner.insert_into(auth_events::table).into_columns(columns).execute(sqlite),
    };
    count(event.kind, inserted?);
    Ok(())
}

/// Inserts an event that belongs to no account: what an operator has to know of an account that is gone, or of the whole
/// database.
pub fn insert_anonymous(connection: &mut AnyConnection, event: &NewEvent) -> QueryResult<()> {
    let inserted = diesel::insert_into(auth_events::table)
        .values((
            auth_events::user_id.eq(None::<i64>),
            auth_events::kind.eq(event.kind.as_str()),
            auth_events::at.eq(At(event.at)),
            auth_events::detail.eq(written(event)),
        ))
        .execute(connection)?;
    count(event.kind, inserted);
    Ok(())
}

fn written(event: &NewEvent) -> String {
    serde_json::to_string(&event.detail).unwrap_or_default()
}

/// Where a page of events begins: before the event of this time and number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventPosition {
    pub at: DateTime<Utc>,
    pub id: i64,
}

/// At most `most` of a user's events before `position`, newest first.
pub fn list(
    connection: &mut AnyConnection,
    user: UserId,
    EventPosition { at, id }: EventPosition,
    most: i64,
) -> QueryResult<Vec<EventResponse>> {
    type EventColumns = (i64, EventKind, DateTime<Utc>, Option<String>, Option<String>, String);
    let (at, same_time) = (At(at), auth_events::at.eq(At(at)));
    let rows: Vec<EventColumns> = auth_events::table
        .filter(auth_events::user_id.assume_not_null().eq(user.0))
        // The first half bounds the index, the second one is the order of the rows.
        .filter(auth_events::at.le(at))
        .filter(auth_events::at.lt(at).or(same_time.and(auth_events::id.lt(id))))
        .order((auth_events::at.desc(), auth_events::id.desc()))
        .limit(most)
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
        // What a newer program wrote there is left out.
        let detail = serde_json::from_str(&detail).unwrap_or_default();
        EventResponse { id, kind, at, ip_address, user_agent, detail }
    };
    Ok(rows.into_iter().map(event).collect())
}

#[cfg(test)]
mod tests {
    use super::EventKind;

    #[test]
    fn every_kind_has_a_counter_of_its_own() {
        assert!(EventKind::ALL.iter().enumerate().all(|(index, kind)| index == *kind as usize));
    }
}
