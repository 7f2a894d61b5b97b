//! Brings the names of all rows into their current canonical form.
//!
//! No account is lost: a row whose name breaks the rules, or would become equal to another row's, keeps it, and a sign-in finds
//! it as before. The log reports each such row by its id only, because names are personal data.

use super::any::AnyConnection;
use super::schema::{mail_outbox, one_time_tokens, pending_registrations, users};
use super::types::At;
use super::users::{find_by_spelling, find_other_by_spelling};
use crate::names::{MigratedNames, Name, Spellings, is_same_mailbox, migrated};
use auth_types::UserId;
use diesel::prelude::*;

/// Rows that are read at once.
const PAGE: i64 = 1_000;

/// The names of a row.
#[derive(Debug, Queryable)]
struct Named {
    id: i64,
    email: String,
    email_canonical: String,
    username: Option<String>,
    username_canonical: Option<String>,
    display_name: String,
}

impl Named {
    /// Whether all names consist of characters that no rule changes, as in nearly every row.
    fn is_plain(&self) -> bool {
        let is_plain = |text: &str| text.is_ascii() && text.trim() == text;
        is_plain(&self.email) && is_plain(&self.display_name) && self.username.as_deref().is_none_or(is_plain)
    }

    fn email(&self) -> Name {
        Name { shown: self.email.clone(), canonical: self.email_canonical.clone() }
    }

    fn username(&self) -> Option<Name> {
        Some(Name { shown: self.username.clone()?, canonical: self.username_canonical.clone()? })
    }

    fn migrated(&self) -> MigratedNames {
        migrated(&self.email, self.username.as_deref(), &self.display_name)
    }
}

/// Migrates the names of all users and pending registrations, and the recipients of waiting mails. Must run inside a transaction.
pub fn migrate_all(connection: &mut AnyConnection) -> QueryResult<()> {
    let mut after = 0;
    while let Some(last) = migrate_users(connection, after)? {
        after = last;
    }
    after = 0;
    while let Some(last) = migrate_pending_registrations(connection, after)? {
        after = last;
    }
    after = 0;
    while let Some(last) = migrate_recipients(connection, after)? {
        after = last;
    }
    Ok(())
}

fn migrate_users(connection: &mut AnyConnection, after: i64) -> QueryResult<Option<i64>> {
    let page: Vec<Named> = users::table
        .filter(users::id.gt(after))
        .filter(users::deleted_at.is_null())
        .order(users::id)
        .limit(PAGE)
        .select((
            users::id,
            users::email,
            users::email_canonical,
            users::username,
            users::username_canonical,
            users::display_name,
        ))
        .load(connection)?;
    for user in page.iter().filter(|user| !user.is_plain()) {
        let names = user.migrated();
        migrate_email(connection, user, names.email)?;
        migrate_username(connection, user, names.username)?;
        let row = diesel::update(users::table.find(user.id));
        row.set(users::display_name.eq(names.display_name)).execute(connection)?;
    }
    Ok(page.last().map(|user| user.id))
}

fn migrate_email(connection: &mut AnyConnection, user: &Named, email: Option<Name>) -> QueryResult<()> {
    let Some(Name { shown, canonical }) = email else {
        report(user.id, "the address does not fit the rules");
        return Ok(());
    };
    // Also compared with the former spellings: a row that has one of them would be found before this one.
    let spellings = Spellings::of_email(&shown);
    if let Some(other) = find_other_by_spelling(connection, &spellings, UserId(user.id))? {
        report(user.id, &format!("the address would be that of user {}", other.id));
        return Ok(());
    }
    let row = diesel::update(users::table.find(user.id));
    row.set((users::email.eq(&shown), users::email_canonical.eq(&canonical))).execute(connection)?;
    if !is_same_mailbox(&user.email, &shown) {
        // Reading mail at the former spelling proves nothing about this one, so the address counts as unconfirmed again.
        let row = diesel::update(users::table.find(user.id));
        return row.set(users::email_verified_at.eq(None::<At>)).execute(connection).map(|_| ());
    }
    // A mailed link is stored with the address that it was sent to.
    let links = one_time_tokens::table
        .filter(one_time_tokens::user_id.eq(user.id))
        .filter(one_time_tokens::email.eq(&user.email));
    diesel::update(links).set(one_time_tokens::email.eq(&shown)).execute(connection).map(|_| ())
}

fn migrate_username(connection: &mut AnyConnection, user: &Named, username: Option<Name>) -> QueryResult<()> {
    if user.username.is_none() {
        return Ok(());
    }
    let Some(Name { shown, canonical }) = username else {
        report(user.id, "the username does not fit the rules");
        return Ok(());
    };
    let others =
        users::table.filter(users::username_canonical.assume_not_null().eq(&canonical)).filter(users::id.ne(user.id));
    if let Some(other) = others.select(users::id).first::<i64>(connection).optional()? {
        report(user.id, &format!("the username would be that of user {other}"));
        return Ok(());
    }
    let names = (users::username.eq(Some(shown)), users::username_canonical.eq(Some(canonical)));
    diesel::update(users::table.find(user.id)).set(names).execute(connection).map(|_| ())
}

/// Pending registrations reserve no names, so they cannot collide.
fn migrate_pending_registrations(connection: &mut AnyConnection, after: i64) -> QueryResult<Option<i64>> {
    let page: Vec<Named> = pending_registrations::table
        .filter(pending_registrations::id.gt(after))
        .order(pending_registrations::id)
        .limit(PAGE)
        .select((
            pending_registrations::id,
            pending_registrations::email,
            pending_registrations::email_canonical,
            pending_registrations::username,
            pending_registrations::username_canonical,
            pending_registrations::display_name,
        ))
        .load(connection)?;
    for pending in page.iter().filter(|pending| !pending.is_plain()) {
        let MigratedNames { email, username, display_name } = pending.migrated();
        let email = email.unwrap_or_else(|| pending.email());
        let username = username.or_else(|| pending.username());
        diesel::update(pending_registrations::table.find(pending.id))
            .set((
                pending_registrations::email.eq(email.shown),
                pending_registrations::email_canonical.eq(email.canonical),
                pending_registrations::username.eq(username.as_ref().map(|name| name.shown.as_str())),
                pending_registrations::username_canonical.eq(username.as_ref().map(|name| name.canonical.as_str())),
                pending_registrations::display_name.eq(display_name),
            ))
            .execute(connection)?;
    }
    Ok(page.last().map(|pending| pending.id))
}

/// A mail that was requested with an address alone finds its account, or its pending registration, through that address.
fn migrate_recipients(connection: &mut AnyConnection, after: i64) -> QueryResult<Option<i64>> {
    let page: Vec<(i64, String)> = mail_outbox::table
        .filter(mail_outbox::id.gt(after))
        .filter(mail_outbox::user_id.is_null())
        .order(mail_outbox::id)
        .limit(PAGE)
        .select((mail_outbox::id, mail_outbox::recipient))
        .load(connection)?;
    for (id, recipient) in page.iter().filter(|(_, recipient)| !recipient.is_ascii()) {
        let spellings = Spellings::of_recipient(recipient);
        let user = find_by_spelling(connection, &spellings)?.map(|user| user.email_canonical);
        let Some(canonical) = user.as_deref().or(spellings.canonical()) else { continue };
        diesel::update(mail_outbox::table.find(id)).set(mail_outbox::recipient.eq(canonical)).execute(connection)?;
    }
    Ok(page.last().map(|(id, _)| *id))
}

fn report(user: i64, why: &str) {
    log::warn!(user_id = user; "names.not_folded: user {user} keeps the former name: {why}");
}
