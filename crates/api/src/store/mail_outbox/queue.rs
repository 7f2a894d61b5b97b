//! The outbox as the worker's queue.

use super::merge;
use super::row::MailRow;
use crate::mails::MailKind;
use crate::store::any::{AnyConnection, MultiBackend};
use crate::store::schema::mail_outbox;
use crate::store::types::At;
use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;

/// The longest that a mail waits after a failure, or when its address has reached its quota.
pub const MAX_WAIT: Duration = Duration::hours(1);
/// The longest wait as clocks that differ may see it. A later time was written by a clock that ran ahead, and counts as due.
const MAX_SEEN_WAIT: Duration = Duration::minutes(65);

/// The condition for mails that may be leased now. A mail that was neither leased nor deferred is due when it was created, even if
/// that was by a clock slightly ahead.
macro_rules! is_due {
    ($now:expr) => {
        mail_outbox::due_at
            .le(At($now))
            .or(mail_outbox::due_at.gt(At($now + MAX_SEEN_WAIT)))
            .or(mail_outbox::due_at.eq(mail_outbox::created_at))
    };
}

/// The row of a mail while the worker's lease lasts. `attempts` alone does not identify a lease, because a deferral resets it.
macro_rules! held {
    ($mail:expr) => {
        mail_outbox::table
            .find($mail.id)
            .filter(mail_outbox::attempts.eq($mail.attempts))
            .filter(mail_outbox::due_at.eq(At($mail.due_at)))
    };
}

/// A mail that is due.
#[derive(Debug, Clone, Queryable)]
pub struct DueMail {
    pub id: i64,
    /// Its turn in the queue.
    pub turn_at: DateTime<Utc>,
    /// How often a worker has leased it.
    pub attempts: i64,
    pub recipient: String,
    pub requester: Option<String>,
}

/// Which of the due mails a worker looks at.
#[derive(Debug, Default)]
pub struct DueFilter {
    /// Includes only these kinds, which this program can send.
    pub kinds: Vec<&'static str>,
    /// Excludes mails to these domains and their subdomains, spelled as in canonical addresses.
    pub busy_domains: Vec<String>,
    /// Includes only mails that no worker has leased yet.
    pub only_first_attempts: bool,
    /// Includes only mails behind this position.
    pub after: Option<TurnPosition>,
}

/// A mail's position in the queue: its turn, then its id.
type TurnPosition = (DateTime<Utc>, i64);

/// The columns of [`DueMail`].
const DUE_COLUMNS: (
    mail_outbox::id,
    mail_outbox::turn_at,
    mail_outbox::attempts,
    mail_outbox::recipient,
    mail_outbox::requester,
) = (mail_outbox::id, mail_outbox::turn_at, mail_outbox::attempts, mail_outbox::recipient, mail_outbox::requester);

/// At most `limit` of the due mails that pass `filter`, in the order of the queue. The mails of different requesters take turns.
pub fn list_due(
    connection: &mut AnyConnection,
    now: DateTime<Utc>,
    filter: &DueFilter,
    limit: i64,
) -> QueryResult<Vec<DueMail>> {
    let mut due = mail_outbox::table
        .filter(is_due!(now))
        .filter(mail_outbox::kind.eq_any(&filter.kinds))
        .select(DUE_COLUMNS)
        .into_boxed();
    if let Some((turn_at, id)) = filter.after {
        let later = mail_outbox::turn_at.eq(At(turn_at)).and(mail_outbox::id.gt(id));
        due = due.filter(mail_outbox::turn_at.gt(At(turn_at)).or(later));
    }
    if filter.only_first_attempts {
        due = due.filter(mail_outbox::attempts.eq(0));
    }
    for domain in &filter.busy_domains {
        due = due
            .filter(mail_outbox::recipient.not_like(format!("%@{domain}")))
            .filter(mail_outbox::recipient.not_like(format!("%.{domain}")));
    }
    due.order((mail_outbox::turn_at, mail_outbox::id)).limit(limit).load(connection)
}

/// At most `limit` mails of `kinds` that are due and have expired.
pub fn list_expired(
    connection: &mut AnyConnection,
    now: DateTime<Utc>,
    kinds: &[&str],
    limit: i64,
) -> QueryResult<Vec<DueMail>> {
    mail_outbox::table
        .filter(is_due!(now))
        .filter(mail_outbox::expires_at.le(At(now)))
        .filter(mail_outbox::kind.eq_any(kinds))
        .select(DUE_COLUMNS)
        .limit(limit)
        .load(connection)
}

/// Leases a due mail until `until`, when it is due again. Returns `None` if another worker was faster: a single conditional
/// `UPDATE` gives it to one of two concurrent workers.
pub fn lease(
    connection: &mut AnyConnection,
    mail: &DueMail,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> QueryResult<Option<MailRow>> {
    let free = mail_outbox::table.find(mail.id).filter(mail_outbox::attempts.eq(mail.attempts)).filter(is_due!(now));
    let take = diesel::update(free)
        .set((mail_outbox::attempts.eq(mail.attempts + 1), mail_outbox::due_at.eq(At(until))))
        .returning(<MailRow as Selectable<MultiBackend>>::construct_selection());
    take.get_result(connection).optional()
}

/// Locks a mail until the transaction's end. Returns `false` if the worker no longer holds it: it was withdrawn, or another
/// worker has it.
pub fn lock(connection: &mut AnyConnection, mail: &MailRow) -> QueryResult<bool> {
    let held = held!(mail).select(mail_outbox::id);
    let found: Option<i64> = match connection {
        AnyConnection::Postgres(postgres) => held.for_update().first(postgres).optional()?,
        // SQLite's write transaction locks the whole file.
        AnyConnection::Sqlite(_) => held.first(connection).optional()?,
    };
    Ok(found.is_some())
}

/// A due mail that was requested for an address, without an account.
#[derive(Debug, Clone, Queryable)]
pub struct MailWithoutAccount {
    pub id: i64,
    pub kind: MailKind,
    pub recipient: String,
}

/// At most `limit` mails of `kinds` that are due, have no account and an id after `after`, in the order of their ids.
pub fn list_without_account(
    connection: &mut AnyConnection,
    now: DateTime<Utc>,
    kinds: &[MailKind],
    after: i64,
    limit: i64,
) -> QueryResult<Vec<MailWithoutAccount>> {
    mail_outbox::table
        .filter(mail_outbox::id.gt(after))
        .filter(is_due!(now))
        .filter(mail_outbox::user_id.is_null())
        .filter(mail_outbox::kind.eq_any(kinds.iter().map(|kind| kind.as_str())))
        .order(mail_outbox::id)
        .select((mail_outbox::id, mail_outbox::kind, mail_outbox::recipient))
        .limit(limit)
        .load(connection)
}

/// Deletes these mails and returns how many were deleted.
pub fn delete_by_ids(connection: &mut AnyConnection, ids: &[i64]) -> QueryResult<usize> {
    if ids.is_empty() {
        return Ok(0);
    }
    diesel::delete(mail_outbox::table.filter(mail_outbox::id.eq_any(ids))).execute(connection)
}

/// Deletes the other mails of the same content to the same address that no worker has attempted yet, and returns how many were
/// deleted.
pub fn delete_unattempted_duplicates(connection: &mut AnyConnection, mail: &MailRow) -> QueryResult<usize> {
    let ids: Vec<_> = merge::lock_others(connection, mail)?.iter().map(|row| row.id).collect();
    delete_by_ids(connection, &ids)
}

/// Deletes at most `limit` expired mails of other kinds than `known`, which no program can send any more.
pub fn delete_expired_unknown(
    connection: &mut AnyConnection,
    now: DateTime<Utc>,
    known: &[&str],
    limit: i64,
) -> QueryResult<usize> {
    let expired = mail_outbox::table.filter(mail_outbox::expires_at.le(At(now)));
    let unknown: Vec<i64> =
        expired.filter(mail_outbox::kind.ne_all(known)).select(mail_outbox::id).limit(limit).load(connection)?;
    delete_by_ids(connection, &unknown)
}

/// How many mails are queued, and when the oldest of `kinds` was created, without those deferred by their address's quota. Ids grow with
/// time, so no index on the times is needed.
pub fn backlog(
    connection: &mut AnyConnection,
    now: DateTime<Utc>,
    kinds: &[&str],
) -> QueryResult<(i64, Option<DateTime<Utc>>)> {
    let queued = mail_outbox::table.count().get_result(connection)?;
    let oldest = mail_outbox::table
        .filter(mail_outbox::attempts.gt(0).or(is_due!(now)))
        .filter(mail_outbox::kind.eq_any(kinds))
        .order(mail_outbox::id)
        .select(mail_outbox::created_at)
        .first(connection);
    Ok((queued, oldest.optional()?))
}

/// Deletes a finished mail. Returns `false` if the worker no longer holds it.
pub fn delete(connection: &mut AnyConnection, mail: &MailRow) -> QueryResult<bool> {
    diesel::delete(held!(mail)).execute(connection).map(|deleted| deleted > 0)
}

/// Postpones a mail until `due_at`, with the count of its unacknowledged attempts. Returns `false` if the worker no longer holds it.
pub fn postpone(connection: &mut AnyConnection, mail: &MailRow, due_at: DateTime<Utc>) -> QueryResult<bool> {
    let postponement = diesel::update(held!(mail))
        .set((mail_outbox::due_at.eq(At(due_at)), mail_outbox::unacknowledged.eq(mail.unacknowledged)));
    postponement.execute(connection).map(|postponed| postponed > 0)
}

/// Counts an attempt whose end is about to be sent: if the worker dies, the mail may have been sent all the same. Returns `false` if the
/// worker no longer holds it. [`postpone`] takes the count back.
pub fn count_unacknowledged(connection: &mut AnyConnection, mail: &MailRow) -> QueryResult<bool> {
    let count = diesel::update(held!(mail)).set(mail_outbox::unacknowledged.eq(mail.unacknowledged + 1));
    count.execute(connection).map(|counted| counted > 0)
}

/// Releases a mail, so that it is due at `due_at`. Returns `false` if the worker no longer holds it, or if the attempt is counted: the
/// server may be busy with the mail, which is due when the lease ends.
pub fn release(connection: &mut AnyConnection, mail: &MailRow, due_at: DateTime<Utc>) -> QueryResult<bool> {
    let uncounted = held!(mail).filter(mail_outbox::unacknowledged.eq(mail.unacknowledged));
    diesel::update(uncounted).set(mail_outbox::due_at.eq(At(due_at))).execute(connection).map(|released| released > 0)
}

/// Postpones a mail until its address may get one again. This does not count as an attempt to send it.
pub fn defer(connection: &mut AnyConnection, mail: &MailRow, due_at: DateTime<Utc>) -> QueryResult<()> {
    diesel::update(held!(mail))
        .set((mail_outbox::due_at.eq(At(due_at)), mail_outbox::attempts.eq(0)))
        .execute(connection)
        .map(|_| ())
}
