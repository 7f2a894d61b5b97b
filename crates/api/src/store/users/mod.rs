//! Table `users`.

mod credentials;
mod emails;
mod erasure;
mod profile;
mod row;

pub use credentials::{
    UserCredentials, find_credentials, find_password_hash, lock_credentials, update_login, update_password,
};
pub use emails::{
    Addressee, confirm_email, find_by_spelling, find_other_by_spelling, list_addressees, list_by_spelling,
    lock_address, update_email,
};
pub use erasure::{delete_erased, erase};
pub use profile::{ProfileChange, any_avatar, replace_avatar, update_profile};
pub use row::UserRow;

use super::any::AnyConnection;
use super::prepared::upsert;
use super::schema::users;
use super::types::At;
use crate::names::Spellings;
use auth_types::UserId;
use diesel::prelude::*;

/// A user to insert. Two names are the same if their canonical forms are equal.
#[derive(Clone, Insertable)]
#[diesel(table_name = users, treat_none_as_default_value = false)]
pub struct NewUser {
    pub email: String,
    pub email_canonical: String,
    pub username: Option<String>,
    pub username_canonical: Option<String>,
    pub password_hash: String,
    pub display_name: String,
    pub role: &'static str,
    pub email_verified_at: Option<At>,
    pub created_at: At,
    pub last_login_at: Option<At>,
}

impl std::fmt::Debug for NewUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewUser").field("email", &self.email).finish_non_exhaustive()
    }
}

/// The unique name of a new user that another user already has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakenName {
    Email,
    Username,
}

/// Inserts a user, unless another user has one of the names; the transaction can go on.
pub fn insert(connection: &mut AnyConnection, user: &NewUser) -> QueryResult<Result<UserRow, TakenName>> {
    if let Some(taken) = find_taken(connection, user)? {
        return Ok(Err(taken));
    }
    let insert = diesel::insert_into(users::table).values(user);
    if upsert(insert, "ON CONFLICT DO NOTHING").execute(connection)? == 0 {
        // Taken by another transaction since, and perhaps free again: report the email, which a retry resolves.
        return Ok(Err(find_taken(connection, user)?.unwrap_or(TakenName::Email)));
    }
    let inserted = users::table.filter(users::email_canonical.eq(&user.email_canonical));
    inserted.select(UserRow::as_select()).first(connection).map(Ok)
}

/// Whether a user has this username.
pub fn is_username_taken(connection: &mut AnyConnection, username_canonical: &str) -> QueryResult<bool> {
    let username = users::table.filter(users::username_canonical.eq(username_canonical));
    diesel::select(diesel::dsl::exists(username)).get_result(connection)
}

pub fn find(connection: &mut AnyConnection, id: UserId) -> QueryResult<Option<UserRow>> {
    users::table.find(id.0).select(UserRow::as_select()).first(connection).optional()
}

/// Finds the first of a new user's names that another user already has. An address is taken if a sign-in with it finds a user: a
/// row of an earlier release may have kept a former spelling, which the unique column does not compare.
fn find_taken(connection: &mut AnyConnection, user: &NewUser) -> QueryResult<Option<TakenName>> {
    if find_by_spelling(connection, &Spellings::of_email(&user.email))?.is_some() {
        return Ok(Some(TakenName::Email));
    }
    let Some(username) = &user.username_canonical else { return Ok(None) };
    Ok(is_username_taken(connection, username)?.then_some(TakenName::Username))
}
