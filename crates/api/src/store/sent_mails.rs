//! Table `sent_mails`: the mails that were recently sent to an address, by kind. Addresses are stored as keyed hashes.

use super::any::AnyConnection;
use super::mail_outbox::MailRow;
use super::schema::sent_mails;
use super::types::At;
use auth_types::export::ExportedSentMail;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

/// A mail that was sent, or is about to be.
#[derive(Debug, Clone, Queryable)]
pub struct SentMail {
    /// The value stored in the table, which may come from a newer release.
    pub kind: String,
    pub sent_at: DateTime<Utc>,
}

/// The times after `after`, up to and including `until`.
#[derive(Debug, Clone, Copy)]
pub struct Period {
    pub after: DateTime<Utc>,
    pub until: DateTime<Utc>,
}

/// Locks the count of an address until the transaction's end, so that of two workers one sees what the other has counted.
pub fn lock(connection: &mut AnyConnection, address_hash: &[u8]) -> QueryResult<()> {
    let AnyConnection::Postgres(postgres) = connection else {
        return Ok(()); // SQLite's write transaction locks the whole file.
    };
    let mut number = [0; 8];
    number.iter_mut().zip(address_hash).for_each(|(to, from)| *to = *from);
    diesel::sql_query("SELECT pg_advisory_xact_lock($1)")
        .bind::<BigInt, _>(i64::from_be_bytes(number))
        .execute(postgres)
        .map(|_| ())
}

/// The mails that were sent to an address in `period`, oldest first, one for each copy. Of `mail`, which is about to be sent, these are
/// the copies that may have arrived.
pub fn list(
    connection: &mut AnyConnection,
    address_hash: &[u8],
    period: Period,
    mail: &MailRow,
) -> QueryResult<Vec<SentMail>> {
    let rows: Vec<(i64, i64, SentMail)> = sent_mails::table
        .filter(sent_mails::address_hash.eq(address_hash))
        .filter(sent_mails::sent_at.gt(At(period.after)))
        .filter(sent_mails::sent_at.le(At(period.until)))
        .order(sent_mails::sent_at)
        .select((sent_mails::mail_id, sent_mails::copies, (sent_mails::kind, sent_mails::sent_at)))
        .load(connection)?;
    let copies = |(id, copies, sent): (i64, i64, SentMail)| {
        let counted = if id == mail.id { mail.unacknowledged } else { copies };
        std::iter::repeat_n(sent, usize::try_from(counted).unwrap_or_default())
    };
    Ok(rows.into_iter().flat_map(copies).collect())
}

/// Counts a mail that is about to be sent. A retry counts again only if an earlier attempt may have arrived.
pub fn insert(connection: &mut AnyConnection, mail: &MailRow, address_hash: &[u8], sent: &SentMail) -> QueryResult<()> {
    diesel::delete(sent_mails::table.find(mail.id)).execute(connection)?;
    diesel::insert_into(sent_mails::table)
        .values((
            sent_mails::mail_id.eq(mail.id),
            sent_mails::address_hash.eq(address_hash),
            sent_mails::kind.eq(&sent.kind),
            sent_mails::sent_at.eq(At(sent.sent_at)),
            sent_mails::copies.eq(mail.unacknowledged + 1),
        ))
        .execute(connection)
        .map(|_| ())
}

/// Stops counting a mail that was not sent, except the copies that may have arrived.
pub fn refund(connection: &mut AnyConnection, mail: &MailRow) -> QueryResult<()> {
    let row = sent_mails::table.find(mail.id);
    if mail.unacknowledged == 0 {
        diesel::delete(row).execute(connection).map(|_| ())
    } else {
        diesel::update(row).set(sent_mails::copies.eq(mail.unacknowledged)).execute(connection).map(|_| ())
    }
}

/// All rows about an address.
pub fn export(connection: &mut AnyConnection, address_hash: &[u8]) -> QueryResult<Vec<ExportedSentMail>> {
    let rows: Vec<(SentMail, i64)> = sent_mails::table
        .filter(sent_mails::address_hash.eq(address_hash))
        .order((sent_mails::sent_at, sent_mails::mail_id))
        .select(((sent_mails::kind, sent_mails::sent_at), sent_mails::copies))
        .load(connection)?;
    let exported = |(SentMail { kind, sent_at }, copies)| ExportedSentMail { kind, sent_at, copies };
    Ok(rows.into_iter().map(exported).collect())
}

/// Deletes at most `batch` of the mails sent at or before `until`, and returns how many were deleted.
pub fn delete_old(connection: &mut AnyConnection, until: DateTime<Utc>, batch: i64) -> QueryResult<usize> {
    let old = diesel::alias!(sent_mails as old);
    let ids =
        old.filter(old.field(sent_mails::sent_at).le(At(until))).select(old.field(sent_mails::mail_id)).limit(batch);
    diesel::delete(sent_mails::table.filter(sent_mails::mail_id.eq_any(ids))).execute(connection)
}
