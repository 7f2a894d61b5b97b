//! What the link in a mail is for: an account, a pending registration, or neither. A mail to an address that has an account already is a
//! notice.

use crate::mails::{Content, MailLink, NoticeTo, Purpose, StoredKind};
use crate::names::Spellings;
use crate::service::accounts::pending;
use crate::store::mail_outbox::MailRow;
use crate::store::pending_registrations::{self, PendingRegistrationRow};
use crate::store::users::{self, UserRow};
use crate::store::{AnyConnection, QueryResult};
use auth_types::UserId;
use chrono::{DateTime, Utc};

/// What a link is for.
pub(super) enum Target {
    Account(UserRow, Purpose),
    PendingRegistration(PendingRegistrationRow),
    /// The address of a sign-up has an account already; its owner is notified.
    OwnerOf(UserRow),
    /// There is no such account or pending registration.
    NothingToSend,
}

/// What the link in `mail` is for, given the account that it is about or whose address it goes to.
pub(super) fn find(
    connection: &mut AnyConnection,
    mail: &MailRow,
    link: MailLink,
    account: Option<UserRow>,
    now: DateTime<Utc>,
) -> QueryResult<Target> {
    let purpose = match link {
        MailLink::Account(purpose) => purpose,
        MailLink::PendingRegistration => Purpose::VerifyEmail,
    };
    // A reset or a change is always about an account, even where the row names only an address.
    let is_about_account = mail.user_id.is_some() || purpose != Purpose::VerifyEmail;
    Ok(match account {
        // An earlier release created the account before its address was confirmed: a registration may replace it.
        Some(user) if !is_about_account && pending::is_replaceable(&user) => {
            match find_pending(connection, mail, now)? {
                Some(pending) => Target::PendingRegistration(pending),
                // The sign-up has expired, and its mail is not about that account.
                None if link == MailLink::PendingRegistration => Target::NothingToSend,
                // The confirmation was requested again for that account.
                None => Target::Account(user, purpose),
            }
        }
        // Whoever signed up must not learn that the address has an account.
        Some(user) if link == MailLink::PendingRegistration => Target::OwnerOf(user),
        Some(user) => Target::Account(user, purpose),
        // The account was deleted, or never existed.
        None if is_about_account => Target::NothingToSend,
        // A sign-up, or its confirmation requested again.
        None => find_pending(connection, mail, now)?.map_or(Target::NothingToSend, Target::PendingRegistration),
    })
}

/// The account that `mail` is about, if there is one. Another person's pending registration for the account's address is not about it.
pub(super) fn find_account(
    connection: &mut AnyConnection,
    mail: &MailRow,
    now: DateTime<Utc>,
) -> QueryResult<Option<UserId>> {
    if let Some(user) = mail.user_id {
        return Ok(Some(UserId(user)));
    }
    let StoredKind::Own(kind) = &mail.kind else { return Ok(None) };
    let owner = users::find_by_spelling(connection, &Spellings::of_recipient(&mail.recipient))?;
    let account = match &kind.mail().content {
        Content::Link(link, _) => match find(connection, mail, *link, owner, now)? {
            Target::Account(user, _) => Some(user),
            Target::PendingRegistration(_) | Target::OwnerOf(_) | Target::NothingToSend => None,
        },
        Content::Notice(NoticeTo::Owner, _) => owner,
        Content::Notice(NoticeTo::Recipient, _) => None,
    };
    Ok(account.map(|user| user.id))
}

/// The pending registration that the mail is about; the newest one of the address if it names none.
fn find_pending(
    connection: &mut AnyConnection,
    mail: &MailRow,
    now: DateTime<Utc>,
) -> QueryResult<Option<PendingRegistrationRow>> {
    match mail.registration_id {
        Some(id) => pending_registrations::find(connection, id, now),
        None => pending_registrations::find_newest(connection, &mail.recipient, now),
    }
}
