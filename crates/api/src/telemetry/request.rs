//! The context of the request that a task is processing, which is added to each line that is logged meanwhile.
//!
//! Work on other threads has no context: its failures are returned and logged by the task.

use auth_types::{SessionId, UserId};
use serde::ser::SerializeMap;
use std::cell::Cell;

tokio::task_local! {
    static REQUEST: Request;
}

struct Request {
    id: String,
    caller: Cell<Option<(UserId, SessionId)>>,
}

/// Runs the work of the request `id`.
pub async fn in_request<T>(id: String, work: impl Future<Output = T>) -> T {
    REQUEST.scope(Request { id, caller: Cell::default() }, work).await
}

/// Records the authenticated caller; further lines of the request name them.
pub fn record_caller(user: UserId, session: SessionId) {
    // Outside of a request there is no context.
    let _ = REQUEST.try_with(|request| request.caller.set(Some((user, session))));
}

/// Adds the request's members to a line. Returns whether there is a request.
pub(super) fn add_to<Line: SerializeMap>(line: &mut Line) -> Result<bool, Line::Error> {
    let added = REQUEST.try_with(|request| {
        line.serialize_entry("request_id", &request.id)?;
        if let Some((user, session)) = request.caller.get() {
            line.serialize_entry("user_id", &user)?;
            line.serialize_entry("session_id", &session)?;
        }
        Ok(true)
    });
    added.unwrap_or(Ok(false))
}
