//! Table `mail_outbox`: mail that has not been sent yet.
//!
//! A worker holds a mail while `due_at` and `attempts` have the values that the worker's lease set. If a worker dies, another one
//! takes over when `due_at` has passed; a worker that was too slow can no longer change the mail.

mod merge;
mod queue;
mod row;

pub use merge::{MergeScope, merge_into};
pub use queue::{
    DueFilter, DueMail, MAX_WAIT, MailWithoutAccount, backlog, count_unacknowledged, defer, delete, delete_by_ids,
    delete_expired_unknown, delete_unattempted_duplicates, lease, list_due, list_expired, list_without_account, lock,
    postpone, release,
};
use row::MailSubject;
pub use row::{MAX_WAITING, MailRow, NewMail};

use super::any::AnyConnection;
use super::owned::KeyRange;
use super::schema::{mail_outbox, pending_registrations};
use super::types::{At, Nullable, Text, Timestamptz};
use crate::mails::MailKind;
use auth_types::UserId;
use auth_types::export::ExportedMail;
use chrono::{DateTime, Duration, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;

/// An id that no pending registration has.
const NO_PENDING_REGISTRATION: i64 = 0;

/// The distance between the turns of one requester's mails: a client may request twenty an hour, and this spreads them evenly.
const TURN: Duration = Duration::minutes(3);

/// Inserts a mail. If too many of the same content already wait for the same address, the oldest are deleted: a newer link would
/// invalidate the older ones anyway, and notices are counted in the new one.
pub fn insert(connection: &mut AnyConnection, mail: &NewMail) -> QueryResult<()> {
    let merged = merge::merge_surplus(connection, mail)?;
    let turn_at = next_turn(connection, mail)?;
    diesel::insert_into(mail_outbox::table)
        .values((
            mail_outbox::kind.eq(mail.kind.as_str()),
            mail_outbox::user_id.eq(mail.user.map(|user| user.0)),
            mail_outbox::recipient.eq(&mail.recipient),
            mail_outbox::ip_address.eq(mail.ip_address.as_deref()),
            mail_outbox::user_agent.eq(mail.user_agent.as_deref()),
            mail_outbox::created_at.eq(At(mail.at)),
            mail_outbox::due_at.eq(At(mail.at)),
            mail_outbox::expires_at.eq(At(mail.expires_at)),
            mail_outbox::registration_id.eq(mail.pending_registration),
            mail_outbox::about.eq(mail.about.as_deref()),
            mail_outbox::requester.eq(mail.requester.as_deref()),
            mail_outbox::turn_at.eq(At(turn_at)),
            mail_outbox::occurrences.eq(1 + merged.occurrences),
            mail_outbox::first_at.eq(merged.first_at.map(At)),
        ))
        .execute(connection)
        .map(|_| ())
}

/// Whether a newer mail of the same content waits for the same recipient. One about another account does not count: anyone may
/// request it, and it does not contain this mail's link.
pub fn has_newer(connection: &mut AnyConnection, mail: &MailRow) -> QueryResult<bool> {
    let newer: Vec<MailSubject> = mail_outbox::table
        .filter(mail_outbox::kind.eq(mail.kind.as_str()))
        .filter(mail_outbox::recipient.eq(&mail.recipient))
        .filter(mail_outbox::id.gt(mail.id))
        .select((mail_outbox::user_id, mail_outbox::registration_id, mail_outbox::about))
        .distinct()
        .load(connection)?;
    Ok(newer.contains(&mail.subject()))
}

/// Inserts `mail` for the address of the pending registration with the id `pending`, if it exists. The statements are the same either
/// way.
pub fn insert_if_pending(connection: &mut AnyConnection, pending: Option<i64>, mail: &NewMail) -> QueryResult<()> {
    let turn_at = next_turn(connection, mail)?;
    let rows = pending_registrations::table
        .filter(pending_registrations::id.eq(pending.unwrap_or(NO_PENDING_REGISTRATION)))
        .filter(pending_registrations::expires_at.gt(At(mail.at)))
        .select((
            mail.kind.as_str().into_sql::<Text>(),
            pending_registrations::email_canonical,
            mail.ip_address.as_deref().into_sql::<Nullable<Text>>(),
            mail.user_agent.as_deref().into_sql::<Nullable<Text>>(),
            At(mail.at).into_sql::<Timestamptz>(),
            At(mail.at).into_sql::<Timestamptz>(),
            At(mail.expires_at).into_sql::<Timestamptz>(),
            pending_registrations::id.nullable(),
            mail.requester.as_deref().into_sql::<Nullable<Text>>(),
            At(turn_at).into_sql::<Timestamptz>(),
        ));
    let columns = (
        mail_outbox::kind,
        mail_outbox::recipient,
        mail_outbox::ip_address,
        mail_outbox::user_agent,
        mail_outbox::created_at,
        mail_outbox::due_at,
        mail_outbox::expires_at,
        mail_outbox::registration_id,
        mail_outbox::requester,
        mail_outbox::turn_at,
    );
    rows.insert_into(mail_outbox::table).into_columns(columns).execute(connection).map(|_| ())
}

/// A mail's turn: now, or some minutes after the requester's last one. So a mail waits for at most one mail of each other
/// requester, however many they have requested. A turn that was set by a clock running ahead is ignored.
fn next_turn(connection: &mut AnyConnection, mail: &NewMail) -> QueryResult<DateTime<Utc>> {
    let Some(requester) = &mail.requester else { return Ok(mail.at) };
    let last: Option<DateTime<Utc>> = mail_outbox::table
        .filter(mail_outbox::requester.eq(requester))
        .filter(mail_outbox::created_at.le(At(mail.at + TURN)))
        .order(mail_outbox::turn_at.desc())
        .select(mail_outbox::turn_at)
        .first(connection)
        .optional()?;
    Ok(last.map_or(mail.at, |last| (last + TURN).max(mail.at)))
}

/// Deletes a user's mails of one kind.
pub fn delete_of_user(connection: &mut AnyConnection, user: UserId, kind: MailKind) -> QueryResult<()> {
    let of_kind =
        mail_outbox::table.filter(mail_outbox::user_id.eq(user.0)).filter(mail_outbox::kind.eq(kind.as_str()));
    diesel::delete(of_kind).execute(connection).map(|_| ())
}

/// The mails of a range that are about a user or go to one of `addresses`, with their ids.
pub fn export(
    connection: &mut AnyConnection,
    user: UserId,
    addresses: &[String],
    KeyRange { after, limit }: KeyRange<i64>,
) -> QueryResult<Vec<(i64, ExportedMail)>> {
    type CauseColumns = (Option<String>, Option<String>, Option<String>);
    type TimeColumns = (DateTime<Utc>, DateTime<Utc>, DateTime<Utc>);
    type CountColumns = (i64, i64, i64, Option<DateTime<Utc>>);
    // The kind is exported as stored, because a newer release may have written it.
    type MailColumns = (i64, String, String, CauseColumns, TimeColumns, CountColumns);
    let own = mail_outbox::user_id.assume_not_null().eq(user.0).or(mail_outbox::recipient.eq_any(addresses));
    let rows: Vec<MailColumns> = mail_outbox::table
        .filter(mail_outbox::id.gt(after.unwrap_or(0)))
        .filter(own)
        .order(mail_outbox::id)
        .select((
            mail_outbox::id,
            mail_outbox::kind,
            mail_outbox::recipient,
            (mail_outbox::about, mail_outbox::ip_address, mail_outbox::user_agent),
            (mail_outbox::created_at, mail_outbox::due_at, mail_outbox::expires_at),
            (mail_outbox::attempts, mail_outbox::unacknowledged, mail_outbox::occurrences, mail_outbox::first_at),
        ))
        .limit(limit)
        .load(connection)?;
    let mail = |(id, kind, recipient, (about, ip_address, user_agent), times, counts): MailColumns| {
        let (created_at, due_at, expires_at) = times;
        let (attempts, unacknowledged, occurrences, first_at) = counts;
        let mail = ExportedMail {
            kind,
            recipient,
            about,
            ip_address,
            user_agent,
            created_at,
            due_at,
            expires_at,
            attempts,
            unacknowledged,
            occurrences,
            first_at,
        };
        (id, mail)
    };
    Ok(rows.into_iter().map(mail).collect())
}

/// Deletes all mails that are about a user, and those to `addresses`. If the address was never confirmed, mails about
/// another account, and those that confirm a registration, stay: they may be for its real owner. Where a registration is
/// pending, this includes links that were requested again.
pub fn delete_all(
    connection: &mut AnyConnection,
    user: UserId,
    addresses: [&str; 2],
    is_confirmed: bool,
) -> QueryResult<()> {
    let own = mail_outbox::user_id.assume_not_null().eq(user.0);
    diesel::delete(mail_outbox::table.filter(own)).execute(connection)?;
    let mut to_it = diesel::delete(mail_outbox::table.filter(mail_outbox::recipient.eq_any(addresses))).into_boxed();
    if !is_confirmed {
        let others = mail_outbox::kind.ne(MailKind::ConfirmRegistration.as_str());
        to_it = to_it.filter(mail_outbox::user_id.is_null()).filter(others);
        let of_address = pending_registrations::table.filter(pending_registrations::email_canonical.eq_any(addresses));
        if diesel::select(exists(of_address)).get_result(connection)? {
            to_it = to_it.filter(mail_outbox::kind.ne(MailKind::VerifyEmail.as_str()));
        }
    }
    to_it.execute(connection).map(|_| ())
}
