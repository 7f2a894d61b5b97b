//! Pending registrations: sign-ups that become an account when their mailed link is opened.
//!
//! Several may exist for one address. Each link turns its own registration into the account, so that the person who reads the
//! mail decides which password and names the account has, and another person's earlier or later sign-up has no effect.

use super::deletion::{self, Removed};
use super::opened_link::OpenedLink;
use crate::mails::MailKind;
use crate::names::Spellings;
use crate::service::digest::same_digest;
use crate::service::limits::Network;
use crate::service::sessions::new_session::new_session;
use crate::service::{RequestContext, mail};
use crate::store::events::EventKind;
use crate::store::pending_registrations::{self, NewPendingRegistration, PendingRegistrationRow};
use crate::store::sessions::SessionRow;
use crate::store::types::At;
use crate::store::users::{NewUser, TakenName, UserRow};
use crate::store::{AnyConnection, QueryResult, events, mail_outbox, sessions, users};
use auth_types::Role;
use auth_types::responses::VerifyNotice;
use chrono::{DateTime, Duration, Utc};
use std::collections::HashMap;
use std::net::IpAddr;

/// How long a registration can be confirmed: from the sign-up, and from each mail of its link.
pub(in crate::service) const LIFETIME: Duration = Duration::hours(24);
/// Maximum number of registrations without a link for one address; the mail worker gives each a link within seconds. Those
/// with a link are bounded by the mails that an address gets in a day.
const MAX_WITHOUT_LINK: usize = 20;
/// How many registrations without a link a sign-up reads.
const READ_AT_ONCE: i64 = 120;

/// Inserts a registration and its mail, with the same statements whether or not the address has an account. The worker
/// determines the recipient.
pub(in crate::service) fn insert(
    connection: &mut AnyConnection,
    pending: &NewPendingRegistration,
    context: &RequestContext,
) -> QueryResult<()> {
    let email = &pending.user.email_canonical;
    let id = pending_registrations::insert(connection, pending)?;
    let waiting = pending_registrations::list_without_link(connection, email, READ_AT_ONCE)?;
    pending_registrations::delete_without_link(connection, &surplus(waiting))?;
    let to = mail::recipient(connection, &Spellings::of_email(&pending.user.email))?;
    let mut link = mail::to_address(MailKind::ConfirmRegistration, &to, context);
    link.pending_registration = Some(id);
    mail_outbox::insert(connection, &link)
}

/// Returns the surplus of the registrations that wait for a link, which are sorted newest first. Each network keeps its newest
/// before any keeps a second one, so a flood from a few networks does not displace another user's.
fn surplus(waiting: Vec<(i64, Option<String>)>) -> Vec<i64> {
    let mut seen = HashMap::<Option<Network>, usize>::new();
    let rank = |(id, address): (i64, Option<String>)| {
        let network = address.and_then(|address| address.parse::<IpAddr>().ok()).map(Network::from);
        let rank = seen.entry(network).or_default();
        *rank += 1;
        (*rank, id)
    };
    let mut ranked: Vec<_> = waiting.into_iter().map(rank).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().skip(MAX_WITHOUT_LINK).map(|(_, id)| id).collect()
}

/// Mails the link of a registration again. `None` mails nothing, with the same statement.
pub(in crate::service) fn mail_again(
    connection: &mut AnyConnection,
    pending: Option<i64>,
    context: &RequestContext,
) -> QueryResult<()> {
    // The address comes from the registration's row.
    let link = mail::to_address(MailKind::ConfirmRegistration, "", context);
    mail_outbox::insert_if_pending(connection, pending, &link)
}

/// Whether a confirmed registration replaces this account: its address was never confirmed, and it was never signed in to. A
/// release without pending registrations created such accounts if confirmation was mandatory, for anyone who typed the address.
pub(in crate::service) fn is_replaceable(user: &UserRow) -> bool {
    user.is_active && user.role == Role::User && user.email_verified_at.is_none() && user.last_login_at.is_none()
}

/// A pending registration that became an account.
#[derive(Debug)]
pub(in crate::service) struct ConfirmedRegistration {
    pub user: UserRow,
    /// The first session, for the browser that signed up.
    pub session: Option<SessionRow>,
    pub notice: Option<VerifyNotice>,
    /// The accounts that were replaced.
    pub removed: Vec<Removed>,
}

/// Turns the link's registration into the account and deletes the others of its address. `None` if the link is not valid
/// or the address has an account by now.
pub(in crate::service) fn confirm(
    connection: &mut AnyConnection,
    link: &OpenedLink<'_>,
) -> QueryResult<Option<ConfirmedRegistration>> {
    let Some(found) = pending_registrations::find_by_link(connection, link.hash, link.context.checked_at())? else {
        return Ok(None);
    };
    // Lock the user's row first and then the registrations, as everything that changes both does.
    let accounts = lock_accounts(connection, &found.email)?;
    pending_registrations::lock_all(connection, &found.email_canonical)?;
    let Some(pending) = pending_registrations::find_by_link(connection, link.hash, link.context.checked_at())? else {
        return Ok(None);
    };
    if !accounts.iter().all(is_replaceable) {
        return Ok(None);
    }
    let removed = accounts.iter().map(|account| deletion::remove(connection, link.schema, account, link.context));
    let removed = removed.collect::<QueryResult<_>>()?;
    let signs_in = link.browser_secret_hash.is_some_and(|hash| {
        same_digest(hash, &pending.browser_secret_hash) // of the browser that signed up
    });
    let Some((user, notice)) = insert_account(connection, &pending, link.context.at, signs_in)? else {
        return Ok(None);
    };
    pending_registrations::delete_all(connection, &pending.email_canonical)?;
    events::insert(connection, &link.context.event(user.id, EventKind::Registered))?;
    events::insert(connection, &link.context.event(user.id, EventKind::EmailVerified))?;
    let session = if signs_in { Some(open_session(connection, link, &user)?) } else { None };
    Ok(Some(ConfirmedRegistration { user, session, notice, removed }))
}

/// Deletes the link's registration and returns whether there was one.
pub(in crate::service) fn reject(connection: &mut AnyConnection, link: &OpenedLink<'_>) -> QueryResult<bool> {
    let Some(found) = pending_registrations::find_by_link(connection, link.hash, link.context.checked_at())? else {
        return Ok(false);
    };
    pending_registrations::delete(connection, found.id)
}

/// Inserts the account, without the username if it was taken after the sign-up. `None` if the address is taken.
fn insert_account(
    connection: &mut AnyConnection,
    pending: &PendingRegistrationRow,
    at: DateTime<Utc>,
    signs_in: bool,
) -> QueryResult<Option<(UserRow, Option<VerifyNotice>)>> {
    let named = NewUser {
        email: pending.email.clone(),
        email_canonical: pending.email_canonical.clone(),
        username: pending.username.clone(),
        username_canonical: pending.username_canonical.clone(),
        password_hash: pending.password_hash.clone(),
        display_name: pending.display_name.clone(),
        role: Role::User.as_str(),
        email_verified_at: Some(At(at)),
        created_at: At(at),
        last_login_at: signs_in.then_some(At(at)),
    };
    match users::insert(connection, &named)? {
        Ok(user) => return Ok(Some((user, None))),
        Err(TakenName::Email) => return Ok(None),
        Err(TakenName::Username) => {}
    }
    let nameless = NewUser { username: None, username_canonical: None, ..named };
    let user = users::insert(connection, &nameless)?.ok();
    Ok(user.map(|user| (user, Some(VerifyNotice::UsernameTaken))))
}

fn open_session(connection: &mut AnyConnection, link: &OpenedLink<'_>, user: &UserRow) -> QueryResult<SessionRow> {
    link.context.remember_network(connection, user.id)?;
    sessions::insert(connection, new_session(user.id, link.lifetimes, link.context))
}

/// Locks the accounts that have this address, best match first: more than one only if a row of an earlier release has kept a
/// former spelling of it.
fn lock_accounts(connection: &mut AnyConnection, email: &str) -> QueryResult<Vec<UserRow>> {
    let email = Spellings::of_email(email);
    let mut ids: Vec<_> = users::list_by_spelling(connection, &email)?.iter().map(|user| user.id).collect();
    ids.sort_unstable();
    for id in ids {
        users::lock_credentials(connection, id)?;
    }
    users::list_by_spelling(connection, &email)
}
