//! The rows of the outbox.

use crate::mails::{MailKind, StoredKind};
use crate::store::any::MultiBackend;
use crate::store::schema::mail_outbox;
use crate::store::types::Text;
use auth_types::UserId;
use chrono::{DateTime, Utc};
use diesel::prelude::*;

impl Queryable<Text, MultiBackend> for MailKind {
    type Row = String;
    fn build(row: String) -> diesel::deserialize::Result<Self> {
        Self::of(&row).ok_or_else(|| format!("mail_outbox.kind holds an unknown kind: {row}").into())
    }
}

impl Queryable<Text, MultiBackend> for StoredKind {
    type Row = String;
    fn build(row: String) -> diesel::deserialize::Result<Self> {
        Ok(Self::of(row))
    }
}

/// What a mail is about: the user, the pending registration, and the key of a feature's row.
pub(super) type MailSubject = (Option<i64>, Option<i64>, Option<String>);

/// A mail to insert; it is due at once.
#[derive(Debug, Clone)]
pub struct NewMail {
    pub kind: StoredKind,
    /// The account that it is about. `None` if only an address is known; its account is looked up when the mail is sent.
    pub user: Option<UserId>,
    /// The pending registration whose link it contains. `None` for the newest one of the address.
    pub pending_registration: Option<i64>,
    /// The key of the row of a feature that it is about.
    pub about: Option<String>,
    pub recipient: String,
    /// The client that caused it.
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    /// The client's network, by which its share of the worker is counted. `None` if it is unknown.
    pub requester: Option<String>,
    pub at: DateTime<Utc>,
    /// When it is too old to be of use.
    pub expires_at: DateTime<Utc>,
}

impl NewMail {
    pub(super) fn subject(&self) -> MailSubject {
        (self.user.map(|user| user.0), self.pending_registration, self.about.clone())
    }
}

/// A mail that a worker holds.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = mail_outbox)]
pub struct MailRow {
    pub id: i64,
    pub kind: StoredKind,
    pub user_id: Option<i64>,
    pub registration_id: Option<i64>,
    pub recipient: String,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub created_at: DateTime<Utc>,
    /// When the worker's lease ends.
    pub due_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    /// How often a worker has leased it, including this time.
    pub attempts: i64,
    pub requester: Option<String>,
    /// How many events of its kind it stands for.
    pub occurrences: i64,
    /// The time of the first of them; `None` if that is [`MailRow::created_at`].
    pub first_at: Option<DateTime<Utc>>,
    /// How often its end was sent and not acknowledged: each time it may have arrived.
    pub unacknowledged: i64,
    /// The key of the row of a feature that it is about.
    pub about: Option<String>,
}

impl MailRow {
    pub(super) fn subject(&self) -> MailSubject {
        (self.user_id, self.registration_id, self.about.clone())
    }
}

/// How many mails of one kind may wait for one address: as many as it may get within an hour.
pub const MAX_WAITING: usize = 5;
