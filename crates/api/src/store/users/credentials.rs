//! What a sign-in is checked against, and what it changes.

use super::emails::confirm_email;
use super::row::{UserRow, columns};
use crate::names::Spellings;
use crate::store::any::AnyConnection;
use crate::store::prepared::{is_one_of, update};
use crate::store::schema::{known_networks, users};
use crate::store::types::At;
use auth_types::UserId;
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// What a sign-in is checked against.
#[derive(Clone, Queryable)]
pub struct UserCredentials {
    pub id: UserId,
    pub password_hash: String,
    pub is_active: bool,
    pub email_verified_at: Option<DateTime<Utc>>,
}

impl std::fmt::Debug for UserCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserCredentials").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The credentials of the user with this address or username, and when `network` was last used to sign in to the account.
/// An address takes precedence over a username of the same form. Always one statement: a different number of statements
/// would reveal whether there is an account.
pub fn find_credentials(
    connection: &mut AnyConnection,
    email: &Spellings,
    username: &Spellings,
    network: &str,
) -> QueryResult<Option<(UserCredentials, Option<DateTime<Utc>>)>> {
    type NamedCredentials = ((String, Option<String>), UserCredentials, Option<DateTime<Utc>>);
    let by_email = is_one_of(users::email_canonical, email.all());
    let by_username = is_one_of(users::username_canonical, username.all());
    let here = known_networks::user_id.eq(users::id).and(known_networks::network.eq(network));
    let rows: Vec<NamedCredentials> = users::table
        .left_join(known_networks::table.on(here))
        .filter(by_email.or(by_username))
        .select((
            (users::email_canonical, users::username_canonical),
            (users::id, users::password_hash, users::is_active, users::email_verified_at),
            known_networks::seen_at.nullable(),
        ))
        .load(connection)?;
    let rank = |((of_email, of_username), ..): &NamedCredentials| {
        (email.rank(of_email), of_username.as_ref().map_or(usize::MAX, |name| username.rank(name)))
    };
    let best = rows.into_iter().min_by_key(rank);
    Ok(best.map(|(_, credentials, seen_at)| (credentials, seen_at)))
}

/// Reads the credentials again inside a transaction and locks them until its end, so that a sign-in cannot slip past a
/// change of the password.
pub fn lock_credentials(connection: &mut AnyConnection, id: UserId) -> QueryResult<Option<UserCredentials>> {
    type CredentialColumns = (i64, String, bool, Option<DateTime<Utc>>);
    let columns = (users::id, users::password_hash, users::is_active, users::email_verified_at);
    let row = users::table.find(id.0).select(columns);
    match connection {
        // The key stays unlocked. Otherwise an insert that refers to this user would wait, while holding locks that this
        // transaction waits for.
        AnyConnection::Postgres(postgres) => {
            row.for_no_key_update().first::<CredentialColumns>(postgres).optional().map(|row| {
                let (id, password_hash, is_active, email_verified_at) = row?;
                Some(UserCredentials { id: UserId(id), password_hash, is_active, email_verified_at })
            })
        }
        // SQLite's write transaction locks the whole file.
        AnyConnection::Sqlite(_) => row.first(connection).optional(),
    }
}

/// The hash that a signed-in user's password is compared with when it is asked for again.
pub fn find_password_hash(connection: &mut AnyConnection, id: UserId) -> QueryResult<Option<String>> {
    users::table.find(id.0).select(users::password_hash).first(connection).optional()
}

/// Changes a user's password. With `confirmed_at` the address counts as confirmed too, since that time at the latest.
pub fn update_password(
    connection: &mut AnyConnection,
    id: UserId,
    password_hash: &str,
    confirmed_at: Option<DateTime<Utc>>,
) -> QueryResult<UserRow> {
    if let Some(at) = confirmed_at {
        confirm_email(connection, id, at)?;
    }
    diesel::update(users::table.find(id.0))
        .set(users::password_hash.eq(password_hash))
        .returning(columns())
        .get_result(connection)
}

/// Records a sign-in, and the password's new encoding if the old one was out of date.
pub fn update_login(
    connection: &mut AnyConnection,
    id: UserId,
    at: DateTime<Utc>,
    password_hash: Option<&str>,
) -> QueryResult<UserRow> {
    let user = users::table.find(id.0);
    let signed_in = users::last_login_at.eq(Some(At(at)));
    match password_hash {
        Some(hash) => {
            let changes = (signed_in, users::password_hash.eq(hash));
            update(user, changes).returning(columns()).get_result(connection)
        }
        None => update(user, signed_in).returning(columns()).get_result(connection),
    }
}
