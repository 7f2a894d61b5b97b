//! Deletion of an account, with everything about its owner.
//!
//! One transaction ends the account and erases who it was. It deletes a batch of each table's rows, which is all of them for
//! most accounts; [`erasures`](crate::service::upkeep::erasures) deletes the rest within seconds. For a week an anonymous row
//! stays, with the ids of the ended sessions, from which other processes learn that their access tokens are revoked.

use super::{avatar, orphaned_files};
use crate::clock::SharedTime;
use crate::mails::MailKind;
use crate::service::passwords::reauthentication::{self, ReauthenticationError};
use crate::service::steps::{FingerprintedRequest, RepeatRecord, StepCaller};
use crate::service::tables::{Erasure, Schema};
use crate::service::upkeep::batches::BATCH;
use crate::service::{ClientInfo, CurrentUser, Error, RequestContext, Services, mail};
use crate::store::events::EventKind;
use crate::store::sessions::RevokeReason;
use crate::store::users::UserRow;
use crate::store::{AnyConnection, QueryResult, events, mail_outbox, sessions, users};
use auth_types::requests::DeleteMeRequest;
use auth_types::{SessionId, validation};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// Deletes the caller's account: every session ends, nothing about the person stays, and a last mail confirms it. The address
/// and the username are free at once.
///
/// # Errors
/// [`Error`]; then the account is unchanged.
pub async fn delete(
    services: &Services,
    caller: StepCaller,
    fingerprinted: FingerprintedRequest<DeleteMeRequest>,
    client: ClientInfo,
) -> Result<(), ReauthenticationError> {
    let step = fingerprinted.step.clone();
    step.once(services, delete_once(services, caller, fingerprinted, client), |_| Ok(Some(()))).await
}

async fn delete_once(
    services: &Services,
    caller: StepCaller,
    fingerprinted: FingerprintedRequest<DeleteMeRequest>,
    client: ClientInfo,
) -> Result<(), ReauthenticationError> {
    let caller = caller.require_valid_token()?;
    validation::given_password(&fingerprinted.request.password).map_err(|message| Error::field("password", message))?;
    let requester = client.clone();
    mail::with_mail_charge(services, &requester, reauthenticate_and_erase(services, caller, fingerprinted, client))
        .await
}

async fn reauthenticate_and_erase(
    services: &Services,
    caller: CurrentUser,
    FingerprintedRequest { request, step }: FingerprintedRequest<DeleteMeRequest>,
    client: ClientInfo,
) -> Result<(), ReauthenticationError> {
    let account = reauthentication::find(services, caller).await?;
    let account = reauthentication::check(services, account, request.password, &client).await?;
    let context = services.context(client);
    let schema = Arc::clone(&services.schema);
    let deletion = account.write(services, caller, move |connection, user, _| {
        let removed = remove(connection, &schema, &user, &context)?;
        step.complete(connection, RepeatRecord::default(), context.shared_at)?;
        let goodbye = mail::to_address(MailKind::AccountDeleted, &user.email, &context);
        mail_outbox::insert(connection, &goodbye).map(|()| Ok(removed))
    });
    finish(services, deletion.await?).await;
    Ok(())
}

/// What is left to do after an account was removed.
#[derive(Debug)]
pub(in crate::service) struct Removed {
    ended: Vec<SessionId>,
    at: SharedTime,
    picture: Option<String>,
}

/// Ends the sessions of a user whose row is locked, erases the user and records that, without an address.
pub(in crate::service) fn remove(
    connection: &mut AnyConnection,
    schema: &Schema,
    user: &UserRow,
    context: &RequestContext,
) -> QueryResult<Removed> {
    let ended_at = context.shared_at;
    let ended = sessions::revoke_all(connection, user.id, RevokeReason::AccountDeletion, ended_at)?.all;
    let picture = erase(connection, schema, user, context.at)?;
    let mut deleted = RequestContext::without_client(context.at).event(None, EventKind::AccountDeleted);
    deleted.detail.user = Some(user.id);
    events::insert_anonymous(connection, &deleted)?;
    Ok(Removed { ended, at: ended_at, picture })
}

/// Refuses the access tokens of a removed account and deletes its picture, once the removal is committed.
pub(in crate::service) async fn finish(services: &Services, removed: Removed) {
    services.feed.insert(removed.ended, removed.at);
    if let Some(picture) = removed.picture {
        orphaned_files::delete(services, picture).await;
    }
}

/// Erases what every table contains about the user, referring rows first. The user's own row comes after the rows that others
/// lock: changing its names waits for requests that insert a row referring to it, and they may wait for a session. Returns the
/// file of the user's picture, which is orphaned now.
fn erase(
    connection: &mut AnyConnection,
    schema: &Schema,
    user: &UserRow,
    now: DateTime<Utc>,
) -> QueryResult<Option<String>> {
    let erasures: Vec<_> = schema.tables.iter().rev().filter_map(|table| table.erasure.as_ref()).collect();
    let (after, before): (Vec<_>, Vec<_>) = erasures.into_iter().partition(|erasure| erasure.is_after_the_account());
    let begin = |all: Vec<&Erasure>, connection: &mut AnyConnection| {
        all.into_iter().try_for_each(|erasure| erasure.begin(connection, user, BATCH))
    };
    begin(before, connection)?;
    let picture = avatar::forget(connection, user.id, now)?;
    users::erase(connection, user.id, now)?;
    begin(after, connection)?;
    Ok(picture)
}
