//! Table `sent_mails`: how many mails an address got lately, and of which kinds. Addresses are keyed hashes.

use super::any::AnyConnection;
use super::schema::sent_mails;
use super::types::At;
use auth_types::export::ExportedSentMail;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

/// A mail that was sent, or is about to be.
#[derive(Debug, Clone, Queryable)]
pub struct SentMail {
    /// The word in the table: a newer release may have written it.
    pub kind: String,
    pub sent_at: DateTime<Utc>,
}

/// Lets nobody else count mails to this address until the transaction's end: of two workers one sees what the other has
/// counted.
pub fn lock(connection: &mut AnyConnection, address_hash: &[u8]) -> QueryResult<()> {
    let AnyConnection::Postgres(postgres) = connection else {
        return Ok(()); // SQLite's write transaction holds the whole file.
    };
    let mut number = [0; 8];
    number.iter_mut().zip(address_hash).for_each(|(to, from)| *to = *from);
    diesel::sql_query("SELECT pg_advisory_xact_lock($1)")
        .bind::<BigInt, _>(i64::from_be_bytes(number))
        .execute(postgres)
        .map(|_| ())
}

/// The mails to an address after `since` and until `until`, except `mail_id`, the oldest first.
pub fn list(
    connection: &mut AnyConnection,
    address_hash: &[u8],
    (since, until): (DateTime<Utc>, DateTime<Utc>),
    mail_id: i64,
) -> QueryResult<Vec<SentMail>> {
    sent_mails::table
        .filter(sent_mails::address_hash.eq(address_hash))
        .filter(sent_mails::sent_at.gt(At(since)))
        .filter(sent_mails::sent_at.le(At(until)))
        .filter(sent_mails::mail_id.ne(mail_id))
        .order(sent_mails::sent_at)
        .select((sent_mails::kind, sent_mails::sent_at))
        .load(connection)
}

/// Counts a mail; one that is tried again counts once.
pub fn insert(connection: &mut AnyConnection, mail_id: i64, address_hash: &[u8], mail: &SentMail) -> QueryResult<()> {
    delete(connection, mail_id)?;
    diesel::insert_into(sent_mails::table)
        .values((
            sent_mails::mail_id.eq(mail_id),
            sent_mails::address_hash.eq(address_hash),
            sent_mails::kind.eq(&mail.kind),
            sent_mails::sent_at.eq(At(mail.sent_at)),
        ))
        .execute(connection)
        .map(|_| ())
}

/// Counts a mail no more: it was not sent.
pub fn delete(connection: &mut AnyConnection, mail_id: i64) -> QueryResult<()> {
    diesel::delete(sent_mails::table.find(mail_id)).execute(connection).map(|_| ())
}

/// All that is kept about an address.
pub fn export(connection: &mut AnyConnection, address_hash: &[u8]) -> QueryResult<Vec<ExportedSentMail>> {
    let rows: Vec<SentMail> = sent_mails::table
        .filter(sent_mails::address_hash.eq(address_hash))
        .order((sent_mails::sent_at, sent_mails::mail_id))
        .select((sent_mails::kind, sent_mails::sent_at))
        .load(connection)?;
    Ok(rows.into_iter().map(|SentMail { kind, sent_at }| ExportedSentMail { kind, sent_at }).collect())
}

/// Deletes at most `batch` of what was sent at `until` or before, and returns how many there were.
pub fn delete_old(connection: &mut AnyConnection, until: DateTime<Utc>, batch: i64) -> QueryResult<usize> {
    let old = diesel::alias!(sent_mails as old);
    let over =
        old.filter(old.field(sent_mails::sent_at).le(At(until))).select(old.field(sent_mails::mail_id)).limit(batch);
    diesel::delete(sent_mails::table.filter(sent_mails::mail_id.eq_any(over))).execute(connection)
}
