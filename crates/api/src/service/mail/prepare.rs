//! From a row of the outbox to a mail: its recipient, its link, and whether the address may get it now.
//!
//! All of this is decided in one transaction, from rows that are read again under their locks: since the row was leased, its
//! request may have been withdrawn, or its account changed or deleted.

use super::address_quota::{AddressQuota, Allowance};
use super::draft::{Draft, PrepareResult, Unsent};
use super::links::{self, MailTokens};
use super::prepare_feature::FeaturePreparation;
use super::target::{self, Target};
use super::text::{self, MailBody, MailDraft, RenderedMail};
use crate::clock::CheckedTime;
use crate::config::Settings;
use crate::mails::{Content, FrontEnd, MailKind, MailLink, NoticeTo, Purpose, StoredKind};
use crate::names::Spellings;
use crate::service::accounts::pending;
use crate::service::opaque_token::OpaqueToken;
use crate::service::{ClientInfo, RequestContext, Services};
use crate::store::events::EventKind;
use crate::store::mail_outbox::{self, MailRow, NewMail};
use crate::store::one_time_tokens::{self, NewToken, Replacement};
use crate::store::pending_registrations::{self, PendingRegistrationRow};
use crate::store::users::UserRow;
use crate::store::{AnyConnection, QueryResult, StoreError, events, users};
use auth_types::UserId;
use chrono::{DateTime, Utc};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Why a mail cannot be prepared yet.
#[derive(Debug, thiserror::Error)]
pub(super) enum PrepareError {
    #[error("FRONTEND_URL is not set, so a link would lead nowhere")]
    NoFrontEnd,
    #[error("its feature failed to write it: {0}")]
    Feature(#[source] StoreError),
    #[error("no feature of this program declares it")]
    Undeclared,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A mail that can be sent now.
pub(super) struct PreparedMail {
    pub(super) rendered: Box<RenderedMail>,
    /// The older links for the same account and purpose, which its own replaces.
    pub(super) replaces: Option<Replacement>,
}

/// Prepares the mail, if there is one to send.
pub(super) async fn prepare(
    services: &Services,
    mail: &MailRow,
    now: CheckedTime,
) -> Result<Result<PreparedMail, Unsent>, PrepareError> {
    let frontend_url = services.settings.origins.frontend_url.as_deref();
    let front_end = FrontEnd::at(frontend_url.ok_or(PrepareError::NoFrontEnd)?);
    let settings = Arc::clone(&services.settings);
    let quota = AddressQuota::of(Arc::clone(&settings), Arc::clone(&services.mails));
    let mail = mail.clone();
    let now = now.get();
    let prepared = match &mail.kind {
        StoredKind::Own(kind) => {
            let preparation = Preparation { kind: *kind, mail, quota, settings, now };
            services.store.write(|connection| preparation.prepare(connection)).await?
        }
        StoredKind::Feature(name) => {
            let declared = services.mails.find(name).cloned().ok_or(PrepareError::Undeclared)?;
            let front_end = front_end.url().to_owned();
            let is_in_feature = Arc::<AtomicBool>::default();
            let preparation =
                FeaturePreparation { mail, declared, front_end, quota, now, is_in_feature: Arc::clone(&is_in_feature) };
            let prepared = services.store.write(|connection| preparation.prepare(connection)).await;
            let fails = if is_in_feature.load(Ordering::Relaxed) { PrepareError::Feature } else { PrepareError::Store };
            prepared.map_err(fails)?
        }
    };
    Ok(prepared.map(|Draft { mail, to, body, replaces }| {
        let rendered = text::render(MailDraft { row: &mail, front_end, to }, &body);
        PreparedMail { rendered: Box::new(rendered), replaces }
    }))
}

/// A row of one of Latchkey's own mails that a worker holds, and what preparing it needs.
struct Preparation {
    kind: MailKind,
    mail: MailRow,
    quota: AddressQuota,
    settings: Arc<Settings>,
    now: DateTime<Utc>,
}

impl Preparation {
    fn prepare(self, connection: &mut AnyConnection) -> PrepareResult {
        match &self.kind.mail().content {
            Content::Link(link, _) => self.prepare_link(connection, *link),
            Content::Notice(to, body) => {
                let body = MailBody::Notice(self.kind, *body);
                self.prepare_notice(connection, *to, body)
            }
        }
    }

    fn prepare_link(self, connection: &mut AnyConnection, link: MailLink) -> PrepareResult {
        let found = self.find_account(connection)?.map(|user| user.id);
        // Locks the user's row first, then the mail and the tokens: the order of every transaction that changes several.
        if let Some(id) = found {
            users::lock_credentials(connection, id)?;
        }
        if !mail_outbox::lock(connection, &self.mail)? {
            return Ok(Err(Unsent::Withdrawn));
        }
        let user = self.find_account(connection)?.filter(|user| Some(user.id) == found);
        match target::find(connection, &self.mail, link, user, self.now)? {
            Target::Account(user, purpose) if user.is_active => self.prepare_account_link(connection, &user, purpose),
            Target::Account(..) | Target::NothingToSend => Ok(Err(Unsent::NothingToSend)),
            Target::PendingRegistration(pending) => self.prepare_registration_link(connection, pending),
            Target::OwnerOf(owner) => {
                self.record_request(connection, owner.id, EventKind::RegisterRepeated)?;
                self.notify_owner(connection, &owner)
            }
        }
    }

    fn prepare_account_link(self, connection: &mut AnyConnection, user: &UserRow, purpose: Purpose) -> PrepareResult {
        let (to, kind) = match purpose {
            Purpose::VerifyEmail if user.email_verified_at.is_some() => return Ok(Err(Unsent::NothingToSend)),
            // To the account's own spelling of the address, never to the one that was typed.
            Purpose::VerifyEmail | Purpose::ResetPassword => (user.email.clone(), self.kind),
            Purpose::ChangeEmail => self.change_recipient(connection, user)?,
        };
        let tokens = MailTokens::of_mail(&self.settings.keys, &self.mail);
        let known = one_time_tokens::find_issued(connection, &tokens.hashes())?;
        if known.as_ref().is_some_and(|known| known.is_spent) {
            return Ok(Err(Unsent::NothingToSend)); // an earlier attempt has arrived and the link was used, or a newer one replaced it
        }
        if self.mail.attempts > 1 && mail_outbox::has_newer(connection, &self.mail)? {
            return Ok(Err(Unsent::NothingToSend)); // after an outage an account gets one mail, not each one that was requested in it
        }
        if self.quota.take(connection, &self.mail, &to, self.now)? != Allowance::Available {
            // Returns before any token is changed, so that the link that did arrive stays valid.
            return self.drop_link(connection);
        }
        // The address that using the link proves: for a change, the new one.
        let confirmed_address = if purpose == Purpose::ChangeEmail { &self.mail.recipient } else { &to };
        let OpaqueToken { token, hash } = tokens.choose(known.as_ref().map(|known| known.hash.as_slice()));
        let expires_at = self.now + links::lifetime(purpose);
        let issued = NewToken { hash, purpose, user: user.id, email: confirmed_address.clone(), expires_at };
        let replaces = Some(self.issue(connection, &issued)?);
        Ok(Ok(Draft { mail: self.mail, to, body: MailBody::of(kind, token), replaces }))
    }

    /// Deletes the mail, whose address has used up its quota, with its duplicates that no worker has attempted yet.
    fn drop_link(&self, connection: &mut AnyConnection) -> PrepareResult {
        let duplicates = mail_outbox::delete_unattempted_duplicates(connection, &self.mail)?;
        mail_outbox::delete(connection, &self.mail)?;
        Ok(Err(Unsent::OverQuota(1 + duplicates)))
    }

    /// If another account has the new address, its owner gets a notice instead of the link. The row, its attempts and the link's
    /// token are the same in both cases, because the user who asked sees them in their export; the token is then sent to no one.
    fn change_recipient(&self, connection: &mut AnyConnection, user: &UserRow) -> QueryResult<(String, MailKind)> {
        let new_email = Spellings::of_email(&self.mail.recipient);
        Ok(match users::find_other_by_spelling(connection, &new_email, user.id)? {
            Some(owner) => (owner.email, MailKind::AccountExists),
            None => (self.mail.recipient.clone(), self.kind),
        })
    }

    fn prepare_registration_link(
        self,
        connection: &mut AnyConnection,
        pending: PendingRegistrationRow,
    ) -> PrepareResult {
        if self.quota.take(connection, &self.mail, &pending.email, self.now)? != Allowance::Available {
            return self.drop_link(connection);
        }
        let expires_at = self.now + pending::LIFETIME;
        let known = pending_registrations::find_link(connection, pending.id)?;
        let tokens = MailTokens::of_pending(&self.settings.keys, &pending);
        let OpaqueToken { token, hash } = tokens.choose(known.as_deref());
        let exists = pending_registrations::set_link(connection, pending.id, &hash, expires_at)?;
        let body = MailBody::of(MailKind::ConfirmRegistration, token);
        let draft = Draft { mail: self.mail, to: pending.email, body, replaces: None };
        Ok(if exists { Ok(draft) } else { Err(Unsent::NothingToSend) })
    }

    /// Returns the links that are older than this one.
    fn issue(&self, connection: &mut AnyConnection, token: &NewToken) -> QueryResult<Replacement> {
        if token.purpose == Purpose::ResetPassword {
            self.record_request(connection, token.user, EventKind::PasswordResetRequested)?;
        }
        one_time_tokens::insert_or_extend(connection, token)?;
        one_time_tokens::list_replaced(connection, token)
    }

    /// The address has an account: its owner gets a notice instead of a link.
    fn notify_owner(&self, connection: &mut AnyConnection, owner: &UserRow) -> PrepareResult {
        let kind = MailKind::AccountExists;
        let notice = NewMail {
            kind: kind.into(),
            user: None,
            pending_registration: None,
            about: None,
            recipient: owner.email_canonical.clone(),
            ip_address: self.mail.ip_address.clone(),
            user_agent: self.mail.user_agent.clone(),
            requester: self.mail.requester.clone(),
            at: self.mail.created_at,
            expires_at: self.mail.created_at + kind.mail().send_within,
        };
        mail_outbox::insert(connection, &notice)?;
        Ok(Err(Unsent::NothingToSend))
    }

    fn prepare_notice(self, connection: &mut AnyConnection, to: NoticeTo, body: MailBody) -> PrepareResult {
        if !mail_outbox::lock(connection, &self.mail)? {
            return Ok(Err(Unsent::Withdrawn));
        }
        let to = match to {
            NoticeTo::Owner => match self.find_by_recipient(connection)? {
                Some(owner) => owner.email,
                None => return Ok(Err(Unsent::NothingToSend)),
            },
            NoticeTo::Recipient => self.mail.recipient.clone(),
        };
        let admitted = self.quota.take_or_defer(connection, &self.mail, &to, self.now)?;
        Ok(admitted.map(|mail| Draft { mail, to, body, replaces: None }).ok_or(Unsent::Deferred))
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

    /// Records the request as an event, at the first attempt. The request itself did not know whether there is an account.
    fn record_request(&self, connection: &mut AnyConnection, user: UserId, kind: EventKind) -> QueryResult<()> {
        if self.mail.attempts > 1 {
            return Ok(());
        }
        let client = ClientInfo {
            ip_address: self.mail.ip_address.clone(),
            user_agent: self.mail.user_agent.clone(),
            ..ClientInfo::default()
        };
        let context = RequestContext { client, ..RequestContext::without_client(self.mail.created_at) };
        events::insert(connection, &context.event(user, kind))
    }
}
