//! Table `known_networks`: from where an account has been signed in to. What tells its owner from strangers when
//! strangers have spent the account's budget of failures.

use super::any::AnyConnection;
use super::schema::known_networks;
use super::types::At;
use auth_types::UserId;
use auth_types::export::ExportedNetwork;
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// Most networks of an account that are kept, the latest seen. An IPv6 client has as many as it likes.
const MOST_KEPT: i64 = 100;
/// Most networks that are forgotten at once: an older release has kept them all.
const BATCH: i64 = 1_000;

/// Notes that `user` was here: a sign-in, or another proof that the account is theirs. What was not seen for longest is
/// forgotten when there are too many.
pub fn remember(connection: &mut AnyConnection, user: UserId, network: &str, now: DateTime<Utc>) -> QueryResult<()> {
    let seen_at = known_networks::seen_at.eq(At(now));
    let insert = diesel::insert_into(known_networks::table)
        .values((known_networks::user_id.eq(user.0), known_networks::network.eq(network), seen_at))
        .on_conflict((known_networks::user_id, known_networks::network))
        .do_update()
        .set(seen_at);
    match connection {
        AnyConnection::Postgres(postgres) => insert.execute(postgres)?,
        AnyConnection::Sqlite(sqlite) => insert.execute(sqlite)?,
    };
    forget_surplus(connection, user)
}

fn forget_surplus(connection: &mut AnyConnection, user: UserId) -> QueryResult<()> {
    let theirs = known_networks::table.filter(known_networks::user_id.eq(user.0));
    let latest = theirs.order((known_networks::seen_at.desc(), known_networks::network.desc()));
    let surplus: Vec<String> =
        latest.select(known_networks::network).limit(BATCH).offset(MOST_KEPT).load(connection)?;
    if surplus.is_empty() {
        return Ok(());
    }
    diesel::delete(theirs.filter(known_networks::network.eq_any(surplus))).execute(connection).map(|_| ())
}

/// The next `most` networks of a user, after the network `after`.
pub fn export(
    connection: &mut AnyConnection,
    user: UserId,
    after: &str,
    most: i64,
) -> QueryResult<Vec<ExportedNetwork>> {
    let rows: Vec<(String, DateTime<Utc>)> = known_networks::table
        .filter(known_networks::user_id.eq(user.0))
        .filter(known_networks::network.gt(after))
        .order(known_networks::network)
        .select((known_networks::network, known_networks::seen_at))
        .limit(most)
        .load(connection)?;
    Ok(rows.into_iter().map(|(network, seen_at)| ExportedNetwork { network, seen_at }).collect())
}

/// Deletes what was last seen before `before`, about `batch` rows of it and the longest unseen first, and returns how many
/// there were.
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
