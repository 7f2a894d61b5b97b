//! The steps of the conversation with a mail server.

/// A step of the conversation with a mail server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// After the mail's last line.
    Message,
}

impl MailStep {
    pub(in crate::service::mail) const ALL: [Self; 7] =
        [Self::Connect, Self::StartTls, Self::Auth, Self::Mail, Self::Rcpt, Self::Data, Self::Message];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::StartTls => "starttls",
            Self::Auth => "auth",
            Self::Mail => "mail",
            Self::Rcpt => "rcpt",
            Self::Data => "data",
            Self::Message => "message",
        }
    }
}
