//! Links that confirm an address: the account's own, or the one it is to have.

use super::limits::Throttled;
use super::{ClientInfo, Services, email_change, event, identity, links, mail};
use crate::store::events::EventKind;
use crate::store::mail_outbox::MailKind;
use crate::store::one_time_tokens::{self, LiveToken, Purpose};
use crate::store::users::UserRow;
use crate::store::{AnyConnection, QueryResult, StoreError, events, mail_outbox, users};
use auth_types::FieldErrors;
use auth_types::requests::{EmailResendRequest, EmailVerifyRequest};
use chrono::{DateTime, Utc};

/// Why nothing was confirmed.
#[derive(Debug, thiserror::Error)]
pub enum EmailVerificationError {
    #[error("fields are not acceptable")]
    Fields(FieldErrors),
    /// Unknown, spent or expired: not told apart.
    #[error("the link is not valid")]
    LinkNotValid,
    /// Another account got the address since the link was mailed. Whoever follows the link reads mail there, so this
    /// tells a stranger nothing.
    #[error("another account has this address")]
    Taken,
    #[error(transparent)]
    Throttled(#[from] Throttled),
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for EmailVerificationError {
    /// The address is the only unique thing that is changed here.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken(_) => Self::Taken,
            other => Self::Store(other),
        }
    }
}

/// Asks for the mail once more. It is one row for every address, whether there is an account or not.
///
/// # Errors
/// [`EmailVerificationError`].
pub async fn resend(
    services: &Services,
    request: &EmailResendRequest,
    client: &ClientInfo,
) -> Result<(), EmailVerificationError> {
    let (_, canonical) = identity::check_email(&request.email)
        .map_err(|message| EmailVerificationError::Fields(FieldErrors::from([("email".to_owned(), vec![message])])))?;
    mail::take_request(services, client).await?;
    let mail = mail::to_address(MailKind::VerifyEmail, &canonical, services.now(), client);
    services.store.write(move |connection| mail_outbox::insert(connection, &mail)).await?;
    Ok(())
}

/// Confirms the address that a link went to.
///
/// # Errors
/// [`EmailVerificationError`].
pub async fn verify(
    services: &Services,
    request: &EmailVerifyRequest,
    client: ClientInfo,
) -> Result<(), EmailVerificationError> {
    let (hash, now) = (links::hash_of(&request.token), services.now());
    let cause = client.clone();
    let confirmed = services.store.write(move |connection| {
        let Some((token, user)) = spend(connection, &hash, now)? else { return Ok(None) };
        let confirmed = match token.purpose {
            Purpose::VerifyEmail if user.email == token.email => {
                if users::confirm_email(connection, user.id, now)? {
                    events::insert(connection, &event(user.id, EventKind::EmailVerified, now, &cause))?;
                }
                true
            }
            Purpose::ChangeEmail => email_change::apply(connection, &user, &token.email, (now, &cause))?,
            Purpose::VerifyEmail | Purpose::ResetPassword => false,
        };
        Ok(confirmed.then_some(token.purpose))
    });
    match confirmed.await? {
        Some(Purpose::ChangeEmail) => mail::charge(services, &client).await, // the old address is mailed
        Some(_) => {}
        None => return Err(EmailVerificationError::LinkNotValid),
    }
    Ok(())
}

/// The link's token, spent, and its account.
fn spend(connection: &mut AnyConnection, hash: &[u8], now: DateTime<Utc>) -> QueryResult<Option<(LiveToken, UserRow)>> {
    let purposes = [Purpose::VerifyEmail, Purpose::ChangeEmail];
    let Some(token) = one_time_tokens::find_live(connection, hash, &purposes, now)? else { return Ok(None) };
    users::lock_credentials(connection, token.user_id)?;
    if !one_time_tokens::spend(connection, hash, now)? {
        return Ok(None);
    }
    let user = users::find(connection, token.user_id)?.filter(|user| user.is_active);
    Ok(user.map(|user| (token, user)))
}
