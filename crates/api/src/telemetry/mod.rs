//! Logs: lines for people in development, JSON for machines in production.

use crate::clock::SharedClock;
use crate::config::Settings;
use env_logger::{Target, WriteStyle};
use log::Record;
use log::kv::{Key, Value, VisitSource};
use serde_json::{Map, json};
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
        builder.format(move |out, record| writeln!(out, "{}", json_line(record, &clock)));
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

/// One record as one line of JSON; serde escapes line breaks and quotes.
fn json_line(record: &Record<'_>, clock: &SharedClock) -> serde_json::Value {
    let mut fields = Fields(Map::new());
    // Collecting into a map cannot fail.
    let _ = record.key_values().visit(&mut fields);
    let mut line = fields.0;
    request::add_to(&mut line);
    line.insert("at".to_owned(), json!(clock.now()));
    line.insert("level".to_owned(), json!(record.level().as_str()));
    line.insert("target".to_owned(), json!(record.target()));
    line.insert("message".to_owned(), json!(record.args().to_string()));
    line.into()
}

struct Fields(Map<String, serde_json::Value>);

impl<'kvs> VisitSource<'kvs> for Fields {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), log::kv::Error> {
        let number = value.to_i64().map(|number| json!(number));
        self.0.insert(key.to_string(), number.unwrap_or_else(|| json!(value.to_string())));
        Ok(())
    }
}
