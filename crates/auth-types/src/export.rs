//! `GET /api/auth/me/export/`: everything that is stored about the user, with the names of the database. Credentials are left
//! out: hashes, token ids, keys.

use crate::claims::{Role, SessionId, UserId};
use crate::events::EventResponse;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The whole response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExportResponse {
    /// When the export was made.
    pub exported_at: DateTime<Utc>,
    /// The account itself.
    pub user: ExportedUser,
    /// Its sessions, ended ones included for as long as they are kept.
    pub sessions: Vec<ExportedSession>,
    /// Its events, newest first.
    pub events: Vec<EventResponse>,
    /// The networks that it was signed in from.
    pub networks: Vec<ExportedNetwork>,
    /// Links that were mailed.
    pub links: Vec<ExportedLink>,
    /// Pending sign-ups with its confirmed address.
    #[serde(default)]
    pub registrations: Vec<ExportedRegistration>,
    /// Mail that has not been sent yet.
    pub mails: Vec<ExportedMail>,
    /// Mail that was sent within about the last hour.
    pub sent_mails: Vec<ExportedSentMail>,
}

/// The account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[expect(missing_docs, reason = "the names are those of `UserResponse`, or self-explanatory")]
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
    /// When it was last refreshed, in steps of 5 minutes; for the current session, when its access token was issued.
    pub rotated_at: DateTime<Utc>,
    /// When it ends if it is not used, in steps of 5 minutes.
    pub expires_at: DateTime<Utc>,
    /// When it ends in any case.
    pub absolute_expires_at: DateTime<Utc>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Why it was revoked.
    pub revoke_reason: Option<String>,
    /// Where the person signed in from.
    pub ip_address: Option<String>,
    /// The browser's `User-Agent`.
    pub user_agent: Option<String>,
}

/// A network that the account was signed in from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExportedNetwork {
    /// An IPv4 address or an IPv6 /64.
    pub network: String,
    /// When the latest sign-in from it was recorded.
    pub seen_at: DateTime<Utc>,
}

/// A link that was mailed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExportedLink {
    /// What it is for.
    pub purpose: String,
    /// The address that it was sent to.
    pub email: String,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
    /// When it was used or invalidated.
    pub used_at: Option<DateTime<Utc>>,
}

/// A sign-up that has not been confirmed.
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
    /// The IP address that it was sent from.
    pub ip_address: Option<String>,
    /// The browser that sent it.
    pub user_agent: Option<String>,
    /// When it was sent.
    pub created_at: DateTime<Utc>,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
}

/// A mail that has not been sent yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExportedMail {
    /// The kind of mail; a feature's begins with the name of the feature and a dot.
    pub kind: String,
    /// The recipient's address.
    pub recipient: String,
    /// The key of what it is about, in a mail of a feature.
    pub about: Option<String>,
    /// The IP address of the request that caused it.
    pub ip_address: Option<String>,
    /// The browser of that request.
    pub user_agent: Option<String>,
    /// When it was queued.
    pub created_at: DateTime<Utc>,
    /// When the next attempt is due.
    pub due_at: DateTime<Utc>,
    /// When it will not be sent any more.
    pub expires_at: DateTime<Utc>,
    /// How many attempts were made.
    pub attempts: i64,
    /// After how many of them it may have arrived, although the mail server did not say so.
    pub unacknowledged: i64,
    /// How many events it reports.
    pub occurrences: i64,
    /// When the first of them was, when there are several.
    pub first_at: Option<DateTime<Utc>>,
}

/// A mail that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExportedSentMail {
    /// The kind of mail.
    pub kind: String,
    /// When it was sent.
    pub sent_at: DateTime<Utc>,
    /// How often, if the mail server did not say whether it had taken it.
    pub copies: i64,
}
