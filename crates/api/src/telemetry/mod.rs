//! Logs: lines for people in development, JSON for machines in production.

use crate::clock::SharedClock;
use crate::config::Settings;
use env_logger::{Target, WriteStyle};
use log::Record;
use log::kv::{Key, Value, VisitSource};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::fmt;
use std::io::{IsTerminal, Write};
use std::panic::PanicHookInfo;

mod paced;
mod request;
mod writer;

pub use paced::Paced;
pub use request::{in_request, record_caller};
pub use writer::{flush, lines_dropped};

/// Starts logging to standard error. The first call wins.
pub fn init(settings: &Settings, clock: SharedClock) {
    let mut builder = env_logger::Builder::new();
    builder.parse_filters(&settings.log_filter);
    if settings.environment.is_production() {
        builder.format(move |out, record| {
            write_json(out, record, &clock)?;
            out.write_all(b"\n")
        });
    }
    if let Some(writer) = writer::start() {
        let style = if std::io::stderr().is_terminal() { WriteStyle::Always } else { WriteStyle::Never };
        builder.write_style(style).target(Target::Pipe(Box::new(writer)));
    }
    // A second logger in one process is a test's.
    let _ = builder.try_init();
    std::panic::set_hook(Box::new(log_panic));
}

/// The standard library would write directly to standard error, and block if its reader has stopped.
fn log_panic(panic: &PanicHookInfo<'_>) {
    log::error!("panic: {panic}");
    if std::thread::current().name() == Some("main") {
        flush(); // the process ends with this thread
    }
}

/// The members of every line, and those of a request's lines. A record's own of one of these names are left out.
const MEMBERS: [&str; 4] = ["at", "level", "target", "message"];
const REQUEST_MEMBERS: [&str; 3] = ["request_id", "user_id", "session_id"];

/// Writes one record as one line of JSON; serde escapes line breaks and quotes. Nothing is collected first, because nearly every request
/// has a line.
fn write_json(out: &mut impl Write, record: &Record<'_>, clock: &SharedClock) -> serde_json::Result<()> {
    let mut serializer = serde_json::Serializer::new(out);
    let mut line = serializer.serialize_map(None)?;
    line.serialize_entry("at", &clock.now())?;
    line.serialize_entry("level", record.level().as_str())?;
    line.serialize_entry("target", record.target())?;
    line.serialize_entry("message", &Text(record.args()))?;
    let in_request = request::add_to(&mut line)?;
    let mut fields = Fields { line: &mut line, in_request, failure: None };
    // It fails only after `failure` is set.
    let _ = record.key_values().visit(&mut fields);
    match fields.failure {
        Some(failure) => Err(failure),
        None => line.end(),
    }
}

/// A string that is formatted while it is written.
struct Text<T>(T);

impl<T: fmt::Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

struct Fields<'a, Line> {
    line: &'a mut Line,
    in_request: bool,
    failure: Option<serde_json::Error>,
}

impl<'kvs, Line: SerializeMap<Error = serde_json::Error>> VisitSource<'kvs> for Fields<'_, Line> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), log::kv::Error> {
        let name = key.as_str();
        if MEMBERS.contains(&name) || (self.in_request && REQUEST_MEMBERS.contains(&name)) {
            return Ok(());
        }
        let written = match value.to_i64() {
            Some(number) => self.line.serialize_entry(name, &number),
            None => self.line.serialize_entry(name, &Text(value)),
        };
        written.map_err(|failure| {
            self.failure = Some(failure);
            log::kv::Error::msg("the line cannot be written")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use std::sync::Arc;

    fn line() -> String {
        let fields = [("message", "forged"), ("user_id", "7"), ("request_id", "forged"), ("kept", "yes")];
        let mut out = Vec::new();
        let record = Record::builder().args(format_args!("said")).key_values(&fields).build();
        let clock: SharedClock = Arc::new(SystemClock);
        assert!(write_json(&mut out, &record, &clock).is_ok());
        String::from_utf8_lossy(&out).into_owned()
    }

    /// Readers of JSON differ in which of two members of one name they take.
    #[tokio::test]
    async fn no_member_of_a_line_is_there_twice() {
        let outside = line();
        assert!(
            outside.contains(r#""message":"said""#)
                && outside.contains(r#""user_id":"7","request_id":"forged","kept":"yes""#)
        );
        let inside = in_request("own".to_owned(), async {
            record_caller(auth_types::UserId(8), auth_types::SessionId(uuid::Uuid::nil()));
            line()
        });
        let inside = inside.await;
        for (name, value) in [("message", "\"said\""), ("user_id", "8"), ("request_id", "\"own\""), ("kept", "\"yes\"")]
        {
            assert_eq!(inside.matches(&format!("\"{name}\":")).count(), 1, "{inside}");
            assert!(inside.contains(&format!("\"{name}\":{value}")), "{inside}");
        }
    }
}
