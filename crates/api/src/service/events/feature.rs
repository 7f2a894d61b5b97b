//! Events of features.

use crate::service::RequestContext;
use crate::store::events::{self, EventKind};
use crate::store::{AnyConnection, QueryResult};
use auth_types::UserId;

/// Records what a feature did for a user among the events of their account, as `notes.deleted` for a feature `notes`. The event shows
/// its owner the address and the device in `context`: another user's action takes [`RequestContext::without_client`].
pub fn record_event(
    connection: &mut AnyConnection,
    user: UserId,
    what: &'static str,
    context: &RequestContext,
) -> QueryResult<()> {
    let mut event = context.event(user, EventKind::Feature);
    event.detail.feature = Some(what.to_owned());
    events::insert(connection, &event)
}
