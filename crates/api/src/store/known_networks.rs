//! Table `known_networks`: the networks that an account was signed in to from. They distinguish the owner from attackers who
//! have spent the account's budget of failed sign-ins.

use super::any::AnyConnection;
use super::prepared::upsert;
use super::schema::known_networks;
use super::types::At;
use auth_types::UserId;
use auth_types::export::ExportedNetwork;
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// Maximum number of networks of an account, the most recently seen. An IPv6 client can use any number of them.
const MAX_KEPT: i64 = 100;
/// Maximum number of networks that are deleted at once: older releases kept all of them.
const BATCH: i64 = 1_000;

/// Records that `user` signed in from `network`, or otherwise proved to own the account there. If there are too many networks,
/// the least recently seen ones are deleted.
pub fn remember(connection: &mut AnyConnection, user: UserId, network: &str, now: DateTime<Utc>) -> QueryResult<()> {
    let seen_at = known_networks::seen_at.eq(At(now));
    let row = (known_networks::user_id.eq(user.0), known_networks::network.eq(network), seen_at);
    let insert = diesel::insert_into(known_networks::table).values(row);
    upsert(insert, "ON CONFLICT (user_id, network) DO UPDATE SET seen_at = excluded.seen_at").execute(connection)?;
    forget_surplus(connection, user)
}

fn forget_surplus(connection: &mut AnyConnection, user: UserId) -> QueryResult<()> {
    let own = known_networks::table.filter(known_networks::user_id.eq(user.0));
    let latest = own.order((known_networks::seen_at.desc(), known_networks::network.desc()));
    let surplus: Vec<String> = latest.select(known_networks::network).limit(BATCH).offset(MAX_KEPT).load(connection)?;
    if surplus.is_empty() {
        return Ok(());
    }
    diesel::delete(own.filter(known_networks::network.eq_any(surplus))).execute(connection).map(|_| ())
}

/// The next `limit` networks of a user after the network `after`.
pub fn export(
    connection: &mut AnyConnection,
    user: UserId,
    after: &str,
    limit: i64,
) -> QueryResult<Vec<ExportedNetwork>> {
    let rows: Vec<(String, DateTime<Utc>)> = known_networks::table
        .filter(known_networks::user_id.eq(user.0))
        .filter(known_networks::network.gt(after))
        .order(known_networks::network)
        .select((known_networks::network, known_networks::seen_at))
        .limit(limit)
        .load(connection)?;
    Ok(rows.into_iter().map(|(network, seen_at)| ExportedNetwork { network, seen_at }).collect())
}

/// Deletes about `batch` networks that were last seen before `before`, the least recently seen first, and returns how many were
/// deleted.
pub fn delete_unseen(connection: &mut AnyConnection, before: DateTime<Utc>, batch: i64) -> QueryResult<usize> {
    let unseen = known_networks::table.filter(known_networks::seen_at.lt(At(before)));
    let end = unseen.order(known_networks::seen_at).select(known_networks::seen_at).offset(batch - 1);
    match end.first::<DateTime<Utc>>(connection).optional()? {
        Some(end) => diesel::delete(unseen.filter(known_networks::seen_at.le(At(end)))).execute(connection),
        None => diesel::delete(unseen).execute(connection),
    }
}

/// Deletes all networks of a user.
pub fn delete_all(connection: &mut AnyConnection, user: UserId) -> QueryResult<()> {
    diesel::delete(known_networks::table.filter(known_networks::user_id.eq(user.0))).execute(connection).map(|_| ())
}
