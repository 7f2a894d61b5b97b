//! The tokens in mailed links: 256 random bits each. The database stores only their hashes, and each works once.

use crate::config::KeySettings;
use crate::mails::{MailKind, Purpose};
use crate::service::derived_key;
use crate::service::passwords::hashing;
use crate::store::mail_outbox::{self, MailRow};
use crate::store::pending_registrations::RegistrationRow;
use crate::store::{AnyConnection, QueryResult, one_time_tokens};
use auth_types::UserId;
use aws_lc_rs::{hmac, rand};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};
use secrecy::SecretString;

/// The system provided no random bytes.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the system provides no random bytes")]
pub struct NoRandomBytes;

/// A link that is unknown, spent or expired. These cases are not distinguished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the link is not valid")]
pub struct LinkNotValid;

/// A new token for the mail, and its hash for the table.
#[derive(Debug, Clone)]
pub struct LinkToken {
    pub token: SecretString,
    pub hash: Vec<u8>,
}

impl LinkToken {
    pub fn new() -> Result<Self, NoRandomBytes> {
        let mut bytes = [0; 32];
        rand::fill(&mut bytes).map_err(|_| NoRandomBytes)?;
        Ok(Self::of(&bytes))
    }

    /// The token with these bytes, which must be unpredictable.
    pub(in crate::service) fn of(bytes: &[u8]) -> Self {
        let token = URL_SAFE_NO_PAD.encode(bytes);
        Self { hash: hash_of(&token), token: token.into() }
    }
}

/// The tokens that a mail may contain. Each attempt to send a mail uses the same one, so that the link keeps working if the server's
/// reply is lost after the mail has arrived.
#[derive(Debug)]
pub(super) struct MailTokens {
    /// Derived from the current secret.
    current: LinkToken,
    /// Derived from the secrets that may have been current at an earlier attempt.
    earlier: Vec<LinkToken>,
}

impl MailTokens {
    pub(super) fn of_mail(keys: &KeySettings, mail: &MailRow) -> Self {
        Self::named(keys, &format!("{} {}", mail.id, mail.created_at.timestamp_micros()))
    }

    /// All mails of a registration contain the same link, because an older mail may arrive last.
    pub(super) fn of_registration(keys: &KeySettings, registration: &RegistrationRow) -> Self {
        let browser = URL_SAFE_NO_PAD.encode(&registration.registration_hash);
        Self::named(keys, &format!("registration {} {browser}", registration.id))
    }

    fn named(keys: &KeySettings, name: &str) -> Self {
        let by = |secret| {
            let key = derived_key(secret, b"latchkey mailed links");
            LinkToken::of(hmac::sign(&key, name.as_bytes()).as_ref())
        };
        Self { current: by(&keys.secret_key), earlier: keys.fallbacks.iter().map(by).collect() }
    }

    /// The hashes under which the table may have the mail's token.
    pub(super) fn hashes(&self) -> Vec<&[u8]> {
        std::iter::once(&self.current).chain(&self.earlier).map(|link| link.hash.as_slice()).collect()
    }

    /// The token whose hash is `known`, otherwise the current one.
    pub(super) fn choose(&self, known: Option<&[u8]>) -> LinkToken {
        let earlier = self.earlier.iter().find(|link| Some(link.hash.as_slice()) == known);
        earlier.unwrap_or(&self.current).clone()
    }
}

/// The hash under which the table stores a token.
pub fn hash_of(token: &str) -> Vec<u8> {
    hashing::digest_of(token.as_bytes())
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
pub(in crate::service) fn withdraw_claims(
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

#[cfg(test)]
mod tests {
    use super::*;
    use auth_types::limits::LINK_TOKEN_LENGTH;
    use secrecy::ExposeSecret;

    #[test]
    fn a_token_has_the_length_that_clients_expect_in_a_link() {
        let length = LinkToken::new().map(|link| link.token.expose_secret().len());
        assert_eq!(length.ok(), Some(LINK_TOKEN_LENGTH));
    }
}
