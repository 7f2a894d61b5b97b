//! A new password for a user who has forgotten the old one, by a link that is mailed to the account's address.

use super::strength::{self, ContextWords};
use crate::clock::CheckedTime;
use crate::gate::{self, RequesterId};
use crate::mails::{MailKind, Purpose};
use crate::names::Spellings;
use crate::service::mail;
use crate::service::mail::links::{self, LinkNotValid};
use crate::service::opaque_token::OpaqueToken;
use crate::service::steps::{FingerprintedRequest, RepeatRecord};
use crate::service::{ClientInfo, Error, RequestContext, Services};
use crate::store::events::EventKind;
use crate::store::one_time_tokens::{self, LiveToken};
use crate::store::sessions::RevokeReason;
use crate::store::users::UserRow;
use crate::store::{AnyConnection, QueryResult, events, mail_outbox, sessions, users};
use auth_types::requests::{PasswordResetConfirmRequest, PasswordResetRequest};

/// Requests a mail with a link. It inserts one row for every address, whether there is an account or not.
pub async fn request(
    services: &Services,
    request: &PasswordResetRequest,
    client: &ClientInfo,
) -> Result<(), Error<LinkNotValid>> {
    let email = Spellings::of_mailed_email(&request.email).map_err(|message| Error::field("email", message))?;
    let context = services.context(client.clone());
    let request = services.store.write(move |connection| {
        let to = mail::recipient(connection, &email)?;
        mail_outbox::insert(connection, &mail::to_address(MailKind::ResetPassword, &to, &context))
    });
    mail::with_mail_charge(services, client, async { Ok(request.await?) }).await
}

/// Gives a link's account a new password. The address counts as confirmed, because the link was read there; every session is
/// revoked.
///
/// # Errors
/// [`Error`]; then a valid link stays valid.
pub async fn confirm(
    services: &Services,
    fingerprinted: FingerprintedRequest<PasswordResetConfirmRequest>,
    client: ClientInfo,
) -> Result<(), Error<LinkNotValid>> {
    services.clock.check()?; // an expired link must not become valid by it
    let step = fingerprinted.step.clone();
    step.once(services, confirm_once(services, fingerprinted, client), |_| Ok(Some(()))).await
}

async fn confirm_once(
    services: &Services,
    FingerprintedRequest { request, step }: FingerprintedRequest<PasswordResetConfirmRequest>,
    client: ClientInfo,
) -> Result<(), Error<LinkNotValid>> {
    let hash = OpaqueToken::hash_of(&request.token);
    let now = services.clock.checked_now()?;
    let looked_up = hash.clone();
    let found = services.store.run(move |connection| find(connection, &looked_up, now)).await?;
    let (_, user) = found.ok_or_else(|| services.clock.unless_wrong(Error::Refused(LinkNotValid)))?;
    // The holder of the link reads the account's mail.
    gate::attribute_to(RequesterId::Account(user.id.0));
    let context_words = ContextWords::of(&user.email, user.username.as_deref(), &user.display_name);
    strength::check_form(&request.new_password, services.settings.passwords.rules, &context_words)
        .map_err(|message| Error::field("new_password", message))?;
    let cost = services.settings.passwords.bcrypt_cost;
    let encode = move || strength::check_and_hash(&request.new_password, &context_words, cost);
    let encoded = services.hashing.run(encode).await??;
    let password_hash = encoded.map_err(|message| Error::field("new_password", message))?;
    let context = services.checked_context(client.clone())?;
    let done_at = context.shared_at;
    let reset = services.store.write(move |connection| {
        let Some((token, _)) = spend(connection, &hash, context.checked_at())? else { return Ok(None) };
        step.complete(connection, RepeatRecord::default(), done_at)?;
        let ended = sessions::revoke_all(connection, token.user, RevokeReason::PasswordReset, done_at)?.all;
        reset(connection, &token, &password_hash, &context).map(|()| Some(ended))
    });
    let ended = reset.await?.ok_or_else(|| services.clock.unless_wrong(Error::Refused(LinkNotValid)))?;
    services.feed.insert(ended, done_at);
    mail::charge_always(services, &client).await; // the owner is mailed
    Ok(())
}

/// The link's token and account, if both are valid. A link is not valid for an account whose address has changed.
fn find(connection: &mut AnyConnection, hash: &[u8], now: CheckedTime) -> QueryResult<Option<(LiveToken, UserRow)>> {
    let Some(token) = one_time_tokens::find_live(connection, hash, &[Purpose::ResetPassword], now)? else {
        return Ok(None);
    };
    let user = users::find(connection, token.user)?;
    Ok(user.filter(|user| user.is_active && user.email == token.email).map(|user| (token, user)))
}

/// The same, and spends the token. The user's row is locked first: a sign-in that compared the old password either has its
/// session already, which is revoked below, or finds the new password.
fn spend(connection: &mut AnyConnection, hash: &[u8], now: CheckedTime) -> QueryResult<Option<(LiveToken, UserRow)>> {
    let Some((token, _)) = find(connection, hash, now)? else { return Ok(None) };
    users::lock_credentials(connection, token.user)?;
    let Some(found) = find(connection, hash, now)? else { return Ok(None) };
    Ok(one_time_tokens::spend(connection, hash, now)?.then_some(found))
}

fn reset(
    connection: &mut AnyConnection,
    token: &LiveToken,
    password_hash: &str,
    context: &RequestContext,
) -> QueryResult<()> {
    let now = context.at;
    let user = users::update_password(connection, token.user, password_hash, Some(now))?;
    // A user whom others have locked out of signing in can sign in from this network from now on.
    context.remember_network(connection, user.id)?;
    links::withdraw_all(connection, user.id, now)?;
    events::insert(connection, &context.event(user.id, EventKind::PasswordReset))?;
    mail_outbox::insert(connection, &mail::to_user(MailKind::PasswordChanged, user.id, &user.email, context))
}
