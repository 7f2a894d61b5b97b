//! What a row says.

use crate::store::any::MultiBackend;
use crate::store::schema::mail_outbox;
use crate::store::types::Text;
use auth_types::UserId;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use strum::VariantArray;

/// What a mail says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum MailKind {
    /// A link to choose a new password.
    ResetPassword,
    /// A link that confirms the account's address.
    VerifyEmail,
    /// A link that makes this address the account's, to the new address.
    ChangeEmail,
    /// A link that makes a pending registration an account.
    ConfirmRegistration,
    /// Somebody wanted an account for an address that has one.
    AccountExists,
    PasswordChanged,
    /// To the old address: somebody wants another one.
    EmailChangeRequested,
    /// To the old address: the account has another one now.
    EmailChanged,
    /// A refresh token came back, and its session was ended.
    RefreshReused,
    /// To the address that an account had: the account is gone.
    AccountDeleted,
}

impl MailKind {
    pub const ALL: &[Self] = <Self as VariantArray>::VARIANTS;

    /// The word in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Queryable<Text, MultiBackend> for MailKind {
    type Row = String;
    fn build(row: String) -> diesel::deserialize::Result<Self> {
        let known = Self::ALL.iter().copied().find(|kind| kind.as_str() == row);
        known.ok_or_else(|| format!("mail_outbox.kind holds a word that is no kind of mail: {row}").into())
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
