//! Links that were asked for to addresses with nobody behind them.
//!
//! A request inserts the same row for every address, so a stranger can fill the outbox with them. They are dropped a page
//! at a time, by four statements, and never take the time of a mail that somebody waits for.

use super::metrics::MailOutcome;
use crate::mails::{MailKind, Needs};
use crate::names::Spellings;
use crate::service::Services;
use crate::store::users::{self, Addressee};
use crate::store::{AnyConnection, QueryResult, StoreError, mail_outbox, pending_registrations};
use chrono::{DateTime, Utc};
use std::collections::{HashMap, HashSet};

/// Rows that are looked at together.
const PAGE: i64 = 1_000;

/// Drops all that is due with an id after `looked_at`, and returns the last id that was looked at. What strangers ask for
/// meanwhile waits for the next look: while they go on asking, this would not end.
///
/// # Errors
/// When the database does not answer; what was dropped stays so.
pub(super) async fn drop_all(services: &Services, mut looked_at: i64) -> Result<i64, StoreError> {
    let now = services.now();
    loop {
        let after = looked_at;
        let page = services.store.run(move |connection| look(connection, now, after)).await?;
        let Some(last) = page.last else { return Ok(looked_at) };
        let delete = move |connection: &mut _| mail_outbox::delete_waiting(connection, &page.for_nobody);
        let dropped = services.store.write_statement(delete).await?;
        services.mailer.metrics.count(MailOutcome::Dropped, dropped);
        looked_at = last;
        if !page.is_full {
            return Ok(looked_at);
        }
    }
}

/// What a page of mails holds.
struct RecipientPage {
    /// Its last id; `None` when there is nothing.
    last: Option<i64>,
    is_full: bool,
    for_nobody: Vec<i64>,
}

/// Reads before anything is locked. The mails come first: whoever has made an account in the same transaction as its mail is
/// seen with it, and an account that came later than the mail was not meant by it.
fn look(connection: &mut AnyConnection, now: DateTime<Utc>, after: i64) -> QueryResult<RecipientPage> {
    let kinds: Vec<_> = MailKind::ALL.iter().copied().filter(|kind| kind.mail().needs.is_some()).collect();
    let mails = mail_outbox::list_waiting(connection, &kinds, (now, after), PAGE)?;
    let (last, is_full) = (mails.last().map(|mail| mail.id), i64::try_from(mails.len()) == Ok(PAGE));
    let spelled: Vec<_> = mails.iter().map(|mail| Spellings::of_recipient(&mail.recipient)).collect();
    let addresses: Vec<_> = spelled.iter().flat_map(Spellings::all).map(String::as_str).collect();
    let known = users::list_addressees(connection, &addresses)?;
    let pending: HashSet<_> = pending_registrations::list_addresses(connection, &addresses)?.into_iter().collect();
    let known = known.iter().map(|user| (user.email_canonical.as_str(), user)).collect();
    let for_nobody = mails.iter().zip(&spelled).filter(|(mail, to)| is_for_nobody(mail.kind, to, &known, &pending));
    let for_nobody = for_nobody.map(|(mail, _)| mail.id).collect();
    Ok(RecipientPage { last, is_full, for_nobody })
}

fn is_for_nobody(kind: MailKind, to: &Spellings, known: &HashMap<&str, &Addressee>, pending: &HashSet<String>) -> bool {
    let confirms = kind.mail().needs == Some(Needs::Unconfirmed);
    match to.all().iter().find_map(|address| known.get(address.as_str())) {
        Some(user) => confirms && user.email_verified_at.is_some(),
        None => !(confirms && to.all().iter().any(|address| pending.contains(address))),
    }
}
