//! From a row of the outbox to a feature's mail.

use super::address_quota::AddressQuota;
use super::draft::{Draft, PrepareResult, Unsent};
use super::feature_mail::{DeclaredMail, MailContext};
use super::text::MailBody;
use crate::mails::FrontEnd;
use crate::store::mail_outbox::{self, MailRow};
use crate::store::{AnyConnection, sent_mails, users};
use auth_types::UserId;
use chrono::{DateTime, Utc};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A row that a worker holds, and what preparing it needs.
pub(super) struct FeaturePreparation {
    pub(super) mail: MailRow,
    pub(super) declared: DeclaredMail,
    pub(super) front_end: String,
    pub(super) quota: AddressQuota,
    pub(super) now: DateTime<Utc>,
    /// Set while the feature's function runs: a failure is its own then, and says nothing about other mails.
    pub(super) is_in_feature: Arc<AtomicBool>,
}

impl FeaturePreparation {
    /// The recipient is the address that the account has confirmed by now, if it may still sign in.
    pub(super) fn prepare(self, connection: &mut AnyConnection) -> PrepareResult {
        let (Some(id), Some(key)) = (self.mail.user_id.map(UserId), self.mail.about.as_deref()) else {
            return Ok(Err(Unsent::NothingToSend));
        };
        // Locks the user's row first, then the mail: the order of every transaction that changes several.
        users::lock_credentials(connection, id)?;
        if !mail_outbox::lock(connection, &self.mail)? {
            return Ok(Err(Unsent::Withdrawn));
        }
        let user = users::find(connection, id)?.filter(|user| user.is_active && user.email_verified_at.is_some());
        let Some(user) = user else { return Ok(Err(Unsent::NothingToSend)) };
        let Some(mail) = self.quota.take_or_defer(connection, &self.mail, &user.email, self.now)? else {
            return Ok(Err(Unsent::Deferred));
        };
        let front_end = FrontEnd::at(&self.front_end);
        let context = MailContext { user: &user, occurrences: mail.occurrences, front_end };
        self.is_in_feature.store(true, Ordering::Relaxed);
        let written = self.declared.write(connection, &context, key)?;
        self.is_in_feature.store(false, Ordering::Relaxed);
        let Some(text) = written else {
            sent_mails::refund(connection, &mail)?;
            return Ok(Err(Unsent::NothingToSend));
        };
        Ok(Ok(Draft { mail, to: user.email, body: MailBody::Feature(text), replaces: None }))
    }
}
