//! Table `auth_events`: what happened to an account, for its owner and for the operator.

use super::connection::AnyConnection;
use super::schema::auth_events;
use super::types::At;
use auth_types::UserId;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    Registered,
    LoggedIn,
    LoginFailed,
    LoggedOut,
    LoggedOutEverywhere,
    SessionRevoked,
    RefreshReused,
    GenerationAhead,
    ProfileChanged,
    /// Somebody wanted an account for an address that has one.
    RegisterRepeated,
    PasswordChanged,
    PasswordResetRequested,
    PasswordReset,
    /// A signed-in caller gave a wrong password where it is asked for again.
    ReauthenticationFailed,
    EmailVerified,
    EmailChangeRequested,
    EmailChanged,
    /// A mail to the user could not be sent.
    MailFailed,
    /// An account is gone. All that is kept of it is its number, in the detail.
    AccountDeleted,
    /// The database was filled from a backup.
    Restored,
}

impl EventKind {
    /// In the order of the variants.
    pub const ALL: [Self; 20] = [
        Self::Registered,
        Self::LoggedIn,
        Self::LoginFailed,
        Self::LoggedOut,
        Self::LoggedOutEverywhere,
        Self::SessionRevoked,
        Self::RefreshReused,
        Self::GenerationAhead,
        Self::ProfileChanged,
        Self::RegisterRepeated,
        Self::PasswordChanged,
        Self::PasswordResetRequested,
        Self::PasswordReset,
        Self::ReauthenticationFailed,
        Self::EmailVerified,
        Self::EmailChangeRequested,
        Self::EmailChanged,
        Self::MailFailed,
        Self::AccountDeleted,
        Self::Restored,
    ];

    /// The word in the table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::LoggedIn => "logged_in",
            Self::LoginFailed => "login_failed",
            Self::LoggedOut => "logged_out",
            Self::LoggedOutEverywhere => "logged_out_everywhere",
            Self::SessionRevoked => "session_revoked",
            Self::RefreshReused => "refresh_reused",
            Self::GenerationAhead => "generation_ahead",
            Self::ProfileChanged => "profile_changed",
            Self::RegisterRepeated => "register_repeated",
            Self::PasswordChanged => "password_changed",
            Self::PasswordResetRequested => "password_reset_requested",
            Self::PasswordReset => "password_reset",
            Self::ReauthenticationFailed => "reauthentication_failed",
            Self::EmailVerified => "email_verified",
            Self::EmailChangeRequested => "email_change_requested",
            Self::EmailChanged => "email_changed",
            Self::MailFailed => "mail_failed",
            Self::AccountDeleted => "account_deleted",
            Self::Restored => "restored",
        }
    }
}

/// What this process has inserted, by kind. A transaction that is rolled back later has counted, too.
static RECORDED: [AtomicU64; EventKind::ALL.len()] = [const { AtomicU64::new(0) }; EventKind::ALL.len()];

/// How many events of this kind this process has inserted since its start.
#[must_use]
pub fn recorded(kind: EventKind) -> u64 {
    RECORDED[kind as usize].load(Ordering::Relaxed)
}

/// An event to insert.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Nobody when a name is unknown.
    pub user: Option<UserId>,
    pub kind: EventKind,
    pub at: DateTime<Utc>,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    /// What else is known, for the operator; never a token or a password.
    pub detail: serde_json::Value,
}

/// Inserts an event.
///
/// # Errors
/// When the database does not answer.
pub fn insert(connection: &mut AnyConnection, event: &NewEvent) -> QueryResult<()> {
    diesel::insert_into(auth_events::table)
        .values((
            auth_events::user_id.eq(event.user.map(|user| user.0)),
            auth_events::kind.eq(event.kind.as_str()),
            auth_events::at.eq(At(event.at)),
            auth_events::ip_address.eq(event.ip_address.as_deref()),
            auth_events::user_agent.eq(event.user_agent.as_deref()),
            auth_events::detail.eq(event.detail.to_string()),
        ))
        .execute(connection)?;
    RECORDED[event.kind as usize].fetch_add(1, Ordering::Relaxed);
    Ok(())
}

/// Deletes the oldest events, at most `batch` of them and none that happened at or after `before`, and answers how many
/// there were.
///
/// Ids grow with time, so that no index of the times is needed. Whatever is a little out of order goes a batch later.
///
/// # Errors
/// When the database does not answer.
pub fn delete_oldest(connection: &mut AnyConnection, before: DateTime<Utc>, batch: i64) -> QueryResult<usize> {
    let columns = (auth_events::id, auth_events::at);
    let oldest: Vec<(i64, DateTime<Utc>)> =
        auth_events::table.order(auth_events::id).limit(batch).select(columns).load(connection)?;
    match oldest.iter().take_while(|(_, at)| *at < before).last() {
        Some((last, _)) => diesel::delete(auth_events::table.filter(auth_events::id.le(last))).execute(connection),
        None => Ok(0),
    }
}

/// Deletes all events of a user.
///
/// # Errors
/// When the database does not answer.
pub fn delete_all(connection: &mut AnyConnection, user: UserId) -> QueryResult<()> {
    diesel::delete(auth_events::table.filter(auth_events::user_id.eq(user.0))).execute(connection).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::EventKind;

    #[test]
    fn every_kind_has_a_counter_of_its_own() {
        assert!(EventKind::ALL.iter().enumerate().all(|(index, kind)| index == *kind as usize));
    }
}
