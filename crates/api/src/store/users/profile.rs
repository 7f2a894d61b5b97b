//! What users change about themselves.

use super::row::{UserRow, columns};
use crate::store::any::AnyConnection;
use crate::store::schema::users;
use auth_types::UserId;
use diesel::prelude::*;

/// A user's change of their own profile; `None` leaves a column as it is.
#[derive(Debug, Clone, Default, AsChangeset)]
#[diesel(table_name = users)]
pub struct ProfileChange {
    pub display_name: Option<String>,
    pub username: Option<Option<String>>,
    pub username_canonical: Option<Option<String>>,
}

impl ProfileChange {
    /// Whether `user` has these values already.
    pub fn changes_nothing(&self, user: &UserRow) -> bool {
        self.display_name.as_ref().is_none_or(|name| *name == user.display_name)
            && self.username.as_ref().is_none_or(|name| *name == user.username)
    }
}

/// Changes the profile of an active user and returns the updated row. At least one field of `profile` must be set.
///
/// # Errors
/// A unique violation if the username is taken.
pub fn update_profile(
    connection: &mut AnyConnection,
    id: UserId,
    profile: &ProfileChange,
) -> QueryResult<Option<UserRow>> {
    let active = users::table.find(id.0).filter(users::is_active);
    diesel::update(active).set(profile).returning(columns()).get_result(connection).optional()
}

/// The key of some user's picture.
pub fn any_avatar(connection: &mut AnyConnection) -> QueryResult<Option<String>> {
    let rows = users::table.filter(users::avatar_key.is_not_null());
    rows.select(users::avatar_key.assume_not_null()).first(connection).optional()
}

/// Sets or removes a user's picture, and returns the key of the previous one. Of two concurrent calls, the second gets the
/// key that the first has set.
pub fn replace_avatar(connection: &mut AnyConnection, id: UserId, key: Option<&str>) -> QueryResult<Option<String>> {
    let row = users::table.find(id.0).select(users::avatar_key);
    let before: Option<Option<String>> = match connection {
        AnyConnection::Postgres(postgres) => row.for_no_key_update().first(postgres).optional()?,
        // SQLite's write transaction locks the whole file.
        AnyConnection::Sqlite(_) => row.first(connection).optional()?,
    };
    diesel::update(users::table.find(id.0)).set(users::avatar_key.eq(key)).execute(connection)?;
    Ok(before.flatten())
}
