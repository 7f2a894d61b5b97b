//! Erasing a user in two steps: the personal data at once, the row after its retention period.

use crate::store::any::AnyConnection;
use crate::store::schema::users;
use crate::store::types::At;
use auth_types::{Role, UserId};
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// Clears all personal data from a user's row, including the names, which others can take at once. [`delete_erased`] deletes
/// the row later.
pub fn erase(connection: &mut AnyConnection, id: UserId, at: DateTime<Utc>) -> QueryResult<()> {
    // Unique, and not a valid address, so it takes no address from anyone.
    let placeholder = format!("deleted:{id}");
    diesel::update(users::table.find(id.0))
        .set((
            (users::email.eq(""), users::email_canonical.eq(placeholder), users::email_verified_at.eq(None::<At>)),
            (users::username.eq(None::<String>), users::username_canonical.eq(None::<String>)),
            (users::display_name.eq(""), users::avatar_key.eq(None::<String>), users::password_hash.eq("")),
            (users::role.eq(Role::User.as_str()), users::is_active.eq(false), users::last_login_at.eq(None::<At>)),
            users::deleted_at.eq(Some(At(at))),
        ))
        .execute(connection)
        .map(|_| ())
}

/// Deletes at most `batch` users who were erased before `before`, with all rows that refer to them, and returns how many users
/// were deleted.
pub fn delete_erased(connection: &mut AnyConnection, before: DateTime<Utc>, batch: i64) -> QueryResult<usize> {
    let erased = diesel::alias!(users as erased);
    let ids = erased
        .filter(erased.field(users::deleted_at).assume_not_null().lt(At(before)))
        .select(erased.field(users::id))
        .limit(batch);
    diesel::delete(users::table.filter(users::id.eq_any(ids))).execute(connection)
}
