//! Links that were requested for addresses without a recipient.
//!
//! A request inserts the same row for every address, so anyone can fill the outbox with such rows. They are dropped a page at
//! a time, with four statements, so that they never delay mails to real recipients.

use super::metrics::MailOutcome;
use crate::clock::CheckedTime;
use crate::mails::{MailKind, Needs};
use crate::names::Spellings;
use crate::service::Services;
use crate::store::users::{self, Addressee};
use crate::store::{AnyConnection, QueryResult, StoreError, mail_outbox, pending_registrations};
use chrono::{DateTime, Utc};
use std::collections::{HashMap, HashSet};

/// Rows that are read at once.
const PAGE: i64 = 1_000;

/// Drops the due mails without a recipient whose id is after `checked_until`, and returns the last id that was checked. Mails that
/// are requested in the meantime wait for the next run; otherwise this might never end. By a wrong clock none is dropped.
///
/// # Errors
/// [`StoreError`]; mails that were dropped stay dropped.
pub(super) async fn drop_all(services: &Services, mut checked_until: i64) -> Result<i64, StoreError> {
    let Ok(now) = services.clock.checked_now().map(CheckedTime::get) else { return Ok(checked_until) };
    loop {
        let after = checked_until;
        let page = services.store.run(move |connection| read_page(connection, now, after)).await?;
        let Some(last) = page.last else { return Ok(checked_until) };
        let delete = move |connection: &mut _| mail_outbox::delete_by_ids(connection, &page.without_recipient);
        let dropped = services.store.write_statement(delete).await?;
        services.mailer.metrics.count(MailOutcome::Dropped, dropped);
        checked_until = last;
        if !page.is_full {
            return Ok(checked_until);
        }
    }
}

/// A page of mails.
struct RecipientPage {
    /// Its last id; `None` if it is empty.
    last: Option<i64>,
    is_full: bool,
    without_recipient: Vec<i64>,
}

/// Reads before anything is locked. The mails are read first, so that an account created in the same transaction as its mail is
/// seen. An account created after the mail is not its recipient.
fn read_page(connection: &mut AnyConnection, now: DateTime<Utc>, after: i64) -> QueryResult<RecipientPage> {
    let kinds: Vec<_> = MailKind::ALL.iter().copied().filter(|kind| kind.mail().needs.is_some()).collect();
    let mails = mail_outbox::list_without_account(connection, now, &kinds, after, PAGE)?;
    let last = mails.last().map(|mail| mail.id);
    let is_full = i64::try_from(mails.len()) == Ok(PAGE);
    let spelled: Vec<_> = mails.iter().map(|mail| Spellings::of_recipient(&mail.recipient)).collect();
    let addresses: Vec<_> = spelled.iter().flat_map(Spellings::all).map(String::as_str).collect();
    let known = users::list_addressees(connection, &addresses)?;
    let pending: HashSet<_> = pending_registrations::list_addresses(connection, &addresses)?.into_iter().collect();
    let known = known.iter().map(|user| (user.email_canonical.as_str(), user)).collect();
    let without_recipient =
        mails.iter().zip(&spelled).filter(|(mail, to)| has_no_recipient(mail.kind, to, &known, &pending));
    let without_recipient = without_recipient.map(|(mail, _)| mail.id).collect();
    Ok(RecipientPage { last, is_full, without_recipient })
}

fn has_no_recipient(
    kind: MailKind,
    to: &Spellings,
    known: &HashMap<&str, &Addressee>,
    pending: &HashSet<String>,
) -> bool {
    let confirms = kind.mail().needs == Some(Needs::Unconfirmed);
    match to.all().iter().find_map(|address| known.get(address.as_str())) {
        Some(user) => confirms && user.email_verified_at.is_some(),
        None => !(confirms && to.all().iter().any(|address| pending.contains(address))),
    }
}
