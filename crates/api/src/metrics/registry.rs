//! The registry that `/metrics` is written from.

use super::process::Process;
use chrono::{DateTime, Utc};
use parking_lot::RwLock;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry};

/// All metrics of the process.
#[derive(Debug)]
pub struct Metrics {
    process: Registry,
    program: RwLock<Registry>,
}

impl Metrics {
    /// The metrics of a process that started at `started_at`.
    pub fn since(started_at: DateTime<Utc>) -> Self {
        let mut process = Registry::with_prefix("process");
        process.register_collector(Box::new(Process { started_at }));
        let metrics = Self { process, program: RwLock::new(Registry::with_prefix("latchkey")) };
        let build = [
            ("version", env!("CARGO_PKG_VERSION")),
            ("revision", env!("LATCHKEY_REVISION")),
            ("rustc", env!("LATCHKEY_RUSTC")),
        ];
        metrics.register("build", "This program", Info::new(build));
        metrics
    }

    /// Adds a metric; its name is `latchkey_` and `name`.
    pub fn register(&self, name: impl Into<String>, help: &str, metric: impl Metric) {
        self.program.write().register(name, help, metric);
    }

    /// All metrics as text.
    ///
    /// # Errors
    /// Only if memory runs out.
    pub fn render(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode_registry(&mut text, &self.process)?;
        encode_registry(&mut text, &self.program.read())?;
        encode_eof(&mut text)?;
        Ok(text)
    }
}
