//! Sessions as their users see them. The thief of a token must not learn when its owner refreshes: neither from a time nor
//! from the moment at which a time changes.

use crate::service::CurrentUser;
use crate::store::sessions::SessionRow;
use auth_types::device;
use auth_types::export::ExportedSession;
use auth_types::responses::SessionResponse;
use chrono::{DateTime, Duration, Utc};

/// Times that follow from a rotation are shown in steps of this length, seconds.
const STEP_SECONDS: i64 = 300;

/// Shows sessions to one caller.
#[derive(Debug, Clone)]
pub(in crate::service) struct SessionView {
    caller: CurrentUser,
    lifetime: Duration,
}

/// The times that follow from a rotation.
struct ShownTimes {
    rotated_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

impl SessionView {
    /// `lifetime` is the idle lifetime.
    pub(in crate::service) const fn of(lifetime: Duration, caller: CurrentUser) -> Self {
        Self { caller, lifetime }
    }

    pub(in crate::service) fn response(&self, row: SessionRow) -> SessionResponse {
        let ShownTimes { rotated_at, expires_at } = self.times(&row);
        SessionResponse {
            id: row.id,
            current: row.id == self.caller.session,
            created_at: row.created_at,
            last_used_at: rotated_at,
            expires_at,
            device: device::describe(row.user_agent.as_deref()),
            ip_address: row.ip_address,
            user_agent: row.user_agent,
        }
    }

    /// Without the values that the session's tokens are verified with.
    pub(in crate::service) fn exported(&self, row: SessionRow, revoke_reason: Option<String>) -> ExportedSession {
        let ShownTimes { rotated_at, expires_at } = self.times(&row);
        ExportedSession {
            id: row.id,
            created_at: row.created_at,
            rotated_at,
            expires_at,
            absolute_expires_at: row.absolute_expires_at,
            revoked_at: row.revoked_at,
            revoke_reason,
            ip_address: row.ip_address,
            user_agent: row.user_agent,
        }
    }

    /// For their own session a caller sees only what their access token already shows, even after later refreshes: a thief who
    /// polls every second would see the step change at the moment of a rotation.
    fn times(&self, row: &SessionRow) -> ShownTimes {
        let (rotated_at, expires_at) = if row.id == self.caller.session {
            let issued_at = self.caller.issued_at;
            (issued_at, row.absolute_expires_at.min(issued_at + self.lifetime))
        } else {
            (row.rotated_at, row.expires_at)
        };
        ShownTimes { rotated_at: in_steps(rotated_at), expires_at: in_steps(expires_at) }
    }
}

fn in_steps(at: DateTime<Utc>) -> DateTime<Utc> {
    let seconds = at.timestamp();
    DateTime::from_timestamp(seconds - seconds.rem_euclid(STEP_SECONDS), 0).unwrap_or(at)
}
