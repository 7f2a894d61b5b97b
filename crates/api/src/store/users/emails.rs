//! Users by their address, and changes of it.

use super::row::UserRow;
use crate::names::{Name, Spellings};
use crate::store::any::AnyConnection;
use crate::store::prepared::is_one_of;
use crate::store::schema::users;
use crate::store::types::At;
use auth_types::UserId;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};

/// An active user as the recipient of mail.
#[derive(Debug, Clone, Queryable)]
pub struct Addressee {
    pub email_canonical: String,
    pub email_verified_at: Option<DateTime<Utc>>,
}

/// The active users with these addresses.
pub fn list_addressees(connection: &mut AnyConnection, emails_canonical: &[&str]) -> QueryResult<Vec<Addressee>> {
    users::table
        .filter(users::email_canonical.eq_any(emails_canonical))
        .filter(users::is_active)
        .select((users::email_canonical, users::email_verified_at))
        .load(connection)
}

/// The address of a user whose account is active. Until the transaction's end the row is not erased; a deletion in progress is waited for,
/// and then there is no address.
pub fn lock_address(connection: &mut AnyConnection, id: UserId) -> QueryResult<Option<String>> {
    let row = users::table.find(id.0).filter(users::is_active).filter(users::deleted_at.is_null()).select(users::email);
    match connection {
        AnyConnection::Postgres(postgres) => row.for_key_share().first(postgres).optional(),
        // SQLite's write transaction locks the whole file.
        AnyConnection::Sqlite(_) => row.first(connection).optional(),
    }
}

/// The users whose address matches one of the spellings, best match first.
pub fn list_by_spelling(connection: &mut AnyConnection, email: &Spellings) -> QueryResult<Vec<UserRow>> {
    let matching = users::table.filter(is_one_of(users::email_canonical, email.all()));
    let mut rows: Vec<UserRow> = matching.select(UserRow::as_select()).load(connection)?;
    rows.sort_by_key(|user| email.rank(&user.email_canonical));
    Ok(rows)
}

/// The user whose address matches one of the spellings; the best match of several.
pub fn find_by_spelling(connection: &mut AnyConnection, email: &Spellings) -> QueryResult<Option<UserRow>> {
    Ok(list_by_spelling(connection, email)?.into_iter().next())
}

/// As [`find_by_spelling`], of the users other than `user`: whoever is found has the address, so `user` cannot get it.
pub fn find_other_by_spelling(
    connection: &mut AnyConnection,
    email: &Spellings,
    user: UserId,
) -> QueryResult<Option<UserRow>> {
    Ok(list_by_spelling(connection, email)?.into_iter().find(|other| other.id != user))
}

/// Records that a user's address is confirmed. Returns `false` if it was confirmed already: the first time is kept.
pub fn confirm_email(connection: &mut AnyConnection, id: UserId, at: DateTime<Utc>) -> QueryResult<bool> {
    diesel::update(users::table.find(id.0).filter(users::email_verified_at.is_null()))
        .set(users::email_verified_at.eq(Some(At(at))))
        .execute(connection)
        .map(|rows| rows == 1)
}

/// Changes a user's address to one that is confirmed.
///
/// # Errors
/// A unique violation if another user has it, in any spelling.
pub fn update_email(connection: &mut AnyConnection, id: UserId, email: &Name, at: DateTime<Utc>) -> QueryResult<()> {
    if find_other_by_spelling(connection, &Spellings::of_email(&email.shown), id)?.is_some() {
        let information = Box::new("another row has a former spelling of the address".to_owned());
        return Err(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, information));
    }
    diesel::update(users::table.find(id.0))
        .set((
            users::email.eq(&email.shown),
            users::email_canonical.eq(&email.canonical),
            users::email_verified_at.eq(Some(At(at))),
        ))
        .execute(connection)
        .map(|_| ())
}
