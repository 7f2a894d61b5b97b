//! Mails that say the same to the same address: several waiting ones become one.

use super::row::{MOST_WAITING, MailRow, NewMail};
use crate::mails::MailKind;
use crate::store::any::AnyConnection;
use crate::store::schema::mail_outbox;
use crate::store::types::At;
use chrono::{DateTime, Utc};
use diesel::prelude::*;

/// What mails report that were taken out of the outbox.
#[derive(Debug, Default)]
pub(super) struct FoldTotals {
    pub(super) occurrences: i64,
    pub(super) first_at: Option<DateTime<Utc>>,
}

/// Which mails are folded into another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gather {
    /// All that no worker has had yet.
    Waiting,
    /// Those that were put off because their address has had its amount.
    Deferred,
}

/// A row that is about to be folded.
#[derive(Debug, Clone, Queryable)]
struct FoldedMail {
    occurrences: i64,
    first_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    ip_address: Option<String>,
    user_agent: Option<String>,
}

impl FoldedMail {
    fn began_at(&self) -> DateTime<Utc> {
        self.first_at.unwrap_or(self.created_at)
    }
}

/// Takes the oldest mails of the same kind to the same address out, until another one may wait.
pub(super) fn make_room(connection: &mut AnyConnection, mail: &NewMail) -> QueryResult<FoldTotals> {
    let about = (mail.user.map(|user| user.0), mail.registration);
    let same = lock_same(connection, mail.kind, &mail.recipient, about)?;
    let ids: Vec<_> = same.iter().skip(MOST_WAITING - 1).map(|row| row.id).collect();
    let parts = take(connection, &ids)?;
    let occurrences = parts.iter().map(|part| part.occurrences).sum();
    Ok(FoldTotals { occurrences, first_at: parts.iter().map(FoldedMail::began_at).min() })
}

/// Folds others into `mail`, which a worker has, and returns it as it is then: with the time and the cause of the newest.
pub fn gather(
    connection: &mut AnyConnection,
    mail: &MailRow,
    which: Gather,
    now: DateTime<Utc>,
) -> QueryResult<MailRow> {
    let others = lock_others(connection, mail)?;
    let folded = others.iter().filter(|row| which == Gather::Waiting || row.due_at > now);
    let ids: Vec<_> = folded.map(|row| row.id).collect();
    let parts = take(connection, &ids)?;
    if parts.is_empty() {
        return Ok(mail.clone());
    }
    let folded = merge(mail.clone(), parts);
    diesel::update(mail_outbox::table.find(mail.id))
        .set((
            mail_outbox::occurrences.eq(folded.occurrences),
            mail_outbox::first_at.eq(folded.first_at.map(At)),
            mail_outbox::created_at.eq(At(folded.created_at)),
            mail_outbox::expires_at.eq(At(folded.expires_at)),
            mail_outbox::ip_address.eq(folded.ip_address.as_deref()),
            mail_outbox::user_agent.eq(folded.user_agent.as_deref()),
        ))
        .execute(connection)?;
    Ok(folded)
}

fn merge(mut mail: MailRow, parts: Vec<FoldedMail>) -> MailRow {
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

/// A mail that says the same to the same address.
#[derive(Debug, Clone, Copy)]
pub(super) struct SameMail {
    pub(super) id: i64,
    attempts: i64,
    due_at: DateTime<Utc>,
}

/// The mails that say the same as `mail` to the same address and that no worker has had yet.
pub(super) fn lock_others(connection: &mut AnyConnection, mail: &MailRow) -> QueryResult<Vec<SameMail>> {
    let same = lock_same(connection, mail.kind, &mail.recipient, (mail.user_id, mail.registration_id))?;
    Ok(same.into_iter().filter(|row| row.id != mail.id && row.attempts == 0).collect())
}

/// The user and the pending registration that a mail is about.
type MailSubject = (Option<i64>, Option<i64>);

/// The mails of one kind to one address about the same account or registration, the newest first: each registration has a
/// link of its own, and a stranger's must not take the place of the owner's. Those that somebody else has locked are
/// left out, so that two who fold never wait for each other.
fn lock_same(
    connection: &mut AnyConnection,
    kind: MailKind,
    recipient: &str,
    about: MailSubject,
) -> QueryResult<Vec<SameMail>> {
    type SameMailColumns = (i64, MailSubject, i64, DateTime<Utc>);
    let same = mail_outbox::table
        .filter(mail_outbox::kind.eq(kind.as_str()))
        .filter(mail_outbox::recipient.eq(recipient))
        .order(mail_outbox::id.desc())
        .select((
            mail_outbox::id,
            (mail_outbox::user_id, mail_outbox::registration_id),
            mail_outbox::attempts,
            mail_outbox::due_at,
        ));
    let rows: Vec<SameMailColumns> = match connection {
        AnyConnection::Postgres(postgres) => same.for_update().skip_locked().load(postgres)?,
        // SQLite's write transaction holds the whole file.
        AnyConnection::Sqlite(_) => same.load(connection)?,
    };
    let same = rows.into_iter().filter(|(_, of, _, _)| *of == about);
    Ok(same.map(|(id, _, attempts, due_at)| SameMail { id, attempts, due_at }).collect())
}

/// Deletes these and returns them.
fn take(connection: &mut AnyConnection, ids: &[i64]) -> QueryResult<Vec<FoldedMail>> {
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
