//! The rules. One use case a file, each with its own errors; no HTTP and no SQL.

pub mod account;
pub mod account_deletion;
pub mod authorize;
pub mod avatar;
pub mod backup;
mod batches;
pub mod csrf;
pub mod email_change;
pub mod email_verification;
mod event_numbers;
pub mod events;
pub mod export;
pub mod grant;
pub mod limits;
pub mod links;
pub mod login;
pub mod logout;
pub mod mail;
pub mod password_change;
pub mod password_reset;
pub mod passwords;
pub mod picture;
pub mod pool;
pub mod prune;
pub mod readiness;
pub mod reauthentication;
pub mod refresh;
pub mod register;
pub mod registrations;
pub mod retention;
pub mod revocation;
mod session_view;
pub mod sessions;
pub mod start;
pub mod steps;
pub mod strays;
pub mod tokens;
pub mod verify;

use crate::clock::SharedClock;
use crate::config::Settings;
use crate::files::Files;
use crate::gate::Room;
use crate::metrics::Metrics;
use crate::store::Store;
use crate::store::events::{EventDetail, EventKind, NewEvent};
use auth_types::UserId;
use chrono::{DateTime, Utc};
use csrf::CsrfKeys;
use export::ExportSlots;
use limits::{Limits, Meter, Network};
use mail::Mailer;
use pool::WorkPool;
use readiness::Readiness;
use revocation::RevocationFeed;
use steps::StepKeys;
use tokens::Tokens;

/// What every use case works with.
#[derive(Debug)]
pub struct Services {
    pub settings: Settings,
    pub clock: SharedClock,
    pub store: Store,
    pub tokens: Tokens,
    pub csrf: CsrfKeys,
    pub steps: StepKeys,
    pub hashing: WorkPool,
    pub pictures: WorkPool,
    pub files: Files,
    pub exports: ExportSlots,
    pub feed: RevocationFeed,
    pub readiness: Readiness,
    /// Memory for request bodies that are on their way.
    pub bodies: Room,
    pub mailer: Mailer,
    pub limits: Limits,
    pub metrics: Metrics,
}

impl Services {
    /// Now, by the clock that was passed in.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }
}

/// Who calls, as far as the connection tells. Address and user agent are kept with sessions and events and never decided
/// by; the network is what tries are counted by.
#[derive(Debug, Clone, Default)]
pub struct ClientInfo {
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    /// `None` when the address is not the client's own, or not known.
    pub network: Option<Network>,
    /// What this request has taken of which budgets.
    pub meter: Meter,
}

/// The caller, proven by a valid access token of a session that has not been revoked.
#[derive(Debug, Clone, Copy)]
pub struct CurrentUser {
    /// The `user_id` claim.
    pub id: UserId,
    /// The `sid` claim: the session that this access token belongs to.
    pub session: auth_types::SessionId,
    /// The `iat` claim: all that the holder of this token may know of when the session was refreshed.
    pub issued_at: DateTime<Utc>,
}

/// An event of `user`, or of nobody known, caused by `client` at `at`.
fn event(user: impl Into<Option<UserId>>, kind: EventKind, at: DateTime<Utc>, client: &ClientInfo) -> NewEvent {
    NewEvent {
        user: user.into(),
        kind,
        at,
        ip_address: client.ip_address.clone(),
        user_agent: client.user_agent.clone(),
        detail: EventDetail::default(),
    }
}
