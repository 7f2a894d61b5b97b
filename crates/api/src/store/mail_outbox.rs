//! Table `mail_outbox`: mail that has not left yet.
//!
//! A worker has a mail while `due_at` lies ahead and `attempts` is what the worker's claim made it: a worker that died is
//! followed by another one, and a worker that was too slow changes nothing any more.

mod fold;
mod queue;
mod row;

pub use fold::{Gather, gather};
pub use queue::{
    DueFilter, DueMail, WaitingMail, backlog, claim, defer, delete, delete_same, delete_waiting, list_due,
    list_expired, list_waiting, lock, postpone,
};
pub use row::{MOST_WAITING, MailRow, NewMail};

use super::any::AnyConnection;
use super::schema::{mail_outbox, pending_registrations};
use super::types::{At, Nullable, Text, Timestamptz};
use crate::mails::MailKind;
use auth_types::UserId;
use auth_types::export::ExportedMail;
use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;

/// No registration has this id.
const NO_REGISTRATION: i64 = 0;

/// How far apart the turns of one requester's mails are: as if they had been asked for evenly over an hour, of which a
/// client may ask for twenty.
const TURN: Duration = Duration::minutes(3);

/// Inserts a mail. Of what waits already for the same address and says the same, the oldest goes when there is too much of
/// it: a newer link would make the older ones worthless, and a notice is counted in the new one.
pub fn insert(connection: &mut AnyConnection, mail: &NewMail) -> QueryResult<()> {
    let crowded_out = fold::make_room(connection, mail)?;
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
            mail_outbox::registration_id.eq(mail.registration),
            mail_outbox::requester.eq(mail.requester.as_deref()),
            mail_outbox::turn_at.eq(At(turn_at)),
            mail_outbox::occurrences.eq(1 + crowded_out.occurrences),
            mail_outbox::first_at.eq(crowded_out.first_at.map(At)),
        ))
        .execute(connection)
        .map(|_| ())
}

/// Whether a newer mail waits that says the same to the same recipient.
pub fn has_newer(connection: &mut AnyConnection, mail: &MailRow) -> QueryResult<bool> {
    let newer = mail_outbox::table
        .filter(mail_outbox::kind.eq(mail.kind.as_str()))
        .filter(mail_outbox::recipient.eq(&mail.recipient))
        .filter(mail_outbox::id.gt(mail.id));
    diesel::select(diesel::dsl::exists(newer)).get_result(connection)
}

/// Inserts a mail about the pending registration `registration`, to its address, if there is one: the same statements
/// either way. `mail` has the rest.
pub fn insert_if_pending(connection: &mut AnyConnection, registration: Option<i64>, mail: &NewMail) -> QueryResult<()> {
    let turn_at = next_turn(connection, mail)?;
    let rows = pending_registrations::table
        .filter(pending_registrations::id.eq(registration.unwrap_or(NO_REGISTRATION)))
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

/// When it is a mail's turn: now, or some minutes after the last one of the same requester. So a mail waits for at most one
/// of everybody else's, however many they have asked for. A turn that a clock ahead has given is no reason to wait.
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

/// Deletes a user's mail of one kind that has not left.
pub fn delete_of_user(connection: &mut AnyConnection, user: UserId, kind: MailKind) -> QueryResult<()> {
    let waiting =
        mail_outbox::table.filter(mail_outbox::user_id.eq(user.0)).filter(mail_outbox::kind.eq(kind.as_str()));
    diesel::delete(waiting).execute(connection).map(|_| ())
}

/// Rows after the id `after`, at most `most` of them.
#[derive(Debug, Clone, Copy)]
pub struct Slice {
    pub after: i64,
    pub most: i64,
}

/// The next mails of a slice that have not left and are about a user or go to one of `addresses`, with
/// their ids.
pub fn export(
    connection: &mut AnyConnection,
    user: UserId,
    addresses: &[String],
    Slice { after, most }: Slice,
) -> QueryResult<Vec<(i64, ExportedMail)>> {
    type CauseColumns = (Option<String>, Option<String>);
    type TimeColumns = (DateTime<Utc>, DateTime<Utc>, DateTime<Utc>);
    type CountColumns = (i64, i64, Option<DateTime<Utc>>);
    // The kind as it stands there: a newer release may have written it.
    type MailColumns = (i64, String, String, CauseColumns, TimeColumns, CountColumns);
    let theirs = mail_outbox::user_id.assume_not_null().eq(user.0).or(mail_outbox::recipient.eq_any(addresses));
    let rows: Vec<MailColumns> = mail_outbox::table
        .filter(mail_outbox::id.gt(after))
        .filter(theirs)
        .order(mail_outbox::id)
        .select((
            mail_outbox::id,
            mail_outbox::kind,
            mail_outbox::recipient,
            (mail_outbox::ip_address, mail_outbox::user_agent),
            (mail_outbox::created_at, mail_outbox::due_at, mail_outbox::expires_at),
            (mail_outbox::attempts, mail_outbox::occurrences, mail_outbox::first_at),
        ))
        .limit(most)
        .load(connection)?;
    let mail = |(id, kind, recipient, (ip_address, user_agent), times, counts): MailColumns| {
        let ((created_at, due_at, expires_at), (attempts, occurrences, first_at)) = (times, counts);
        let mail = ExportedMail {
            kind,
            recipient,
            ip_address,
            user_agent,
            created_at,
            due_at,
            expires_at,
            attempts,
            occurrences,
            first_at,
        };
        (id, mail)
    };
    Ok(rows.into_iter().map(mail).collect())
}

/// Deletes all mail that has not left and is about a user or goes to one of `addresses`, except the kind `spared`.
pub fn delete_all(
    connection: &mut AnyConnection,
    user: UserId,
    addresses: [&str; 2],
    spared: Option<MailKind>,
) -> QueryResult<()> {
    let theirs = mail_outbox::user_id.assume_not_null().eq(user.0).or(mail_outbox::recipient.eq_any(addresses));
    let others = mail_outbox::kind.ne(spared.map_or("", MailKind::as_str));
    diesel::delete(mail_outbox::table.filter(theirs).filter(others)).execute(connection).map(|_| ())
}
