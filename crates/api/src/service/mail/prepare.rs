//! From a row of the outbox to a letter: who gets it, and with which link.

use super::text::{self, Content, Draft, Letter, Notice, Site};
use crate::service::links::{self, LinkToken, NoRandomBytes};
use crate::service::{ClientInfo, Services, event, identity};
use crate::store::events::EventKind;
use crate::store::mail_outbox::MailRow;
use crate::store::one_time_tokens::{self, NewToken, Purpose};
use crate::store::users::UserRow;
use crate::store::{AnyConnection, QueryResult, StoreError, events, users};
use auth_types::UserId;
use chrono::{DateTime, Utc};

/// Why there is no letter yet.
#[derive(Debug, thiserror::Error)]
pub(super) enum PrepareError {
    #[error("FRONTEND_URL is not set, so a link leads nowhere")]
    NoFrontEnd,
    #[error(transparent)]
    Random(#[from] NoRandomBytes),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who gets a link.
enum Receiver {
    /// Nobody: there is no such account, or nothing left to confirm.
    Nobody,
    Address(String),
    /// The address has an account: its owner is told that, and gets no link.
    OwnerOf(String),
}

/// Makes the letter, or nothing when there is nobody to write to.
///
/// # Errors
/// [`PrepareError`].
pub(super) async fn prepare(services: &Services, mail: &MailRow) -> Result<Option<Letter>, PrepareError> {
    let frontend_url = services.settings.origins.frontend_url.as_deref();
    let site = Site::at(frontend_url.ok_or(PrepareError::NoFrontEnd)?);
    let purpose = match Content::from(mail.kind) {
        Content::Notice(notice) => {
            return Ok(Some(text::notice(Draft { mail, site, to: mail.recipient.clone() }, notice)));
        }
        Content::Link(purpose) => purpose,
    };
    let LinkToken { token, hash } = LinkToken::new()?;
    let (row, now) = (mail.clone(), services.now());
    let issue = Issue { mail: row, purpose, hash, now };
    Ok(match services.store.write(move |connection| issue.run(connection)).await? {
        Receiver::Nobody => None,
        Receiver::Address(to) => Some(text::with_link(Draft { mail, site, to }, purpose, &token)),
        Receiver::OwnerOf(to) => Some(text::notice(Draft { mail, site, to }, Notice::AccountExists)),
    })
}

/// A token that is about to be made.
struct Issue {
    mail: MailRow,
    purpose: Purpose,
    hash: Vec<u8>,
    now: DateTime<Utc>,
}

impl Issue {
    fn run(self, connection: &mut AnyConnection) -> QueryResult<Receiver> {
        let Some(user) = self.find_account(connection)? else { return Ok(Receiver::Nobody) };
        // The user's row first and then the tokens, as everybody locks them who changes both.
        if users::lock_credentials(connection, user.id)?.is_none_or(|current| !current.is_active) {
            return Ok(Receiver::Nobody);
        }
        let to = match self.purpose {
            Purpose::VerifyEmail if user.email_verified_at.is_some() => return Ok(Receiver::Nobody),
            // To the address as the account has it, never as a stranger typed it.
            Purpose::VerifyEmail | Purpose::ResetPassword => user.email.clone(),
            Purpose::ChangeEmail => match self.find_by_recipient(connection)? {
                Some(other) if other.id != user.id => return Ok(Receiver::OwnerOf(other.email)),
                _ => self.mail.recipient.clone(),
            },
        };
        if self.purpose == Purpose::ResetPassword && self.mail.attempts == 1 {
            self.note_request(connection, user.id)?;
        }
        let expires_at = self.now + links::lifetime(self.purpose);
        let token = NewToken { hash: self.hash, purpose: self.purpose, user: user.id, email: to.clone(), expires_at };
        one_time_tokens::insert(connection, &token, self.now)?;
        Ok(Receiver::Address(to))
    }

    fn find_account(&self, connection: &mut AnyConnection) -> QueryResult<Option<UserRow>> {
        match self.mail.user_id {
            Some(user) => users::find(connection, UserId(user)),
            None => self.find_by_recipient(connection),
        }
    }

    fn find_by_recipient(&self, connection: &mut AnyConnection) -> QueryResult<Option<UserRow>> {
        let canonical = identity::canonical_email(&self.mail.recipient);
        canonical.map_or(Ok(None), |email| users::find_by_email(connection, &email))
    }

    /// The request itself could not: it did not know whether there is an account.
    fn note_request(&self, connection: &mut AnyConnection, user: UserId) -> QueryResult<()> {
        let (ip_address, user_agent) = (self.mail.ip_address.clone(), self.mail.user_agent.clone());
        let client = ClientInfo { ip_address, user_agent, ..ClientInfo::default() };
        events::insert(connection, &event(user, EventKind::PasswordResetRequested, self.mail.created_at, &client))
    }
}
