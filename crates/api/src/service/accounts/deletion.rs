//! The end of an account: its owner wants to be forgotten.
//!
//! In one transaction the account ends and nothing in it says any more who it was. A batch of the rows of each table goes with
//! it, which is all of them for most; what is left [`erasures`](crate::service::upkeep::erasures) deletes within seconds. What
//! stays for a week is a row without a person: the ids of the sessions that ended with it, by which other processes hear that their
//! access tokens are worthless.

use super::{avatar, orphaned_files};
use crate::clock::SharedTime;
use crate::mails::MailKind;
use crate::service::passwords::reauthentication::{self, ReauthenticationError};
use crate::service::steps::{Repeatable, RepeatingUser};
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

/// Deletes the caller's account: every session ends, nothing about the person stays, and a last mail says so. The address
/// and the username are free at once.
///
/// # Errors
/// [`Error`]; the account is as it was then.
pub async fn delete(
    services: &Services,
    caller: RepeatingUser,
    asked: Repeatable<DeleteMeRequest>,
    client: ClientInfo,
) -> Result<(), ReauthenticationError> {
    let step = asked.step.clone();
    step.once(services, delete_once(services, caller, asked, client), |_| Ok(Some(()))).await
}

async fn delete_once(
    services: &Services,
    caller: RepeatingUser,
    asked: Repeatable<DeleteMeRequest>,
    client: ClientInfo,
) -> Result<(), ReauthenticationError> {
    let caller = caller.proven()?;
    validation::given_password(&asked.request.password).map_err(|message| Error::field("password", message))?;
    let attempts = mail::take_request(services, &client).await?;
    let deleted = prove_and_erase(services, caller, asked, client).await;
    if deleted.is_err() {
        attempts.refund().await; // nobody is mailed
    }
    deleted
}

async fn prove_and_erase(
    services: &Services,
    caller: CurrentUser,
    Repeatable { request, step }: Repeatable<DeleteMeRequest>,
    client: ClientInfo,
) -> Result<(), ReauthenticationError> {
    let account = reauthentication::find(services, caller).await?;
    let account = reauthentication::check(services, account, request.password, &client).await?;
    let (context, schema) = (services.context(client), Arc::clone(&services.schema));
    let deleted = account.write(services, caller, move |connection, user, _| {
        let removed = remove(connection, &schema, &user, &context)?;
        step.complete(connection, (None, None), context.shared_at)?;
        let goodbye = mail::to_address(MailKind::AccountDeleted, &user.email, &context);
        mail_outbox::insert(connection, &goodbye).map(|()| Ok(removed))
    });
    finish(services, deleted.await?).await;
    Ok(())
}

/// What is left to do when an account is gone.
#[derive(Debug)]
pub(in crate::service) struct Removed {
    ended: Vec<SessionId>,
    at: SharedTime,
    picture: Option<String>,
}

/// Ends the sessions of a user whose row is locked, erases them and records that, with nobody's address.
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

/// Erases what every table says about the user, what refers to other rows first. The user's own row comes after what others
/// lock: changing its names waits for whoever inserts a row that refers to it, and they may wait for a session. Returns the
/// file of their picture, a stray now.
fn erase(
    connection: &mut AnyConnection,
    schema: &Schema,
    user: &UserRow,
    now: DateTime<Utc>,
) -> QueryResult<Option<String>> {
    let erasures: Vec<_> = schema.tables.iter().rev().filter_map(|table| table.erasure.as_ref()).collect();
    let (after, before): (Vec<_>, Vec<_>) = erasures.into_iter().partition(|one| one.is_after_the_account());
    let begin = |all: Vec<&Erasure>, connection: &mut AnyConnection| {
        all.into_iter().try_for_each(|one| one.begin(connection, user, BATCH))
    };
    begin(before, connection)?;
    let picture = avatar::forget(connection, user.id, now)?;
    users::erase(connection, user.id, now)?;
    begin(after, connection)?;
    Ok(picture)
}
