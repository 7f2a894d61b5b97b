//! Each statement on the log at level `trace`: its text, never its values, which may be secrets.

use diesel::connection::{Instrumentation, InstrumentationEvent};
use log::Level;
use std::cell::Cell;

thread_local! {
    static OF_REQUEST: Cell<bool> = const { Cell::new(false) };
}

/// Says whether what this thread does now is done for a request. Without that, nobody could tell what one request costs from
/// what the process does by the clock at the same time.
pub(super) fn note_cause(is_request: bool) {
    OF_REQUEST.set(is_request);
}

/// Where diesel's words for a statement go over to its values.
const VALUES: &str = " -- binds:";

/// Writes what a connection is told to do.
pub(super) struct LogStatements;

impl Instrumentation for LogStatements {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if let InstrumentationEvent::StartQuery { query, .. } = event
            && log::log_enabled!(Level::Trace)
        {
            let text = query.to_string();
            let text = text.split(VALUES).next().unwrap_or_default();
            if OF_REQUEST.get() {
                log::trace!("store.statement: {text}");
            } else {
                log::trace!("store.background: {text}");
            }
        }
    }
}
