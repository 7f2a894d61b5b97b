//! Table `users`.

use super::any::{AnyConnection, MultiBackend};
use super::schema::{known_networks, users};
use super::types::At;
use crate::names::Spellings;
use auth_types::export::ExportedUser;
use auth_types::{Role, UserId};
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// A row of `users` without the password hash, which only [`find_credentials`] hands out; and, of the same list, what a statement
/// about another table returns of it.
macro_rules! user_row {
    (($d:tt) $($field:ident: $type:ty = $kind:ident),+ $(,)?) => {
        #[derive(Debug, Clone, Queryable, Selectable)]
        #[diesel(table_name = users)]
        pub struct UserRow {
            $(pub $field: $type),+
        }

        /// The columns of a [`UserRow`] as subqueries: SQLite returns columns of the updated table only. `owner` is the user, whose
        /// id the updated table has in the column `id`.
        macro_rules! owner_columns {
            ($d owner:expr, $d id:expr) => { ($($crate::store::users::owner_column!($d owner, $d id, $field, $kind)),+) };
        }
        pub(super) use owner_columns;
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
pub(super) use owner_column;

user_row! {
    ($)
    id: UserId = key,
    email: String = given,
    email_canonical: String = given,
    username: Option<String> = nullable,
    display_name: String = given,
    role: Role = given,
    is_active: bool = given,
    email_verified_at: Option<DateTime<Utc>> = nullable,
    avatar_key: Option<String> = nullable,
    created_at: DateTime<Utc> = given,
    last_login_at: Option<DateTime<Utc>> = nullable,
}

/// The columns of a [`UserRow`], for a statement that returns it.
fn columns() -> <UserRow as Selectable<MultiBackend>>::SelectExpression {
    <UserRow as Selectable<MultiBackend>>::construct_selection()
}

/// A user to insert. The canonical forms are what makes two names the same.
#[derive(Clone, Insertable)]
#[diesel(table_name = users)]
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

/// Which unique name of a user another row has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakenName {
    Email,
    Username,
}

/// Inserts a user.
///
/// # Errors
/// A unique violation when the email or the username is taken; [`find_taken`] tells which.
pub fn insert(connection: &mut AnyConnection, user: &NewUser) -> QueryResult<UserRow> {
    diesel::insert_into(users::table).values(user).returning(columns()).get_result(connection)
}

/// Inserts a user unless another one has the address or the username: `None` then, and the transaction goes on.
pub fn insert_if_free(connection: &mut AnyConnection, user: &NewUser) -> QueryResult<Option<UserRow>> {
    let insert = diesel::insert_into(users::table).values(user).on_conflict_do_nothing().returning(users::id);
    let id = match connection {
        AnyConnection::Postgres(postgres) => insert.get_result::<i64>(postgres).optional()?,
        AnyConnection::Sqlite(sqlite) => insert.get_result::<i64>(sqlite).optional()?,
    };
    id.map_or(Ok(None), |id| find(connection, UserId(id)))
}

/// Whether a user has this username.
pub fn is_username_taken(connection: &mut AnyConnection, username_canonical: &str) -> QueryResult<bool> {
    let username = users::table.filter(users::username_canonical.eq(username_canonical));
    diesel::select(diesel::dsl::exists(username)).get_result(connection)
}

/// The user with this id.
pub fn find(connection: &mut AnyConnection, id: UserId) -> QueryResult<Option<UserRow>> {
    users::table.find(id.0).select(UserRow::as_select()).first(connection).optional()
}

/// All of a user's row that is not for the server alone.
pub fn exported(user: UserRow) -> ExportedUser {
    ExportedUser {
        id: user.id,
        email: user.email,
        username: user.username,
        display_name: user.display_name,
        role: user.role,
        is_active: user.is_active,
        email_verified_at: user.email_verified_at,
        avatar_key: user.avatar_key,
        created_at: user.created_at,
        last_login_at: user.last_login_at,
    }
}

/// The user with this address.
pub fn find_by_email(connection: &mut AnyConnection, email_canonical: &str) -> QueryResult<Option<UserRow>> {
    let by_email = users::table.filter(users::email_canonical.eq(email_canonical));
    by_email.select(UserRow::as_select()).first(connection).optional()
}

/// What mail an address may get.
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

/// The user who is meant by an address.
pub fn find_by_spelling(connection: &mut AnyConnection, email: &Spellings) -> QueryResult<Option<UserRow>> {
    let named = users::table.filter(users::email_canonical.eq_any(email.all()));
    let rows = named.select(UserRow::as_select()).load(connection)?;
    Ok(rows.into_iter().min_by_key(|user| email.rank(&user.email_canonical)))
}

/// What a sign-in by either name is checked against, and when it was last done from `network`. An address wins over a
/// username of the same form. One statement, whoever it is: how many there were would tell a stranger who has an account.
pub fn find_credentials(
    connection: &mut AnyConnection,
    email: &Spellings,
    username: &Spellings,
    network: &str,
) -> QueryResult<Option<(UserCredentials, Option<DateTime<Utc>>)>> {
    type NamedCredentials = ((String, Option<String>), UserCredentials, Option<DateTime<Utc>>);
    let by_email = users::email_canonical.eq_any(email.all());
    let by_username = users::username_canonical.assume_not_null().eq_any(username.all());
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
    let meant = rows.into_iter().min_by_key(rank);
    Ok(meant.map(|(_, credentials, seen_at)| (credentials, seen_at)))
}

/// Reads the credentials once more inside a transaction and keeps others from changing them until its end, so that a
/// sign-in cannot slip past a change of the password.
pub fn lock_credentials(connection: &mut AnyConnection, id: UserId) -> QueryResult<Option<UserCredentials>> {
    type CredentialColumns = (i64, String, bool, Option<DateTime<Utc>>);
    let columns = (users::id, users::password_hash, users::is_active, users::email_verified_at);
    let row = users::table.find(id.0).select(columns);
    match connection {
        // Not the key: else inserting a row of this user would wait, with locks of its own that are waited for here.
        AnyConnection::Postgres(postgres) => {
            row.for_no_key_update().first::<CredentialColumns>(postgres).optional().map(|row| {
                let (id, password_hash, is_active, email_verified_at) = row?;
                Some(UserCredentials { id: UserId(id), password_hash, is_active, email_verified_at })
            })
        }
        // SQLite's write transaction holds the whole file.
        AnyConnection::Sqlite(_) => row.first(connection).optional(),
    }
}

/// What a caller's password is compared with when it is asked for again.
pub fn find_password_hash(connection: &mut AnyConnection, id: UserId) -> QueryResult<Option<String>> {
    users::table.find(id.0).select(users::password_hash).first(connection).optional()
}

/// Gives a user another password. With `confirmed_at` the address counts as confirmed, since then at the latest.
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

/// Notes that a user's address was confirmed, and answers whether it was not until now; the first time stays.
pub fn confirm_email(connection: &mut AnyConnection, id: UserId, at: DateTime<Utc>) -> QueryResult<bool> {
    diesel::update(users::table.find(id.0).filter(users::email_verified_at.is_null()))
        .set(users::email_verified_at.eq(Some(At(at))))
        .execute(connection)
        .map(|rows| rows == 1)
}

/// Gives a user another address, which is confirmed.
///
/// # Errors
/// A unique violation when another user has it.
pub fn update_email(
    connection: &mut AnyConnection,
    id: UserId,
    (email, email_canonical): (&str, &str),
    at: DateTime<Utc>,
) -> QueryResult<()> {
    diesel::update(users::table.find(id.0))
        .set((
            users::email.eq(email),
            users::email_canonical.eq(email_canonical),
            users::email_verified_at.eq(Some(At(at))),
        ))
        .execute(connection)
        .map(|_| ())
}

/// Which of a new user's names another user has.
pub fn find_taken(
    connection: &mut AnyConnection,
    email_canonical: &str,
    username_canonical: Option<&str>,
) -> QueryResult<Option<TakenName>> {
    let email = users::table.filter(users::email_canonical.eq(email_canonical));
    if diesel::select(diesel::dsl::exists(email)).get_result(connection)? {
        return Ok(Some(TakenName::Email));
    }
    let Some(username) = username_canonical else { return Ok(None) };
    Ok(is_username_taken(connection, username)?.then_some(TakenName::Username))
}

/// Notes a sign-in, and the password's new encoding when the old one was out of date.
pub fn update_login(
    connection: &mut AnyConnection,
    id: UserId,
    at: DateTime<Utc>,
    password_hash: Option<&str>,
) -> QueryResult<UserRow> {
    diesel::update(users::table.find(id.0))
        .set((users::last_login_at.eq(Some(At(at))), password_hash.map(|hash| users::password_hash.eq(hash))))
        .returning(columns())
        .get_result(connection)
}

/// Takes everything that says who somebody was out of a user's row, and their names with it: both are free at once. The row
/// itself goes later, with [`delete_erased`].
pub fn erase(connection: &mut AnyConnection, id: UserId, at: DateTime<Utc>) -> QueryResult<()> {
    // No address: none can be taken by it.
    let nobody = format!("deleted:{id}");
    diesel::update(users::table.find(id.0))
        .set((
            (users::email.eq(""), users::email_canonical.eq(nobody), users::email_verified_at.eq(None::<At>)),
            (users::username.eq(None::<String>), users::username_canonical.eq(None::<String>)),
            (users::display_name.eq(""), users::avatar_key.eq(None::<String>), users::password_hash.eq("")),
            (users::role.eq(Role::User.as_str()), users::is_active.eq(false), users::last_login_at.eq(None::<At>)),
            users::deleted_at.eq(Some(At(at))),
        ))
        .execute(connection)
        .map(|_| ())
}

/// Deletes at most `batch` users who were erased before `before`, with all that refers to them, and answers how many there
/// were.
pub fn delete_erased(connection: &mut AnyConnection, before: DateTime<Utc>, batch: i64) -> QueryResult<usize> {
    let erased = diesel::alias!(users as erased);
    let over = erased
        .filter(erased.field(users::deleted_at).assume_not_null().lt(At(before)))
        .select(erased.field(users::id))
        .limit(batch);
    diesel::delete(users::table.filter(users::id.eq_any(over))).execute(connection)
}

/// What a user changes about themselves; `None` leaves a column as it is.
#[derive(Debug, Clone, Default, AsChangeset)]
#[diesel(table_name = users)]
pub struct ProfileChange {
    pub display_name: Option<String>,
    pub username: Option<Option<String>>,
    pub username_canonical: Option<Option<String>>,
}

impl ProfileChange {
    /// Whether `user` is like that already.
    pub fn is_that_of(&self, user: &UserRow) -> bool {
        self.display_name.as_ref().is_none_or(|name| *name == user.display_name)
            && self.username.as_ref().is_none_or(|name| *name == user.username)
    }
}

/// Changes what an active user may change about themselves, and answers the row as it is then. `profile` has a change.
///
/// # Errors
/// A unique violation when the username is taken.
pub fn update_profile(
    connection: &mut AnyConnection,
    id: UserId,
    profile: &ProfileChange,
) -> QueryResult<Option<UserRow>> {
    let active = users::table.find(id.0).filter(users::is_active);
    diesel::update(active).set(profile).returning(columns()).get_result(connection).optional()
}

/// Gives a user another picture or none, and answers the one before. Of two at once, one sees the other's.
pub fn replace_avatar(connection: &mut AnyConnection, id: UserId, key: Option<&str>) -> QueryResult<Option<String>> {
    let row = users::table.find(id.0).select(users::avatar_key);
    let before: Option<Option<String>> = match connection {
        AnyConnection::Postgres(postgres) => row.for_no_key_update().first(postgres).optional()?,
        // SQLite's write transaction holds the whole file.
        AnyConnection::Sqlite(_) => row.first(connection).optional()?,
    };
    diesel::update(users::table.find(id.0)).set(users::avatar_key.eq(key)).execute(connection)?;
    Ok(before.flatten())
}
