//! The mails, one file each: its text, the purpose of its link, and how it is sent.
//!
//! A mail is a variant of `MailKind` with its line in `MailKind::mail`, and a file. `service/mail` sends mails, `store/mail_outbox`
//! queues them. The mails of features are declared by these ([`StoredKind::Feature`]).

mod account_deleted;
mod account_exists;
mod change_email;
mod confirm_registration;
mod email_change_requested;
mod email_changed;
mod feature_text;
mod link;
mod mail;
mod parts;
mod password_changed;
mod refresh_reused;
mod reset_password;
mod verify_email;

pub use feature_text::MailText;
pub(crate) use link::MailLink;
pub use link::Purpose;
pub(crate) use mail::{Content, LinkBody, Mail, Needs, NoticeBody, NoticeTo, QuotaShare};
pub(crate) use parts::{FrontEnd, MailPart};

use strum::VariantArray;

/// The kinds of Latchkey's own mails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum MailKind {
    ResetPassword,
    VerifyEmail,
    ChangeEmail,
    ConfirmRegistration,
    AccountExists,
    PasswordChanged,
    EmailChangeRequested,
    EmailChanged,
    RefreshReused,
    AccountDeleted,
}

impl MailKind {
    pub const ALL: &[Self] = <Self as VariantArray>::VARIANTS;

    /// The mail itself.
    pub(crate) const fn mail(self) -> &'static Mail {
        match self {
            Self::ResetPassword => &reset_password::MAIL,
            Self::VerifyEmail => &verify_email::MAIL,
            Self::ChangeEmail => &change_email::MAIL,
            Self::ConfirmRegistration => &confirm_registration::MAIL,
            Self::AccountExists => &account_exists::MAIL,
            Self::PasswordChanged => &password_changed::MAIL,
            Self::EmailChangeRequested => &email_change_requested::MAIL,
            Self::EmailChanged => &email_changed::MAIL,
            Self::RefreshReused => &refresh_reused::MAIL,
            Self::AccountDeleted => &account_deleted::MAIL,
        }
    }

    /// The value stored in the table.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The kind that is stored as `name`; `None` if a newer release has written it.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }
}

/// The kind of a mail in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredKind {
    Own(MailKind),
    /// One that a feature declares, or that a newer release has written.
    Feature(String),
}

impl StoredKind {
    /// The value stored in the table.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Own(kind) => kind.as_str(),
            Self::Feature(name) => name,
        }
    }

    /// The kind that is stored as `name`.
    pub fn of(name: String) -> Self {
        MailKind::of(&name).map_or(Self::Feature(name), Self::Own)
    }
}

impl From<MailKind> for StoredKind {
    fn from(kind: MailKind) -> Self {
        Self::Own(kind)
    }
}
