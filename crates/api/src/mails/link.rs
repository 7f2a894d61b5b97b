//! What mailed links do.

use strum::VariantArray;

/// What a link does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MailLink {
    /// Something for an account.
    Account(Purpose),
    /// Makes a pending registration an account.
    Registration,
}

/// What a link is for. A token of one purpose is never accepted for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Purpose {
    ResetPassword,
    VerifyEmail,
    ChangeEmail,
}

impl Purpose {
    pub const ALL: &[Self] = <Self as VariantArray>::VARIANTS;

    /// The word in the table.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The purpose that this word stands for.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|purpose| purpose.as_str() == word)
    }
}
