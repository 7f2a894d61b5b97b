//! Links that confirm an address: the account's own, the one it is to have, or that of a pending registration.

use super::deletion::{self, Removed};
use super::email_change;
use super::opened_link::OpenedLink;
use super::pending::{self, ConfirmedRegistration};
use crate::clock::CheckedTime;
use crate::mails::{MailKind, Purpose};
use crate::names::Spellings;
use crate::service::mail;
use crate::service::mail::links::LinkNotValid;
use crate::service::opaque_token::OpaqueToken;
use crate::service::sessions::token_pair;
use crate::service::steps::{FingerprintedRequest, RepeatRecord, StepResult};
use crate::service::{ClientInfo, Error, Services};
use crate::store::events::EventKind;
use crate::store::one_time_tokens::{self, LiveToken};
use crate::store::users::UserRow;
use crate::store::{AnyConnection, QueryResult, events, mail_outbox, pending_registrations, users};
use auth_types::requests::{EmailResendRequest, EmailVerifyRequest};
use auth_types::responses::{TokenResponse, VerifyNotice};
use std::sync::Arc;

/// Why an address was not confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EmailVerificationRefusal {
    #[error(transparent)]
    LinkNotValid(LinkNotValid),
    /// Another account got the address since the link was mailed. Only a person who reads mail there can follow the link, so
    /// this reveals nothing to anyone else.
    #[error("another account has this address")]
    Taken,
}

type EmailVerificationError = Error<EmailVerificationRefusal>;

/// Requests the mail again. It inserts one row for every address, whether there is an account, a pending registration or
/// neither.
pub async fn resend(
    services: &Services,
    request: &EmailResendRequest,
    client: &ClientInfo,
) -> Result<(), EmailVerificationError> {
    let email = Spellings::of_mailed_email(&request.email);
    let email = email.map_err(|message| EmailVerificationError::field("email", message))?;
    let context = services.context(client.clone());
    let browser_secret_hash = OpaqueToken::hash_of(request.registration.as_deref().unwrap_or_default());
    let insertion = services.store.write(move |connection| {
        let to = mail::recipient(connection, &email)?;
        let mut mail = mail::to_address(MailKind::VerifyEmail, &to, &context);
        mail.pending_registration = pending_registrations::find_of_browser(connection, &to, &browser_secret_hash)?;
        mail_outbox::insert(connection, &mail)
    });
    mail::with_mail_charge(services, client, async { Ok(insertion.await?) }).await
}

/// What a link did.
#[derive(Debug)]
pub enum LinkOutcome {
    /// The link was applied, or rejected if the request asked for that.
    Done(Option<VerifyNotice>),
    /// A pending registration is an account, and the browser that signed up is signed in.
    SignedIn(Box<TokenResponse>, Option<VerifyNotice>),
}

/// The result of the transaction.
enum VerificationOutcome {
    NotValid,
    Done,
    /// The account has a new address, and a notice goes to the old one.
    AddressChanged,
    Confirmed(Box<ConfirmedRegistration>),
    Removed(Removed),
}

impl VerificationOutcome {
    /// What a repeated request needs; `None` when nothing was done.
    fn record(&self) -> Option<RepeatRecord> {
        match self {
            Self::NotValid => None,
            Self::Done | Self::AddressChanged | Self::Removed(_) => Some(RepeatRecord::default()),
            Self::Confirmed(confirmed) => {
                let session = confirmed.session.as_ref().map(|session| session.id);
                Some(RepeatRecord { session, notice: confirmed.notice })
            }
        }
    }
}

/// Confirms the address that a link went to, or undoes what its owner did not request.
pub async fn verify(
    services: &Services,
    fingerprinted: FingerprintedRequest<EmailVerifyRequest>,
    client: ClientInfo,
) -> Result<LinkOutcome, EmailVerificationError> {
    // By a wrong clock an expired link could be valid, and a session that the link opens would have wrong times.
    services.clock.check()?;
    let step = fingerprinted.step.clone();
    let verified =
        step.once(services, verify_once(services, fingerprinted, client), |StepResult { session, notice, .. }| {
            let Some((session, user)) = session else { return Ok(Some(LinkOutcome::Done(notice))) };
            let tokens = token_pair::token_response(services, &session, &user, services.clock.checked_now()?)?;
            Ok(Some(LinkOutcome::SignedIn(Box::new(tokens), notice)))
        });
    verified.await
}

async fn verify_once(
    services: &Services,
    FingerprintedRequest { request, step }: FingerprintedRequest<EmailVerifyRequest>,
    client: ClientInfo,
) -> Result<LinkOutcome, EmailVerificationError> {
    let hash = OpaqueToken::hash_of(&request.token);
    let context = services.checked_context(client.clone())?;
    let browser_secret_hash = request.registration.as_deref().map(OpaqueToken::hash_of);
    let now = context.checked_at();
    let lifetimes = services.settings.lifetimes.clone();
    let rejects = request.reject == Some(true);
    let schema = Arc::clone(&services.schema);
    let transaction = services.store.write(move |connection| {
        let link = OpenedLink {
            hash: &hash,
            browser_secret_hash: browser_secret_hash.as_deref(),
            lifetimes: &lifetimes,
            schema: &schema,
            context: &context,
        };
        let outcome = if rejects { reject(connection, &link) } else { confirm(connection, &link) }?;
        if let Some(record) = outcome.record() {
            step.complete(connection, record, context.shared_at)?;
        }
        Ok(outcome)
    });
    // The address is the only unique thing that is changed here.
    let outcome = transaction.await.map_err(|error| Error::from(error).if_taken(EmailVerificationRefusal::Taken))?;
    match outcome {
        VerificationOutcome::NotValid => {
            Err(services.clock.unless_wrong(Error::Refused(EmailVerificationRefusal::LinkNotValid(LinkNotValid))))
        }
        VerificationOutcome::Done => Ok(LinkOutcome::Done(None)),
        VerificationOutcome::AddressChanged => {
            mail::charge_always(services, &client).await;
            Ok(LinkOutcome::Done(None))
        }
        VerificationOutcome::Removed(removed) => {
            deletion::finish(services, removed).await;
            Ok(LinkOutcome::Done(None))
        }
        VerificationOutcome::Confirmed(confirmed) => finish(services, *confirmed, now).await,
    }
}

async fn finish(
    services: &Services,
    confirmed: ConfirmedRegistration,
    now: CheckedTime,
) -> Result<LinkOutcome, EmailVerificationError> {
    for removed in confirmed.removed {
        deletion::finish(services, removed).await;
    }
    let Some(session) = confirmed.session else { return Ok(LinkOutcome::Done(confirmed.notice)) };
    let tokens = token_pair::token_response(services, &session, &confirmed.user, now)?;
    Ok(LinkOutcome::SignedIn(Box::new(tokens), confirmed.notice))
}

fn confirm(connection: &mut AnyConnection, link: &OpenedLink<'_>) -> QueryResult<VerificationOutcome> {
    let Some((token, user)) = spend(connection, link.hash, link.context.checked_at())? else {
        let confirmed = pending::confirm(connection, link)?;
        return Ok(confirmed
            .map_or(VerificationOutcome::NotValid, |confirmed| VerificationOutcome::Confirmed(Box::new(confirmed))));
    };
    Ok(match token.purpose {
        Purpose::VerifyEmail if user.email == token.email => {
            if users::confirm_email(connection, user.id, link.context.at)? {
                events::insert(connection, &link.context.event(user.id, EventKind::EmailVerified))?;
            }
            VerificationOutcome::Done
        }
        Purpose::ChangeEmail if email_change::apply(connection, &user, &token.email, link.context)? => {
            VerificationOutcome::AddressChanged
        }
        Purpose::VerifyEmail | Purpose::ChangeEmail | Purpose::ResetPassword => VerificationOutcome::NotValid,
    })
}

/// The owner of the address did not request what the link does: an account that was never confirmed is deleted with all of
/// its data, a pending registration is deleted, and a change of address does not happen.
fn reject(connection: &mut AnyConnection, link: &OpenedLink<'_>) -> QueryResult<VerificationOutcome> {
    let Some((token, user)) = spend(connection, link.hash, link.context.checked_at())? else {
        return Ok(if pending::reject(connection, link)? {
            VerificationOutcome::Done
        } else {
            VerificationOutcome::NotValid
        });
    };
    match token.purpose {
        Purpose::VerifyEmail if user.email == token.email && user.email_verified_at.is_none() => {
            Ok(VerificationOutcome::Removed(deletion::remove(connection, link.schema, &user, link.context)?))
        }
        // The link is spent, so the change can no longer be confirmed.
        Purpose::ChangeEmail => Ok(VerificationOutcome::Done),
        Purpose::VerifyEmail | Purpose::ResetPassword => Ok(VerificationOutcome::NotValid),
    }
}

/// The link's token, spent, and its account.
fn spend(connection: &mut AnyConnection, hash: &[u8], now: CheckedTime) -> QueryResult<Option<(LiveToken, UserRow)>> {
    let purposes = [Purpose::VerifyEmail, Purpose::ChangeEmail];
    let Some(token) = one_time_tokens::find_live(connection, hash, &purposes, now)? else { return Ok(None) };
    users::lock_credentials(connection, token.user)?;
    if !one_time_tokens::spend(connection, hash, now)? {
        return Ok(None);
    }
    let user = users::find(connection, token.user)?.filter(|user| user.is_active);
    Ok(user.map(|user| (token, user)))
}
