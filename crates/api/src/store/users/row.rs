//! The rows of `users`.

use crate::store::any::MultiBackend;
use crate::store::schema::users;
use crate::store::types::Stored;
use auth_types::{Role, UserId};
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// A row of `users` without the password hash (see [`find_credentials`](super::find_credentials)).
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct UserRow {
    #[diesel(deserialize_as = Stored<UserId>)]
    pub id: UserId,
    pub email: String,
    pub email_canonical: String,
    pub username: Option<String>,
    pub display_name: String,
    #[diesel(deserialize_as = Stored<Role>)]
    pub role: Role,
    pub is_active: bool,
    pub email_verified_at: Option<DateTime<Utc>>,
    pub avatar_key: Option<String>,
    pub created_at: DateTime<Utc>,
    pub last_login_at: Option<DateTime<Utc>>,
}

/// The columns of a [`UserRow`], for a statement that returns it.
pub(super) fn columns() -> <UserRow as Selectable<MultiBackend>>::SelectExpression {
    <UserRow as Selectable<MultiBackend>>::construct_selection()
}
