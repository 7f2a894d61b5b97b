//! What a worker does with the mails that wait.

use super::fold;
use super::row::MailRow;
use crate::mails::MailKind;
use crate::store::any::{AnyConnection, MultiBackend};
use crate::store::schema::mail_outbox;
use crate::store::types::At;
use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;

/// Farther ahead nothing is put off: after a failure, or when its address has had its amount, a mail waits for an hour at most.
/// What is due later was written by a clock that was ahead, and is due now. Minutes are left for clocks that differ.
const FARTHEST: Duration = Duration::minutes(65);

/// What may be taken now.
macro_rules! is_due {
    ($now:expr) => {
        mail_outbox::due_at.le(At($now)).or(mail_outbox::due_at.gt(At($now + FARTHEST)))
    };
}

/// A mail that is due.
#[derive(Debug, Clone, Queryable)]
pub struct DueMail {
    pub id: i64,
    /// When it is its turn.
    pub turn_at: DateTime<Utc>,
    /// How often a worker has taken it.
    pub attempts: i64,
    pub recipient: String,
    pub requester: Option<String>,
}

/// Which mails that are due a worker has use for.
#[derive(Debug, Default)]
pub struct DueFilter {
    /// Not those to these domains, nor to what is below them, as they are spelled in canonical addresses.
    pub busy_domains: Vec<String>,
    /// Only those that no worker has taken yet.
    pub only_first_attempts: bool,
}

/// The columns of [`DueMail`].
const DUE_COLUMNS: (
    mail_outbox::id,
    mail_outbox::turn_at,
    mail_outbox::attempts,
    mail_outbox::recipient,
    mail_outbox::requester,
) = (mail_outbox::id, mail_outbox::turn_at, mail_outbox::attempts, mail_outbox::recipient, mail_outbox::requester);

/// A mail's place in the order of turns.
type TurnPosition = (DateTime<Utc>, i64);

/// At most `most` wanted mails that are due, after the one of a given turn. Each requester's mails take turns with those of
/// others.
///
/// Of what a newer release has written nothing is taken: that release is back some day, and this one could not say it.
pub fn list_due(
    connection: &mut AnyConnection,
    now: DateTime<Utc>,
    wanted: &DueFilter,
    (after, most): (Option<TurnPosition>, i64),
) -> QueryResult<Vec<DueMail>> {
    let mut due = mail_outbox::table
        .filter(is_due!(now))
        .filter(mail_outbox::kind.eq_any(MailKind::ALL.iter().copied().map(MailKind::as_str)))
        .select(DUE_COLUMNS)
        .into_boxed();
    if let Some((turn_at, id)) = after {
        let later = mail_outbox::turn_at.eq(At(turn_at)).and(mail_outbox::id.gt(id));
        due = due.filter(mail_outbox::turn_at.gt(At(turn_at)).or(later));
    }
    if wanted.only_first_attempts {
        due = due.filter(mail_outbox::attempts.eq(0));
    }
    for domain in &wanted.busy_domains {
        due = due
            .filter(mail_outbox::recipient.not_like(format!("%@{domain}")))
            .filter(mail_outbox::recipient.not_like(format!("%.{domain}")));
    }
    due.order((mail_outbox::turn_at, mail_outbox::id)).limit(most).load(connection)
}

/// At most `most` mails that are due and not worth sending any more.
pub fn list_expired(connection: &mut AnyConnection, now: DateTime<Utc>, most: i64) -> QueryResult<Vec<DueMail>> {
    mail_outbox::table
        .filter(is_due!(now))
        .filter(mail_outbox::expires_at.le(At(now)))
        .filter(mail_outbox::kind.eq_any(MailKind::ALL.iter().copied().map(MailKind::as_str)))
        .select(DUE_COLUMNS)
        .limit(most)
        .load(connection)
}

/// Takes a mail that is due until `until`: then it is due again. `None` when another worker was faster: of two racing ones
/// one gets it, by one conditional `UPDATE`, which commits by itself.
pub fn claim(connection: &mut AnyConnection, mail: &DueMail, until: DateTime<Utc>) -> QueryResult<Option<MailRow>> {
    let free = mail_outbox::table.find(mail.id).filter(mail_outbox::attempts.eq(mail.attempts));
    let take = diesel::update(free)
        .set((mail_outbox::attempts.eq(mail.attempts + 1), mail_outbox::due_at.eq(At(until))))
        .returning(<MailRow as Selectable<MultiBackend>>::construct_selection());
    connection.write_statement(|connection| take.get_result(connection).optional())
}

/// Whether a worker still has a mail: nobody has withdrawn it, and no other worker has it. It stays so until the
/// transaction's end.
pub fn lock(connection: &mut AnyConnection, mail: &MailRow) -> QueryResult<bool> {
    let held = mail_outbox::table.find(mail.id).filter(mail_outbox::attempts.eq(mail.attempts)).select(mail_outbox::id);
    let found: Option<i64> = match connection {
        AnyConnection::Postgres(postgres) => held.for_update().first(postgres).optional()?,
        // SQLite's write transaction holds the whole file.
        AnyConnection::Sqlite(_) => held.first(connection).optional()?,
    };
    Ok(found.is_some())
}

/// A mail that is due and that only an address is known of.
#[derive(Debug, Clone, Queryable)]
pub struct WaitingMail {
    pub id: i64,
    pub kind: MailKind,
    pub recipient: String,
}

/// At most `most` mails of `kinds` that are due, belong to no account and have an id after `after`, in the order of their
/// ids.
pub fn list_waiting(
    connection: &mut AnyConnection,
    kinds: &[MailKind],
    (now, after): (DateTime<Utc>, i64),
    most: i64,
) -> QueryResult<Vec<WaitingMail>> {
    mail_outbox::table
        .filter(mail_outbox::id.gt(after))
        .filter(is_due!(now))
        .filter(mail_outbox::user_id.is_null())
        .filter(mail_outbox::kind.eq_any(kinds.iter().map(|kind| kind.as_str())))
        .order(mail_outbox::id)
        .select((mail_outbox::id, mail_outbox::kind, mail_outbox::recipient))
        .limit(most)
        .load(connection)
}

/// Deletes these mails and returns how many there were.
pub fn delete_waiting(connection: &mut AnyConnection, ids: &[i64]) -> QueryResult<usize> {
    if ids.is_empty() {
        return Ok(0);
    }
    diesel::delete(mail_outbox::table.filter(mail_outbox::id.eq_any(ids))).execute(connection)
}

/// Deletes the mails that say the same to the same address and that no worker has had yet, and returns how many there
/// were.
pub fn delete_same(connection: &mut AnyConnection, mail: &MailRow) -> QueryResult<usize> {
    let ids: Vec<_> = fold::lock_others(connection, mail)?.iter().map(|row| row.id).collect();
    delete_waiting(connection, &ids)
}

/// How many mails wait, and when the oldest of them was written; one that its address's amount holds back is not old. Ids
/// grow with time, so that no index of the times is needed.
pub fn backlog(connection: &mut AnyConnection, now: DateTime<Utc>) -> QueryResult<(i64, Option<DateTime<Utc>>)> {
    let waiting = mail_outbox::table.count().get_result(connection)?;
    let oldest = mail_outbox::table
        .filter(mail_outbox::attempts.gt(0).or(is_due!(now)))
        .order(mail_outbox::id)
        .select(mail_outbox::created_at)
        .first(connection);
    Ok((waiting, oldest.optional()?))
}

/// Deletes a mail that is done with, unless another worker has it by now.
pub fn delete(connection: &mut AnyConnection, mail: &MailRow) -> QueryResult<()> {
    let held = mail_outbox::table.find(mail.id).filter(mail_outbox::attempts.eq(mail.attempts));
    diesel::delete(held).execute(connection).map(|_| ())
}

/// Puts a mail off until `due_at`, unless another worker has it by now.
pub fn postpone(connection: &mut AnyConnection, mail: &MailRow, due_at: DateTime<Utc>) -> QueryResult<()> {
    let held = mail_outbox::table.find(mail.id).filter(mail_outbox::attempts.eq(mail.attempts));
    diesel::update(held).set(mail_outbox::due_at.eq(At(due_at))).execute(connection).map(|_| ())
}

/// Puts a mail off until its address may get one again. That was no attempt to send it.
pub fn defer(connection: &mut AnyConnection, mail: &MailRow, due_at: DateTime<Utc>) -> QueryResult<()> {
    let held = mail_outbox::table.find(mail.id).filter(mail_outbox::attempts.eq(mail.attempts));
    diesel::update(held)
        .set((mail_outbox::due_at.eq(At(due_at)), mail_outbox::attempts.eq(0)))
        .execute(connection)
        .map(|_| ())
}
