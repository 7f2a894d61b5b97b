//! From a row of the outbox to a letter: who gets it, with which link, and whether their address gets it now.
//!
//! All of it is decided in one transaction, from rows that are read again under their locks: since the row was
//! claimed, its request may have been withdrawn, its account changed or deleted.

use super::address_quota::{AddressQuota, Allowance};
use super::links::{self, LinkToken, MailTokens};
use super::registration::{self, Target};
use super::text::{self, Letter, LetterDraft};
use crate::config::Settings;
use crate::mails::{Content, FrontEnd, MailKind, MailLink, NoticeTo, Purpose};
use crate::names::Spellings;
use crate::service::accounts::registrations;
use crate::service::{Cause, ClientInfo, Services};
use crate::store::events::EventKind;
use crate::store::mail_outbox::{self, Gather, MailRow, NewMail};
use crate::store::one_time_tokens::{self, NewToken};
use crate::store::pending_registrations::{self, RegistrationRow};
use crate::store::users::UserRow;
use crate::store::{AnyConnection, QueryResult, StoreError, events, users};
use auth_types::UserId;
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use std::sync::Arc;

/// Why there is no letter yet.
#[derive(Debug, thiserror::Error)]
pub(super) enum PrepareError {
    #[error("FRONTEND_URL is not set, so a link leads nowhere")]
    NoFrontEnd,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a row of the outbox came to.
pub(super) enum Prepared {
    /// And the token of a link to an account in it.
    Letter(Box<Letter>, Option<NewToken>),
    /// There is no such account, or nothing left to confirm.
    Nobody,
    /// The row is gone, or another worker's.
    Withdrawn,
    /// A link too many, with so many others that waited for the same address.
    OverAmount(usize),
    /// A notice too many: it waits.
    Deferred,
}

/// What the transaction decided.
enum LetterDecision {
    /// The row as it is by now, where it goes, what it turned out to say, and what a link in it holds.
    Send {
        mail: Box<MailRow>,
        to: String,
        says: MailKind,
        token: SecretString,
        /// As the table knows it.
        issued: Option<NewToken>,
    },
    Nobody,
    Withdrawn,
    OverAmount(usize),
    Deferred,
}

/// Makes the letter, unless nobody gets one.
pub(super) async fn prepare(services: &Services, mail: &MailRow, now: DateTime<Utc>) -> Result<Prepared, PrepareError> {
    let frontend_url = services.settings.origins.frontend_url.as_deref();
    let front_end = FrontEnd::at(frontend_url.ok_or(PrepareError::NoFrontEnd)?);
    let settings = Arc::clone(&services.settings);
    let preparation = Preparation { mail: mail.clone(), quota: AddressQuota::of(&settings), settings, now };
    let content = &mail.kind.mail().content;
    let verdict = services.store.write(move |connection| match content {
        Content::Link(link, _) => preparation.link(connection, *link),
        Content::Notice(to, _) => preparation.notice(connection, *to),
    });
    Ok(match verdict.await? {
        LetterDecision::Send { mail, to, says, token, issued } => {
            let letter = text::letter(LetterDraft { mail: &mail, says, front_end, to }, &token);
            Prepared::Letter(Box::new(letter), issued)
        }
        LetterDecision::Nobody => Prepared::Nobody,
        LetterDecision::Withdrawn => Prepared::Withdrawn,
        LetterDecision::OverAmount(waiting) => Prepared::OverAmount(waiting),
        LetterDecision::Deferred => Prepared::Deferred,
    })
}

/// A row that a worker has.
struct Preparation {
    mail: MailRow,
    quota: AddressQuota,
    settings: Arc<Settings>,
    now: DateTime<Utc>,
}

impl Preparation {
    fn link(self, connection: &mut AnyConnection, link: MailLink) -> QueryResult<LetterDecision> {
        let found = self.find_account(connection)?.map(|user| user.id);
        // The user's row first and then the mail and the tokens, as everybody locks them who changes several.
        if let Some(id) = found {
            users::lock_credentials(connection, id)?;
        }
        if !mail_outbox::lock(connection, &self.mail)? {
            return Ok(LetterDecision::Withdrawn);
        }
        let user = self.find_account(connection)?.filter(|user| Some(user.id) == found);
        match registration::target(connection, &self.mail, (link, user), self.now)? {
            Target::Account(user, purpose) if user.is_active => self.link_for(connection, &user, purpose),
            Target::Account(..) | Target::Nobody => Ok(LetterDecision::Nobody),
            Target::Registration(registration) => self.link_for_registration(connection, registration),
            Target::OwnerOf(owner) => {
                self.note_request(connection, owner.id, EventKind::RegisterRepeated)?;
                self.report_taken(connection, &owner)
            }
        }
    }

    fn link_for(self, connection: &mut AnyConnection, user: &UserRow, purpose: Purpose) -> QueryResult<LetterDecision> {
        let (to, says) = match purpose {
            Purpose::VerifyEmail if user.email_verified_at.is_some() => return Ok(LetterDecision::Nobody),
            // To the address as the account has it, never as a stranger typed it.
            Purpose::VerifyEmail | Purpose::ResetPassword => (user.email.clone(), self.mail.kind),
            Purpose::ChangeEmail => self.change_to(connection, user)?,
        };
        let tokens = MailTokens::of_mail(&self.settings.keys, &self.mail);
        let known = one_time_tokens::find_any(connection, &tokens.hashes())?;
        if known.as_ref().is_some_and(|known| known.is_spent) {
            return Ok(LetterDecision::Nobody); // it has arrived at an attempt before and was used, or a newer one has taken its place
        }
        if self.mail.attempts > 1 && mail_outbox::has_newer(connection, &self.mail)? {
            return Ok(LetterDecision::Nobody); // after an outage one mail arrives, and not each that was asked for meanwhile
        }
        if self.quota.take(connection, &self.mail, &to, self.now)? != Allowance::Available {
            // Before any token is touched: the link that did arrive goes on working.
            return mail_outbox::delete_same(connection, &self.mail).map(LetterDecision::OverAmount);
        }
        let proves = if purpose == Purpose::ChangeEmail { &self.mail.recipient } else { &to };
        let LinkToken { token, hash } = tokens.choose(known.as_ref().map(|known| known.hash.as_slice()));
        let issued = Some(self.issue(connection, purpose, (user.id, proves), hash)?);
        Ok(LetterDecision::Send { mail: Box::new(self.mail), to, says, token, issued })
    }

    /// Where another account has the new address, its owner reads of it in the place of the link. All else is the same, the
    /// row, its attempts and the link's token, which nobody gets: whoever asked sees these in their export.
    fn change_to(&self, connection: &mut AnyConnection, user: &UserRow) -> QueryResult<(String, MailKind)> {
        Ok(match self.find_by_recipient(connection)? {
            Some(owner) if owner.id != user.id => (owner.email, MailKind::AccountExists),
            _ => (self.mail.recipient.clone(), self.mail.kind),
        })
    }

    fn link_for_registration(
        self,
        connection: &mut AnyConnection,
        registration: RegistrationRow,
    ) -> QueryResult<LetterDecision> {
        if self.quota.take(connection, &self.mail, &registration.email, self.now)? != Allowance::Available {
            return mail_outbox::delete_same(connection, &self.mail).map(LetterDecision::OverAmount);
        }
        let expires_at = self.now + registrations::LIFETIME;
        let known = pending_registrations::find_link(connection, registration.id)?;
        let tokens = MailTokens::of_registration(&self.settings.keys, &registration);
        let LinkToken { token, hash } = tokens.choose(known.as_deref());
        let is_there = pending_registrations::set_link(connection, registration.id, &hash, expires_at)?;
        Ok(if is_there {
            let (mail, to) = (Box::new(self.mail), registration.email);
            LetterDecision::Send { mail, to, says: MailKind::ConfirmRegistration, token, issued: None }
        } else {
            LetterDecision::Nobody
        })
    }

    fn issue(
        &self,
        connection: &mut AnyConnection,
        purpose: Purpose,
        (user, to): (UserId, &str),
        hash: Vec<u8>,
    ) -> QueryResult<NewToken> {
        if purpose == Purpose::ResetPassword {
            self.note_request(connection, user, EventKind::PasswordResetRequested)?;
        }
        let expires_at = self.now + links::lifetime(purpose);
        let token = NewToken { hash, purpose, user, email: to.to_owned(), expires_at };
        one_time_tokens::insert_or_extend(connection, &token).map(|()| token)
    }

    /// The address has an account: its owner gets a notice and no link.
    fn report_taken(&self, connection: &mut AnyConnection, owner: &UserRow) -> QueryResult<LetterDecision> {
        let kind = MailKind::AccountExists;
        let notice = NewMail {
            kind,
            user: None,
            registration: None,
            recipient: owner.email_canonical.clone(),
            ip_address: self.mail.ip_address.clone(),
            user_agent: self.mail.user_agent.clone(),
            requester: self.mail.requester.clone(),
            at: self.mail.created_at,
            expires_at: self.mail.created_at + kind.mail().worth_sending,
        };
        mail_outbox::insert(connection, &notice)?;
        Ok(LetterDecision::Nobody)
    }

    fn notice(self, connection: &mut AnyConnection, to: NoticeTo) -> QueryResult<LetterDecision> {
        if !mail_outbox::lock(connection, &self.mail)? {
            return Ok(LetterDecision::Withdrawn);
        }
        let to = match to {
            NoticeTo::Owner => match self.find_by_recipient(connection)? {
                Some(owner) => owner.email,
                None => return Ok(LetterDecision::Nobody),
            },
            NoticeTo::Recipient => self.mail.recipient.clone(),
        };
        match self.quota.take(connection, &self.mail, &to, self.now)? {
            Allowance::Available => {
                let mail = mail_outbox::gather(connection, &self.mail, Gather::Deferred, self.now)?;
                let token = MailTokens::of_mail(&self.settings.keys, &mail).choose(None).token;
                Ok(LetterDecision::Send { mail: Box::new(mail), to, says: self.mail.kind, token, issued: None })
            }
            Allowance::AvailableAt(at) => {
                let mail = mail_outbox::gather(connection, &self.mail, Gather::Waiting, self.now)?;
                mail_outbox::defer(connection, &mail, at)?;
                Ok(LetterDecision::Deferred)
            }
        }
    }

    fn find_account(&self, connection: &mut AnyConnection) -> QueryResult<Option<UserRow>> {
        match self.mail.user_id {
            Some(user) => users::find(connection, UserId(user)),
            None => self.find_by_recipient(connection),
        }
    }

    fn find_by_recipient(&self, connection: &mut AnyConnection) -> QueryResult<Option<UserRow>> {
        users::find_by_spelling(connection, &Spellings::of_recipient(&self.mail.recipient))
    }

    /// Records, once, what was asked for. The request itself could not: it did not know whether there is an account.
    fn note_request(&self, connection: &mut AnyConnection, user: UserId, kind: EventKind) -> QueryResult<()> {
        if self.mail.attempts > 1 {
            return Ok(());
        }
        let (ip_address, user_agent) = (self.mail.ip_address.clone(), self.mail.user_agent.clone());
        let client = ClientInfo { ip_address, user_agent, ..ClientInfo::default() };
        let cause = Cause { client, ..Cause::of_nobody(self.mail.created_at) };
        events::insert(connection, &cause.event(user, kind))
    }
}
