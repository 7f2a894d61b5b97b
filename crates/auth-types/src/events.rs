//! What happens to an account: one vocabulary for the table, the API and the pages.

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
    /// An account was made.
    Registered,
    /// Somebody wanted an account for an address that has one.
    RegisterRepeated,
    /// Logged in.
    LoggedIn,
    /// The password was wrong, the account may not be used, or its address is not confirmed yet.
    LoginFailed,
    /// Logged out.
    LoggedOut,
    /// Logged out everywhere.
    LoggedOutEverywhere,
    /// Its owner signed a device out from another one.
    SessionRevoked,
    /// A refresh token came back; its session was ended.
    RefreshReused,
    /// A refresh token came that the database knows nothing of yet: it is an older copy.
    GenerationAhead,
    /// Profile changed.
    ProfileChanged,
    /// Password changed.
    PasswordChanged,
    /// Password reset requested.
    PasswordResetRequested,
    /// By a mailed link.
    PasswordReset,
    /// A signed-in caller gave a wrong password where it is asked for again.
    ReauthenticationFailed,
    /// Email verified.
    EmailVerified,
    /// Email change requested.
    EmailChangeRequested,
    /// Email changed.
    EmailChanged,
    /// A mail to the user could not be sent.
    MailFailed,
    /// All that is stored about the user was handed out.
    DataExported,
    /// An account is gone. All that is kept of it is its number, in the detail.
    AccountDeleted,
    /// The database was filled from a backup.
    Restored,
    /// A feature of the product did something; which and what, the detail names.
    Feature,
    /// A kind from a newer server.
    #[serde(other)]
    Unknown,
}

impl EventKind {
    /// Everything that this version knows.
    pub const ALL: &[Self] = match <Self as VariantArray>::VARIANTS.split_last() {
        Some((_, known)) => known,
        None => &[],
    };

    /// The word that JSON and the database use.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// What else is known of an event; never a token or a password.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventDetail {
    /// Whose session was ended.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub session: Option<SessionId>,
    /// The generation of the refresh token that came back.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub generation: Option<i64>,
    /// Which mail could not be sent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mail: Option<String>,
    /// The number of an account that is gone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user: Option<UserId>,
    /// When the backup was made.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub made_at: Option<DateTime<Utc>>,
    /// What a feature did: its name, a dot, and what it calls that.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub feature: Option<String>,
    /// Whether its sessions go on, because the database has moved.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub moving: Option<bool>,
}

/// Something that happened to the user's account.
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
    /// The browser's own words; [`crate::device::describe`] has some for people.
    pub user_agent: Option<String>,
    /// What else is known.
    pub detail: EventDetail,
}

/// `GET /api/auth/events/`: a page of events, newest first.
pub type EventsResponse = Page<EventResponse>;

#[cfg(test)]
mod tests {
    use super::EventKind;

    #[test]
    fn json_uses_the_values_of_the_table() {
        let words: Vec<_> = EventKind::ALL.iter().copied().map(|kind| serde_json::to_value(kind).ok()).collect();
        let known = EventKind::ALL.iter().map(|kind| Some(kind.as_str().into()));
        assert_eq!(words, known.collect::<Vec<_>>());
        assert!(matches!(serde_json::from_str("\"made_up\""), Ok(EventKind::Unknown)));
    }
}
