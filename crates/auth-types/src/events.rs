//! Account events: one vocabulary for the table, the API and the pages.

use crate::claims::{SessionId, UserId};
use crate::page::Page;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use strum::VariantArray;

/// What happened.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantArray,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum EventKind {
    /// An account was created.
    Registered,
    /// Someone tried to register an address that has an account.
    RegisterRepeated,
    /// The user signed in.
    LoggedIn,
    /// The password was wrong, the account may not be used, or its address is not confirmed yet.
    LoginFailed,
    /// The user signed out.
    LoggedOut,
    /// The user signed out everywhere.
    LoggedOutEverywhere,
    /// The owner signed out a device from another one.
    SessionRevoked,
    /// A refresh token was used again; its session was revoked.
    RefreshReused,
    /// A refresh token was newer than its session's row, because the database is an older copy.
    GenerationAhead,
    /// The profile was changed.
    ProfileChanged,
    /// The password was changed.
    PasswordChanged,
    /// A mail to reset the password was requested.
    PasswordResetRequested,
    /// The password was reset by a mailed link.
    PasswordReset,
    /// A signed-in caller entered a wrong password where it is required again.
    ReauthenticationFailed,
    /// The address was confirmed.
    EmailVerified,
    /// A change of the address was requested.
    EmailChangeRequested,
    /// The address was changed.
    EmailChanged,
    /// A mail to the user could not be sent.
    MailFailed,
    /// Everything that is stored about the user was downloaded.
    DataExported,
    /// An account was deleted. Only its number is kept, in the detail.
    AccountDeleted,
    /// The database was restored from a backup.
    Restored,
    /// A feature of the product recorded an event; the detail names both.
    Feature,
    /// A kind from a newer server.
    #[serde(other)]
    Unknown,
}

impl EventKind {
    /// Every kind that this version knows.
    pub const ALL: &[Self] = match <Self as VariantArray>::VARIANTS.split_last() {
        Some((_, known)) => known,
        None => &[],
    };

    /// A short description for the account's owner.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Registered => "Account created",
            Self::RegisterRepeated => "Someone tried to create another account with your email",
            Self::LoggedIn => "Signed in",
            Self::LoginFailed => "A sign-in failed",
            Self::LoggedOut => "Signed out",
            Self::LoggedOutEverywhere => "Signed out everywhere",
            Self::SessionRevoked => "Another device was signed out",
            Self::RefreshReused => "A device was signed out, because its session was used from two places",
            Self::GenerationAhead => "A device was signed out, because its session was newer than our records",
            Self::ProfileChanged => "The profile was changed",
            Self::PasswordChanged => "The password was changed",
            Self::PasswordResetRequested => "A mail to reset the password was requested",
            Self::PasswordReset => "The password was reset by a mailed link",
            Self::ReauthenticationFailed => "A wrong password was entered while signed in",
            Self::EmailVerified => "The email was confirmed",
            Self::EmailChangeRequested => "A change of email was requested",
            Self::EmailChanged => "The email was changed",
            Self::MailFailed => "A mail to you could not be sent",
            Self::DataExported => "Your data was downloaded",
            Self::AccountDeleted => "The account was deleted",
            Self::Feature => "A feature of the service recorded an event",
            Self::Restored => "The service was restored from a backup",
            Self::Unknown => "An event that this page does not know yet",
        }
    }

    /// The value in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Further facts about an event; never a token or a password.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventDetail {
    /// The session that was ended.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub session: Option<SessionId>,
    /// The generation of the refresh token that was used again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub generation: Option<i64>,
    /// Which mail could not be sent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mail: Option<String>,
    /// The number of a deleted account.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user: Option<UserId>,
    /// When the backup was made.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub made_at: Option<DateTime<Utc>>,
    /// The event of a feature: the feature's name, a dot, and the event's name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub feature: Option<String>,
    /// Whether sessions continue, because the database was moved.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub moving: Option<bool>,
}

/// An event of the user's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventResponse {
    /// The event's number.
    pub id: i64,
    /// What happened.
    pub kind: EventKind,
    /// When.
    pub at: DateTime<Utc>,
    /// From where.
    pub ip_address: Option<String>,
    /// The browser's `User-Agent`; [`crate::device::describe`] describes it for people.
    pub user_agent: Option<String>,
    /// Further facts.
    pub detail: EventDetail,
}

/// `GET /api/auth/events/`: a page of events, newest first.
pub type EventsResponse = Page<EventResponse>;

#[cfg(test)]
mod tests {
    use super::EventKind;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_events_have_the_same_description() {
        let descriptions: BTreeSet<_> = EventKind::ALL.iter().copied().map(EventKind::description).collect();
        assert_eq!(descriptions.len(), EventKind::ALL.len());
    }

    #[test]
    fn json_uses_the_values_of_the_table() {
        let values: Vec<_> = EventKind::ALL.iter().copied().map(|kind| serde_json::to_value(kind).ok()).collect();
        let known = EventKind::ALL.iter().map(|kind| Some(kind.as_str().into()));
        assert_eq!(values, known.collect::<Vec<_>>());
        assert!(matches!(serde_json::from_str("\"made_up\""), Ok(EventKind::Unknown)));
    }
}
