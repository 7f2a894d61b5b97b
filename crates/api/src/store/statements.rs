//! Logs each statement at level `trace`, and which ones stay prepared: their texts, never their values, which may be secrets.

use diesel::connection::{Instrumentation, InstrumentationEvent};
use log::Level;
use std::cell::Cell;

thread_local! {
    static OF_REQUEST: Cell<bool> = const { Cell::new(false) };
}

/// Sets whether this thread works for a request now. It distinguishes the cost of a request from that of the background
/// jobs that run at the same time.
pub(super) fn set_cause(is_request: bool) {
    OF_REQUEST.set(is_request);
}

/// What separates the text of a statement from its values in diesel's output.
const VALUES: &str = " -- binds:";

/// Logs the statements of a connection.
pub(super) struct LogStatements;

impl Instrumentation for LogStatements {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if !log::log_enabled!(Level::Trace) {
            return;
        }
        match event {
            InstrumentationEvent::StartQuery { query, .. } => {
                let text = query.to_string();
                let text = text.split(VALUES).next().unwrap_or_default();
                if OF_REQUEST.get() {
                    log::trace!("store.statement: {text}");
                } else {
                    log::trace!("store.background: {text}");
                }
            }
            InstrumentationEvent::CacheQuery { sql, .. } => log::trace!("store.prepared: {sql}"),
            _ => {}
        }
    }
}
