//! The rows of `users`.

use crate::store::any::MultiBackend;
use crate::store::schema::users;
use crate::store::types::Stored;
use auth_types::{Role, UserId};
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// Declares [`UserRow`], a row of `users` without the password hash (see [`find_credentials`](super::find_credentials)), and, from the same list of
/// fields, the columns that a statement about another table returns of it.
macro_rules! user_row {
    (($d:tt) $($(#[$attribute:meta])? $field:ident: $type:ty = $kind:ident),+ $(,)?) => {
        #[derive(Debug, Clone, Queryable, Selectable)]
        #[diesel(table_name = users)]
        pub struct UserRow {
            $($(#[$attribute])? pub $field: $type),+
        }

        /// The columns of a [`UserRow`] as subqueries, because SQLite returns columns of the updated table only. `owner` selects the
        /// user; `id` is the column of the updated table that holds the user's id.
        macro_rules! owner_columns {
            ($d owner:expr, $d id:expr) => { ($($crate::store::users::owner_column!($d owner, $d id, $field, $kind)),+) };
        }
        pub(in crate::store) use owner_columns;
    };
}

macro_rules! owner_column {
    ($owner:expr, $id:expr, $field:ident, key) => {
        $id
    };
    ($owner:expr, $id:expr, $field:ident, given) => {
        $owner.select(users::$field).single_value().assume_not_null()
    };
    ($owner:expr, $id:expr, $field:ident, nullable) => {
        $owner.select(users::$field).single_value()
    };
}
pub(in crate::store) use owner_column;

user_row! {
    ($)
    #[diesel(deserialize_as = Stored<UserId>)]
    id: UserId = key,
    email: String = given,
    email_canonical: String = given,
    username: Option<String> = nullable,
    display_name: String = given,
    #[diesel(deserialize_as = Stored<Role>)]
    role: Role = given,
    is_active: bool = given,
    email_verified_at: Option<DateTime<Utc>> = nullable,
    avatar_key: Option<String> = nullable,
    created_at: DateTime<Utc> = given,
    last_login_at: Option<DateTime<Utc>> = nullable,
}

/// The columns of a [`UserRow`], for a statement that returns it.
pub(super) fn columns() -> <UserRow as Selectable<MultiBackend>>::SelectExpression {
    <UserRow as Selectable<MultiBackend>>::construct_selection()
}
