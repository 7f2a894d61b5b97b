//! `GET /api/auth/me/export/`: everything that is stored about the user, in the words of the database. What only proves who
//! somebody is stays out: hashes, token ids, keys.

use crate::claims::{Role, SessionId, UserId};
use crate::events::EventResponse;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The whole answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExportResponse {
    /// When it was put together.
    pub exported_at: DateTime<Utc>,
    /// The account itself.
    pub user: ExportedUser,
    /// Its sessions, ended ones included for as long as they are kept.
    pub sessions: Vec<ExportedSession>,
    /// What happened to it, newest first.
    pub events: Vec<EventResponse>,
    /// From where it was signed in to.
    pub networks: Vec<ExportedNetwork>,
    /// Links that were mailed.
    pub links: Vec<ExportedLink>,
    /// Sign-ups with its confirmed address that are not confirmed.
    #[serde(default)]
    pub registrations: Vec<ExportedRegistration>,
    /// Mail that has not left yet.
    pub mails: Vec<ExportedMail>,
    /// Mail that has left, within about an hour.
    pub sent_mails: Vec<ExportedSentMail>,
}

/// The account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[expect(missing_docs, reason = "the names are those of `UserResponse`, or say it")]
pub struct ExportedUser {
    pub id: UserId,
    pub email: String,
    pub username: Option<String>,
    pub display_name: String,
    pub role: Role,
    pub is_active: bool,
    pub email_verified_at: Option<DateTime<Utc>>,
    pub avatar_key: Option<String>,
    pub created_at: DateTime<Utc>,
    pub last_login_at: Option<DateTime<Utc>>,
}

/// A sign-in on one device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExportedSession {
    /// The session's id.
    pub id: SessionId,
    /// When the person signed in.
    pub created_at: DateTime<Utc>,
    /// When it was last refreshed, in steps of 5 minutes. Of the one that asks: when its access token was made.
    pub rotated_at: DateTime<Utc>,
    /// When it ends if it is not used, in steps of 5 minutes.
    pub expires_at: DateTime<Utc>,
    /// When it ends in any case.
    pub absolute_expires_at: DateTime<Utc>,
    /// When somebody ended it.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Why.
    pub revoke_reason: Option<String>,
    /// Where the person signed in from.
    pub ip_address: Option<String>,
    /// The browser's own words.
    pub user_agent: Option<String>,
}

/// A place that the account was signed in to from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExportedNetwork {
    /// An IPv4 address or an IPv6 /64.
    pub network: String,
    /// When that was last noted.
    pub seen_at: DateTime<Utc>,
}

/// A link that was mailed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExportedLink {
    /// What it is for.
    pub purpose: String,
    /// Where it was sent.
    pub email: String,
    /// Until when it works.
    pub expires_at: DateTime<Utc>,
    /// When it was used or made worthless.
    pub used_at: Option<DateTime<Utc>>,
}

/// A sign-up that nobody has confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExportedRegistration {
    /// The address as it was typed.
    pub email: String,
    /// The second name to sign in with.
    pub username: Option<String>,
    /// What to call this person; may be empty.
    pub display_name: String,
    /// The language of the browser.
    pub language: Option<String>,
    /// From where it was sent.
    pub ip_address: Option<String>,
    /// By which browser.
    pub user_agent: Option<String>,
    /// When.
    pub created_at: DateTime<Utc>,
    /// Until when it can be confirmed.
    pub expires_at: DateTime<Utc>,
}

/// A mail that has not left yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExportedMail {
    /// What it says.
    pub kind: String,
    /// Where it goes.
    pub recipient: String,
    /// From where it was caused.
    pub ip_address: Option<String>,
    /// By which browser.
    pub user_agent: Option<String>,
    /// When it was caused.
    pub created_at: DateTime<Utc>,
    /// When it is tried next.
    pub due_at: DateTime<Utc>,
    /// When it is not worth sending any more.
    pub expires_at: DateTime<Utc>,
    /// How often it was tried.
    pub attempts: i64,
    /// How many events it reports.
    pub occurrences: i64,
    /// When the first of them was, when there are several.
    pub first_at: Option<DateTime<Utc>>,
}

/// A mail that has left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExportedSentMail {
    /// What it said.
    pub kind: String,
    /// When it left.
    pub sent_at: DateTime<Utc>,
}
