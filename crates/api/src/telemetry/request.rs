//! What is known of the request that a task is answering: each line that is logged meanwhile carries it.
//!
//! Work that is handed to another thread does not: its failures come back and are logged here.

use auth_types::{SessionId, UserId};
use serde_json::{Map, Value, json};
use std::cell::Cell;

tokio::task_local! {
    static REQUEST: Request;
}

struct Request {
    id: String,
    caller: Cell<Option<(UserId, SessionId)>>,
}

/// Does the work of the request `id`.
pub async fn in_request<T>(id: String, work: impl Future<Output = T>) -> T {
    REQUEST.scope(Request { id, caller: Cell::default() }, work).await
}

/// Notes who has proven to be the caller; lines from here on name them.
pub fn note_caller(user: UserId, session: SessionId) {
    // Outside of a request there is nothing to note it on.
    let _ = REQUEST.try_with(|request| request.caller.set(Some((user, session))));
}

pub(super) fn add_to(line: &mut Map<String, Value>) {
    let _ = REQUEST.try_with(|request| {
        line.insert("request_id".to_owned(), json!(request.id));
        if let Some((user, session)) = request.caller.get() {
            line.insert("user_id".to_owned(), json!(user));
            line.insert("session_id".to_owned(), json!(session));
        }
    });
}
