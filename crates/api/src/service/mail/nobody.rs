//! Links that were asked for to addresses with nobody behind them.
//!
//! A request inserts the same row for every address, so a stranger can fill the outbox with them. They are dropped a page
//! at a time, by three statements, and never take the time of a mail that somebody waits for.

use crate::metrics::MailOutcome;
use crate::service::Services;
use crate::store::mail_outbox::{self, MailKind, Waiting};
use crate::store::users::{self, Addressee};
use crate::store::{AnyConnection, QueryResult, StoreError, pending_registrations};
use chrono::{DateTime, Utc};
use std::collections::{HashMap, HashSet};

/// Rows that are looked at together.
const PAGE: i64 = 1_000;
/// What is asked for by an address alone.
const KINDS: [MailKind; 2] = [MailKind::ResetPassword, MailKind::VerifyEmail];

/// Drops all that is due with an id after `looked_at`, and returns the last id that was looked at.
///
/// # Errors
/// When the database does not answer; what was dropped stays so.
pub(super) async fn drop_all(services: &Services, mut looked_at: i64) -> Result<i64, StoreError> {
    let now = services.now();
    loop {
        let after = looked_at;
        let page = services.store.write(move |connection| drop_page(connection, now, after)).await?;
        let Some((last, dropped)) = page else { return Ok(looked_at) };
        services.metrics.mail.count(MailOutcome::Dropped, dropped);
        looked_at = last;
    }
}

/// The last id of a page and how many of its mails were dropped; `None` when there is no further page.
fn drop_page(connection: &mut AnyConnection, now: DateTime<Utc>, after: i64) -> QueryResult<Option<(i64, usize)>> {
    let page = mail_outbox::list_waiting(connection, &KINDS, (now, after), PAGE)?;
    let Some(last) = page.last().map(|mail| mail.id) else { return Ok(None) };
    let addresses: Vec<_> = page.iter().map(|mail| mail.recipient.as_str()).collect();
    let known = users::list_addressees(connection, &addresses)?;
    let pending: HashSet<_> = pending_registrations::list_addresses(connection, &addresses)?.into_iter().collect();
    let known = known.iter().map(|user| (user.email_canonical.as_str(), user)).collect();
    let ids: Vec<_> = page.iter().filter(|mail| is_for_nobody(mail, &known, &pending)).map(|mail| mail.id).collect();
    Ok(Some((last, mail_outbox::delete_waiting(connection, &ids)?)))
}

fn is_for_nobody(mail: &Waiting, known: &HashMap<&str, &Addressee>, pending: &HashSet<String>) -> bool {
    let confirms = mail.kind == MailKind::VerifyEmail;
    match known.get(mail.recipient.as_str()) {
        Some(user) => confirms && user.email_verified_at.is_some(),
        None => !(confirms && pending.contains(&mail.recipient)),
    }
}
