//! Each statement on the log at level `trace`: its text, never its values, which may be secrets.

use diesel::connection::{Instrumentation, InstrumentationEvent};
use log::Level;

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
            log::trace!("store.statement: {}", text.split(VALUES).next().unwrap_or_default());
        }
    }
}
