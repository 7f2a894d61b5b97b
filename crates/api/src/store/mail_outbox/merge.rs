//! Merging: several queued mails of the same content to the same address become one.

use super::row::{MAX_WAITING, MailRow, MailSubject, NewMail};
use crate::store::any::AnyConnection;
use crate::store::schema::mail_outbox;
use crate::store::types::At;
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// The events that merged mails stood for.
#[derive(Debug, Default)]
pub(super) struct MergeTotals {
    pub(super) occurrences: i64,
    pub(super) first_at: Option<DateTime<Utc>>,
}

/// Which mails are merged into another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeScope {
    /// All mails that no worker has attempted yet.
    Unattempted,
    /// The mails that were deferred because their address had reached its quota.
    Deferred,
}

/// A row that is merged into another one.
#[derive(Debug, Clone, Queryable)]
struct MergedMail {
    occurrences: i64,
    first_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    ip_address: Option<String>,
    user_agent: Option<String>,
}

impl MergedMail {
    fn began_at(&self) -> DateTime<Utc> {
        self.first_at.unwrap_or(self.created_at)
    }
}

/// Deletes the oldest mails of the same content to the same address until another one may wait, and returns what they stood for. About one
/// row of a feature a single unattempted mail waits: it is written when it is sent, so the others would have the same text.
pub(super) fn merge_surplus(connection: &mut AnyConnection, mail: &NewMail) -> QueryResult<MergeTotals> {
    let same = lock_same(connection, mail.kind.as_str(), &mail.recipient, &mail.subject())?;
    let is_merged =
        |(index, row): &(usize, &SameMail)| *index >= MAX_WAITING - 1 || (mail.about.is_some() && row.attempts == 0);
    let ids: Vec<_> = same.iter().enumerate().filter(is_merged).map(|(_, row)| row.id).collect();
    let parts = delete_returning(connection, &ids)?;
    let occurrences = parts.iter().map(|part| part.occurrences).sum();
    Ok(MergeTotals { occurrences, first_at: parts.iter().map(MergedMail::began_at).min() })
}

/// Merges others into `mail`, which a worker holds, and returns the updated row: with the time and the cause of the newest.
pub fn merge_into(
    connection: &mut AnyConnection,
    mail: &MailRow,
    which: MergeScope,
    now: DateTime<Utc>,
) -> QueryResult<MailRow> {
    let others = lock_others(connection, mail)?;
    let chosen = others.iter().filter(|row| which == MergeScope::Unattempted || row.due_at > now);
    let ids: Vec<_> = chosen.map(|row| row.id).collect();
    let parts = delete_returning(connection, &ids)?;
    if parts.is_empty() {
        return Ok(mail.clone());
    }
    let merged = merged(mail.clone(), parts);
    diesel::update(mail_outbox::table.find(mail.id))
        .set((
            mail_outbox::occurrences.eq(merged.occurrences),
            mail_outbox::first_at.eq(merged.first_at.map(At)),
            mail_outbox::created_at.eq(At(merged.created_at)),
            mail_outbox::expires_at.eq(At(merged.expires_at)),
            mail_outbox::ip_address.eq(merged.ip_address.as_deref()),
            mail_outbox::user_agent.eq(merged.user_agent.as_deref()),
        ))
        .execute(connection)?;
    Ok(merged)
}

fn merged(mut mail: MailRow, parts: Vec<MergedMail>) -> MailRow {
    for part in parts {
        mail.occurrences += part.occurrences;
        mail.first_at = Some(mail.first_at.unwrap_or(mail.created_at).min(part.began_at()));
        mail.expires_at = mail.expires_at.max(part.expires_at);
        if part.created_at > mail.created_at {
            mail.created_at = part.created_at;
            mail.ip_address = part.ip_address;
            mail.user_agent = part.user_agent;
        }
    }
    mail
}

/// A mail of the same content to the same address.
#[derive(Debug, Clone, Copy)]
pub(super) struct SameMail {
    pub(super) id: i64,
    attempts: i64,
    due_at: DateTime<Utc>,
}

/// Locks the other mails of the same content to the same address that no worker has attempted yet.
pub(super) fn lock_others(connection: &mut AnyConnection, mail: &MailRow) -> QueryResult<Vec<SameMail>> {
    let same = lock_same(connection, mail.kind.as_str(), &mail.recipient, &mail.subject())?;
    Ok(same.into_iter().filter(|row| row.id != mail.id && row.attempts == 0).collect())
}

/// Locks the mails of one kind to one address about the same account, registration or row of a feature, newest first. Each registration has its own
/// link, and another person's must not replace the owner's. Rows that another transaction has locked are skipped, so that two
/// transactions that merge never wait for each other.
fn lock_same(
    connection: &mut AnyConnection,
    kind: &str,
    recipient: &str,
    about: &MailSubject,
) -> QueryResult<Vec<SameMail>> {
    type SameMailColumns = (i64, MailSubject, i64, DateTime<Utc>);
    let same = mail_outbox::table
        .filter(mail_outbox::kind.eq(kind))
        .filter(mail_outbox::recipient.eq(recipient))
        .order(mail_outbox::id.desc())
        .select((
            mail_outbox::id,
            (mail_outbox::user_id, mail_outbox::registration_id, mail_outbox::about),
            mail_outbox::attempts,
            mail_outbox::due_at,
        ));
    let rows: Vec<SameMailColumns> = match connection {
        AnyConnection::Postgres(postgres) => same.for_update().skip_locked().load(postgres)?,
        // SQLite's write transaction locks the whole file.
        AnyConnection::Sqlite(_) => same.load(connection)?,
    };
    let same = rows.into_iter().filter(|(_, of, _, _)| of == about);
    Ok(same.map(|(id, _, attempts, due_at)| SameMail { id, attempts, due_at }).collect())
}

fn delete_returning(connection: &mut AnyConnection, ids: &[i64]) -> QueryResult<Vec<MergedMail>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    diesel::delete(mail_outbox::table.filter(mail_outbox::id.eq_any(ids)))
        .returning((
            mail_outbox::occurrences,
            mail_outbox::first_at,
            mail_outbox::created_at,
            mail_outbox::expires_at,
            mail_outbox::ip_address,
            mail_outbox::user_agent,
        ))
        .get_results(connection)
}
