//! Table `known_networks`: from where an account has been signed in to. What tells its owner from strangers when
//! strangers have spent the account's budget of failures.

use super::connection::AnyConnection;
use super::schema::known_networks;
use super::types::At;
use auth_types::UserId;
use auth_types::export::ExportedNetwork;
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// Notes that `user` was here: a sign-in, or another proof that the account is theirs.
///
/// # Errors
/// When the database does not answer.
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
    Ok(())
}

/// All networks of a user.
///
/// # Errors
/// When the database does not answer.
pub fn export(connection: &mut AnyConnection, user: UserId) -> QueryResult<Vec<ExportedNetwork>> {
    let rows: Vec<(String, DateTime<Utc>)> = known_networks::table
        .filter(known_networks::user_id.eq(user.0))
        .order(known_networks::network)
        .select((known_networks::network, known_networks::seen_at))
        .load(connection)?;
    Ok(rows.into_iter().map(|(network, seen_at)| ExportedNetwork { network, seen_at }).collect())
}

/// Deletes what was last seen before `before`.
///
/// # Errors
/// When the database does not answer.
pub fn delete_unseen(connection: &mut AnyConnection, before: DateTime<Utc>) -> QueryResult<usize> {
    diesel::delete(known_networks::table.filter(known_networks::seen_at.lt(At(before)))).execute(connection)
}

/// Deletes all networks of a user.
///
/// # Errors
/// When the database does not answer.
pub fn delete_all(connection: &mut AnyConnection, user: UserId) -> QueryResult<()> {
    diesel::delete(known_networks::table.filter(known_networks::user_id.eq(user.0))).execute(connection).map(|_| ())
}
