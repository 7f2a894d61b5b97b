//! Table `pending_registrations`: sign-ups whose address is not confirmed yet.
//!
//! A row is not an account. It reserves no name, and an address may have several; the mailed link turns one of them into the
//! account, and the others are deleted.

use super::any::AnyConnection;
use super::schema::pending_registrations;
use super::types::At;
use super::users::NewUser;
use crate::clock::CheckedTime;
use auth_types::export::ExportedRegistration;
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// A sign-up to insert: the future account, and the data of the sign-up itself.
#[derive(Debug)]
pub struct NewPendingRegistration {
    pub user: NewUser,
    pub language: Option<String>,
    /// SHA-256 of the browser secret.
    pub browser_secret_hash: Vec<u8>,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub expires_at: DateTime<Utc>,
}

/// A pending registration.
#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = pending_registrations)]
pub struct PendingRegistrationRow {
    pub id: i64,
    /// The address as typed.
    pub email: String,
    pub email_canonical: String,
    pub username: Option<String>,
    pub username_canonical: Option<String>,
    pub password_hash: String,
    pub display_name: String,
    #[diesel(column_name = registration_hash)]
    pub browser_secret_hash: Vec<u8>,
}

impl std::fmt::Debug for PendingRegistrationRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PendingRegistrationRow").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Inserts a pending registration and returns its id.
pub fn insert(connection: &mut AnyConnection, registration: &NewPendingRegistration) -> QueryResult<i64> {
    let user = &registration.user;
    diesel::insert_into(pending_registrations::table)
        .values((
            pending_registrations::email.eq(&user.email),
            pending_registrations::email_canonical.eq(&user.email_canonical),
            pending_registrations::username.eq(user.username.as_deref()),
            pending_registrations::username_canonical.eq(user.username_canonical.as_deref()),
            pending_registrations::password_hash.eq(&user.password_hash),
            pending_registrations::display_name.eq(&user.display_name),
            pending_registrations::language.eq(registration.language.as_deref()),
            pending_registrations::registration_hash.eq(&registration.browser_secret_hash),
            pending_registrations::ip_address.eq(registration.ip_address.as_deref()),
            pending_registrations::user_agent.eq(registration.user_agent.as_deref()),
            pending_registrations::created_at.eq(user.created_at),
            pending_registrations::expires_at.eq(At(registration.expires_at)),
        ))
        .returning(pending_registrations::id)
        .get_result(connection)
}

/// The ids of the newest `limit` registrations of an address that have no link yet, newest first, each with the IP address that
/// it came from.
pub fn list_without_link(
    connection: &mut AnyConnection,
    email_canonical: &str,
    limit: i64,
) -> QueryResult<Vec<(i64, Option<String>)>> {
    pending_registrations::table
        .filter(pending_registrations::email_canonical.eq(email_canonical))
        .filter(pending_registrations::link_hash.is_null())
        .order(pending_registrations::id.desc())
        .select((pending_registrations::id, pending_registrations::ip_address))
        .limit(limit)
        .load(connection)
}

/// Deletes the given registrations unless they have a link: no one else can invalidate the link in an owner's mailbox.
pub fn delete_without_link(connection: &mut AnyConnection, ids: &[i64]) -> QueryResult<()> {
    let surplus = pending_registrations::table
        .filter(pending_registrations::id.eq_any(ids))
        .filter(pending_registrations::link_hash.is_null());
    diesel::delete(surplus).execute(connection).map(|_| ())
}

/// The password hash that a sign-in is compared with when the address has no account: that of the newest registration from
/// `ip_address`, otherwise of the newest. So another person's later sign-up does not block the owner's.
pub fn find_password_hash(
    connection: &mut AnyConnection,
    email_canonical: &str,
    ip_address: &str,
    now: DateTime<Utc>,
) -> QueryResult<Option<(i64, String)>> {
    pending_registrations::table
        .filter(pending_registrations::email_canonical.eq(email_canonical))
        .filter(pending_registrations::expires_at.gt(At(now)))
        .order((
            // PostgreSQL sorts NULL first when the order is reversed.
            pending_registrations::ip_address.is_not_null().desc(),
            pending_registrations::ip_address.assume_not_null().eq(ip_address).desc(),
            pending_registrations::id.desc(),
        ))
        .select((pending_registrations::id, pending_registrations::password_hash))
        .first(connection)
        .optional()
}

/// The id of the registration of `email_canonical` with this browser secret.
pub fn find_of_browser(
    connection: &mut AnyConnection,
    email_canonical: &str,
    browser_secret_hash: &[u8],
) -> QueryResult<Option<i64>> {
    pending_registrations::table
        .filter(pending_registrations::email_canonical.eq(email_canonical))
        .filter(pending_registrations::registration_hash.eq(browser_secret_hash))
        .select(pending_registrations::id)
        .first(connection)
        .optional()
}

/// The hash of the token in a registration's link; `None` until a link is mailed.
pub fn find_link(connection: &mut AnyConnection, id: i64) -> QueryResult<Option<Vec<u8>>> {
    let link = pending_registrations::table.find(id).select(pending_registrations::link_hash);
    Ok(link.first(connection).optional()?.flatten())
}

/// The registration with this id, if it has not expired.
pub fn find(
    connection: &mut AnyConnection,
    id: i64,
    now: DateTime<Utc>,
) -> QueryResult<Option<PendingRegistrationRow>> {
    let live = pending_registrations::table.find(id).filter(pending_registrations::expires_at.gt(At(now)));
    live.select(PendingRegistrationRow::as_select()).first(connection).optional()
}

/// The newest registration of an address that has not expired.
pub fn find_newest(
    connection: &mut AnyConnection,
    email_canonical: &str,
    now: DateTime<Utc>,
) -> QueryResult<Option<PendingRegistrationRow>> {
    pending_registrations::table
        .filter(pending_registrations::email_canonical.eq(email_canonical))
        .filter(pending_registrations::expires_at.gt(At(now)))
        .order(pending_registrations::id.desc())
        .select(PendingRegistrationRow::as_select())
        .first(connection)
        .optional()
}

/// The subset of `addresses`, in canonical form, that have a registration.
pub fn list_addresses(connection: &mut AnyConnection, addresses: &[&str]) -> QueryResult<Vec<String>> {
    pending_registrations::table
        .filter(pending_registrations::email_canonical.eq_any(addresses))
        .select(pending_registrations::email_canonical)
        .distinct()
        .load(connection)
}

/// The registration that a link belongs to, if it has not expired.
pub fn find_by_link(
    connection: &mut AnyConnection,
    link_hash: &[u8],
    now: CheckedTime,
) -> QueryResult<Option<PendingRegistrationRow>> {
    pending_registrations::table
        .filter(pending_registrations::link_hash.assume_not_null().eq(link_hash))
        .filter(pending_registrations::expires_at.gt(At(now.get())))
        .select(PendingRegistrationRow::as_select())
        .first(connection)
        .optional()
}

/// Locks the registrations of an address until the end of the transaction.
pub fn lock_all(connection: &mut AnyConnection, email_canonical: &str) -> QueryResult<()> {
    let rows = pending_registrations::table
        .filter(pending_registrations::email_canonical.eq(email_canonical))
        .order(pending_registrations::id)
        .select(pending_registrations::id);
    match connection {
        AnyConnection::Postgres(postgres) => rows.for_update().load::<i64>(postgres).map(|_| ()),
        // SQLite's write transaction locks the whole file.
        AnyConnection::Sqlite(_) => Ok(()),
    }
}

/// Sets or replaces a registration's link, and with it the registration's lifetime. Returns `false` if the registration no longer
/// exists.
pub fn set_link(
    connection: &mut AnyConnection,
    id: i64,
    link_hash: &[u8],
    expires_at: DateTime<Utc>,
) -> QueryResult<bool> {
    let link =
        (pending_registrations::link_hash.eq(Some(link_hash)), pending_registrations::expires_at.eq(At(expires_at)));
    diesel::update(pending_registrations::table.find(id)).set(link).execute(connection).map(|rows| rows == 1)
}

/// Deletes a registration. Returns `false` if it did not exist.
pub fn delete(connection: &mut AnyConnection, id: i64) -> QueryResult<bool> {
    diesel::delete(pending_registrations::table.find(id)).execute(connection).map(|rows| rows == 1)
}

/// Deletes all registrations of an address.
pub fn delete_all(connection: &mut AnyConnection, email_canonical: &str) -> QueryResult<()> {
    let of_address = pending_registrations::table.filter(pending_registrations::email_canonical.eq(email_canonical));
    diesel::delete(of_address).execute(connection).map(|_| ())
}

/// At most `limit` registrations of an address after the id `after`, each with its id and without its secrets.
pub fn export(
    connection: &mut AnyConnection,
    email_canonical: &str,
    after: i64,
    limit: i64,
) -> QueryResult<Vec<(i64, ExportedRegistration)>> {
    type NameColumns = (String, Option<String>, String, Option<String>);
    type RegistrationColumns = (i64, NameColumns, (Option<String>, Option<String>), (DateTime<Utc>, DateTime<Utc>));
    let rows: Vec<RegistrationColumns> = pending_registrations::table
        .filter(pending_registrations::email_canonical.eq(email_canonical))
        .filter(pending_registrations::id.gt(after))
        .order(pending_registrations::id)
        .limit(limit)
        .select((
            pending_registrations::id,
            (
                pending_registrations::email,
                pending_registrations::username,
                pending_registrations::display_name,
                pending_registrations::language,
            ),
            (pending_registrations::ip_address, pending_registrations::user_agent),
            (pending_registrations::created_at, pending_registrations::expires_at),
        ))
        .load(connection)?;
    let registration =
        |(id, (email, username, display_name, language), (ip_address, user_agent), times): RegistrationColumns| {
            let (created_at, expires_at) = times;
            let names = ExportedRegistration {
                email,
                username,
                display_name,
                language,
                ip_address,
                user_agent,
                created_at,
                expires_at,
            };
            (id, names)
        };
    Ok(rows.into_iter().map(registration).collect())
}

/// Deletes at most `batch` registrations that expired before `before`, and returns how many were deleted.
pub fn delete_expired(connection: &mut AnyConnection, before: DateTime<Utc>, batch: i64) -> QueryResult<usize> {
    let expired = diesel::alias!(pending_registrations as expired);
    let ids = expired
        .filter(expired.field(pending_registrations::expires_at).lt(At(before)))
        .select(expired.field(pending_registrations::id))
        .limit(batch);
    diesel::delete(pending_registrations::table.filter(pending_registrations::id.eq_any(ids))).execute(connection)
}

/// Deletes at most `batch` registrations beyond the newest `keep` of all addresses, and returns how many were deleted.
pub fn delete_oldest(connection: &mut AnyConnection, keep: i64, batch: i64) -> QueryResult<usize> {
    let oldest = diesel::alias!(pending_registrations as oldest);
    let ids = oldest
        .order(oldest.field(pending_registrations::id).desc())
        .select(oldest.field(pending_registrations::id))
        .limit(batch)
        .offset(keep);
    diesel::delete(pending_registrations::table.filter(pending_registrations::id.eq_any(ids))).execute(connection)
}
