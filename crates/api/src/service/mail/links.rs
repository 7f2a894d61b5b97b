//! What a mailed link holds: a token of 256 bits that nobody can guess. The database keeps its hash only, and each works once.

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

/// The system gave no random bytes.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the system gives no random bytes")]
pub struct NoRandomBytes;

/// A link that is unknown, spent or expired: not told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the link is not valid")]
pub struct LinkNotValid;

/// A new token: for the mail, and for the table.
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

    /// The token of these bytes, which nobody can guess.
    pub(in crate::service) fn of(bytes: &[u8]) -> Self {
        let token = URL_SAFE_NO_PAD.encode(bytes);
        Self { hash: hash_of(&token), token: token.into() }
    }
}

/// The tokens that a mail may hold. It has the same at each attempt to send it: the response to one may have been lost after the
/// mail had arrived, and the link in it goes on working.
#[derive(Debug)]
pub(super) struct MailTokens {
    /// By the secret that is current.
    current: LinkToken,
    /// By those that may have been current at an earlier attempt.
    earlier: Vec<LinkToken>,
}

impl MailTokens {
    pub(super) fn of_mail(keys: &KeySettings, mail: &MailRow) -> Self {
        Self::named(keys, &format!("{} {}", mail.id, mail.created_at.timestamp_micros()))
    }

    /// A registration has one link in all of its mails, of which an older one may arrive last.
    pub(super) fn of_registration(keys: &KeySettings, registration: &RegistrationRow) -> Self {
        let browser = URL_SAFE_NO_PAD.encode(&registration.registration_hash);
        Self::named(keys, &format!("registration {} {browser}", registration.id))
    }

    fn named(keys: &KeySettings, named: &str) -> Self {
        let by = |secret| {
            let key = derived_key(secret, b"latchkey mailed links");
            LinkToken::of(hmac::sign(&key, named.as_bytes()).as_ref())
        };
        Self { current: by(&keys.secret_key), earlier: keys.fallbacks.iter().map(by).collect() }
    }

    /// What the table may know the mail's token by.
    pub(super) fn hashes(&self) -> Vec<&[u8]> {
        std::iter::once(&self.current).chain(&self.earlier).map(|link| link.hash.as_slice()).collect()
    }

    /// The token that the table knows already, else a new one.
    pub(super) fn choose(&self, known: Option<&[u8]>) -> LinkToken {
        let earlier = self.earlier.iter().find(|link| Some(link.hash.as_slice()) == known);
        earlier.unwrap_or(&self.current).clone()
    }
}

/// What the table knows a token by.
pub fn hash_of(token: &str) -> Vec<u8> {
    hashing::digest_of(token.as_bytes())
}

/// How long a link works, from the moment its mail is sent.
pub const fn lifetime(purpose: Purpose) -> Duration {
    match purpose {
        Purpose::ResetPassword => Duration::hours(1),
        Purpose::VerifyEmail | Purpose::ChangeEmail => Duration::hours(24),
    }
}

/// Makes the links of a user worthless by which somebody else may have asked for the account before the password was changed, and
/// the change of address that waits to be mailed. A link that confirms the address goes on: it proves the same as before.
pub(in crate::service) fn withdraw_claims(
    connection: &mut AnyConnection,
    user: UserId,
    now: DateTime<Utc>,
) -> QueryResult<()> {
    one_time_tokens::spend_all(connection, user, &[Purpose::ResetPassword, Purpose::ChangeEmail], now)?;
    mail_outbox::delete_of_user(connection, user, MailKind::ChangeEmail)
}

/// Makes every link of a user worthless, whose address is another one now or is confirmed.
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
    fn a_token_has_the_length_that_clients_take_out_of_a_link() {
        let length = LinkToken::new().map(|link| link.token.expose_secret().len());
        assert_eq!(length.ok(), Some(LINK_TOKEN_LENGTH));
    }
}
