//! The steps of the conversation with a mail server.

use strum::VariantArray;

/// A step of the conversation with a mail server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum MailStep {
    /// The connection, its greeting and `EHLO`.
    Connect,
    StartTls,
    Auth,
    /// `MAIL`: the sender.
    Mail,
    /// `RCPT`: the recipient.
    Rcpt,
    Data,
    /// The end of the mail, after its last line.
    Message,
}

impl MailStep {
    pub(in crate::service::mail) const ALL: &[Self] = <Self as VariantArray>::VARIANTS;

    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
