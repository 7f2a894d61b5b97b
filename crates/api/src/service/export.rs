//! Everything that is stored about the caller, for them to keep.

use super::account::AccountError;
use super::authorize::{self, Refusal};
use super::events::newest;
use super::{ClientInfo, CurrentUser, Services, event, identity};
use crate::store::events::EventKind;
use crate::store::{AnyConnection, QueryResult, events, known_networks, mail_outbox, one_time_tokens, sessions, users};
use auth_types::UserId;
use auth_types::export::ExportResponse;
use chrono::{DateTime, Utc};

/// Hands it out, and notes that: whoever did not ask for it finds the event.
///
/// # Errors
/// [`AccountError`].
pub async fn export(
    services: &Services,
    caller: CurrentUser,
    client: ClientInfo,
) -> Result<ExportResponse, AccountError> {
    let now = services.now();
    let exported = services.store.write(move |connection| {
        if let Err(refusal) = authorize::authorize_change(connection, caller, now)? {
            return Ok(Err(refusal));
        }
        events::insert(connection, &event(caller.id, EventKind::DataExported, now, &client))?;
        Ok(read(connection, caller.id, now)?.ok_or(Refusal::UserInactive))
    });
    Ok(exported.await??)
}

fn read(connection: &mut AnyConnection, id: UserId, now: DateTime<Utc>) -> QueryResult<Option<ExportResponse>> {
    let Some(user) = users::export(connection, id)? else { return Ok(None) };
    let canonical = identity::canonical_email(&user.email).unwrap_or_default();
    Ok(Some(ExportResponse {
        exported_at: now,
        sessions: sessions::export(connection, id)?,
        events: events::list(connection, id, newest(), i64::MAX)?,
        networks: known_networks::export(connection, id)?,
        links: one_time_tokens::export(connection, id)?,
        mails: mail_outbox::export(connection, id, [&user.email, &canonical])?,
        user,
    }))
}
