//! Mailed links and their purposes.

use strum::VariantArray;

/// What a link does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MailLink {
    /// Acts on an account.
    Account(Purpose),
    /// Turns a pending registration into an account.
    PendingRegistration,
}

/// The purpose of a link. A token for one purpose is never accepted for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Purpose {
    ResetPassword,
    VerifyEmail,
    ChangeEmail,
}

impl Purpose {
    pub const ALL: &[Self] = <Self as VariantArray>::VARIANTS;

    /// The value stored in the table.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The purpose that is stored as `name`.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|purpose| purpose.as_str() == name)
    }
}
