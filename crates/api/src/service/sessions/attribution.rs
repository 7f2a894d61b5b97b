//! On whose behalf a request works, once its refresh token says so.

use crate::gate::{self, RequesterId};
use crate::telemetry;
use auth_types::{SessionId, UserId};

/// Attributes the request to the owner of a session, in the log and at the gates.
pub(super) fn attribute_to_owner(owner: UserId, session: SessionId) {
    telemetry::record_caller(owner, session);
    gate::attribute_to(RequesterId::Account(owner.0));
}
