//! What a row says.

use crate::mails::MailKind;
use crate::store::any::MultiBackend;
use crate::store::schema::mail_outbox;
use crate::store::types::Text;
use auth_types::UserId;
use chrono::{DateTime, Utc};
use diesel::prelude::*;

impl Queryable<Text, MultiBackend> for MailKind {
    type Row = String;
    fn build(row: String) -> diesel::deserialize::Result<Self> {
        Self::of(&row).ok_or_else(|| format!("mail_outbox.kind holds a word that is no kind of mail: {row}").into())
    }
}

/// A mail to insert; it is due at once.
#[derive(Debug, Clone)]
pub struct NewMail {
    pub kind: MailKind,
    /// Whose account it is about. `None` when only an address is known: whether it has an account shows when the mail is
    /// sent.
    pub user: Option<UserId>,
    /// The pending registration whose link it brings. `None` for the newest of the address.
    pub registration: Option<i64>,
    /// The address.
    pub recipient: String,
    /// Who caused it.
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    /// The network of who caused it: what their share of the worker is counted by. `None` when it is not known.
    pub requester: Option<String>,
    pub at: DateTime<Utc>,
    /// When it is not worth sending any more.
    pub expires_at: DateTime<Utc>,
}

/// A mail that a worker has.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = mail_outbox)]
pub struct MailRow {
    pub id: i64,
    pub kind: MailKind,
    pub user_id: Option<i64>,
    pub registration_id: Option<i64>,
    pub recipient: String,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    /// How often a worker took it, this time included.
    pub attempts: i64,
    pub requester: Option<String>,
    /// How many events of its kind it stands for.
    pub occurrences: i64,
    /// When the first of them was; `None` when it is [`MailRow::created_at`].
    pub first_at: Option<DateTime<Utc>>,
}

/// How many mails of one kind may wait for one address: as many as it may get within an hour.
pub const MOST_WAITING: usize = 5;
