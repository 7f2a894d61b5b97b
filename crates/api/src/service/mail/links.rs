//! The tokens in mailed links: opaque, and each works once.

use crate::config::KeySettings;
use crate::mails::{MailKind, Purpose};
use crate::service::derived_key;
use crate::service::opaque_token::OpaqueToken;
use crate::store::mail_outbox::{self, MailRow};
use crate::store::pending_registrations::PendingRegistrationRow;
use crate::store::{AnyConnection, QueryResult, one_time_tokens};
use auth_types::UserId;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};

/// A link that is unknown, spent or expired. These cases are not distinguished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the link is not valid")]
pub struct LinkNotValid;

/// The tokens that a mail may contain. Each attempt to send a mail uses the same one, so that the link keeps working if the server's
/// reply is lost after the mail has arrived.
#[derive(Debug)]
pub(super) struct MailTokens {
    /// Derived from the current secret.
    current: OpaqueToken,
    /// Derived from the secrets that may have been current at an earlier attempt.
    earlier: Vec<OpaqueToken>,
}

impl MailTokens {
    pub(super) fn of_mail(keys: &KeySettings, mail: &MailRow) -> Self {
        Self::named(keys, &format!("{} {}", mail.id, mail.created_at.timestamp_micros()))
    }

    /// All mails of a pending registration contain the same link, because an older mail may arrive last.
    pub(super) fn of_pending(keys: &KeySettings, pending: &PendingRegistrationRow) -> Self {
        let browser_secret = URL_SAFE_NO_PAD.encode(&pending.browser_secret_hash);
        Self::named(keys, &format!("registration {} {browser_secret}", pending.id))
    }

    fn named(keys: &KeySettings, name: &str) -> Self {
        let by = |secret| {
            let key = derived_key(secret, b"latchkey mailed links");
            OpaqueToken::of(hmac::sign(&key, name.as_bytes()).as_ref())
        };
        Self { current: by(&keys.secret_key), earlier: keys.fallbacks.iter().map(by).collect() }
    }

    /// The hashes under which the table may have the mail's token.
    pub(super) fn hashes(&self) -> Vec<&[u8]> {
        std::iter::once(&self.current).chain(&self.earlier).map(|link| link.hash.as_slice()).collect()
    }

    /// The token whose hash is `known`, otherwise the current one.
    pub(super) fn choose(&self, known: Option<&[u8]>) -> OpaqueToken {
        let earlier = self.earlier.iter().find(|link| Some(link.hash.as_slice()) == known);
        earlier.unwrap_or(&self.current).clone()
    }
}

/// How long a link is valid from the moment its mail is sent.
pub const fn lifetime(purpose: Purpose) -> Duration {
    match purpose {
        Purpose::ResetPassword => Duration::hours(1),
        Purpose::VerifyEmail | Purpose::ChangeEmail => Duration::hours(24),
    }
}

/// Invalidates the links of a user with which another person may have tried to take over the account before the password was
/// changed, and the change of address that waits to be mailed. A link that confirms the address stays valid: it proves the same
/// as before.
pub(in crate::service) fn withdraw_takeover_links(
    connection: &mut AnyConnection,
    user: UserId,
    now: DateTime<Utc>,
) -> QueryResult<()> {
    one_time_tokens::spend_all(connection, user, &[Purpose::ResetPassword, Purpose::ChangeEmail], now)?;
    mail_outbox::delete_of_user(connection, user, MailKind::ChangeEmail)
}

/// Invalidates every link of a user, whose address was changed or confirmed.
pub(in crate::service) fn withdraw_all(
    connection: &mut AnyConnection,
    user: UserId,
    now: DateTime<Utc>,
) -> QueryResult<()> {
    one_time_tokens::spend_all(connection, user, Purpose::ALL, now)?;
    mail_outbox::delete_of_user(connection, user, MailKind::ChangeEmail)
}
