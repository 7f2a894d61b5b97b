//! Metrics of the process, with the names that every Prometheus client library uses. Available on Linux only.

use chrono::{DateTime, Utc};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use rustix::process::{Resource, getrlimit};
use std::fs;

/// The time unit of `/proc`: a hundredth of a second on every supported architecture (`man 5 proc`, `USER_HZ`).
const TICKS_PER_SECOND: u32 = 100;

/// Reads `/proc/self` at each scrape.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) started_at: DateTime<Utc>,
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let mut gauge = |name, help, value: Option<f64>| {
            let Some(value) = value else { return Ok(()) };
            ConstGauge::new(value).encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)
        };
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 have room")]
        let started_at = self.started_at.timestamp() as f64;
        gauge("start_time_seconds", "When the process started, since 1970", Some(started_at))?;
        gauge("resident_memory_bytes", "Memory in use", resident_memory())?;
        gauge("open_fds", "Open file descriptors", open_files())?;
        gauge("max_fds", "Limit of open file descriptors", max_files())?;
        let Some(seconds) = cpu_seconds() else { return Ok(()) };
        let help = "Processor time spent, in user and system";
        ConstCounter::new(seconds).encode(encoder.encode_descriptor("cpu_seconds", help, None, MetricType::Counter)?)
    }
}

/// `utime` and `stime`, the 14th and 15th field. The second one is the program's name in brackets and may hold anything.
fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11).take(2);
    let ticks = fields.map(|field| field.parse::<u32>().ok()).sum::<Option<u32>>()?;
    Some(f64::from(ticks) / f64::from(TICKS_PER_SECOND))
}

fn resident_memory() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u32 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(f64::from(kibibytes) * 1024.0)
}

/// Without the descriptor that this count itself opens.
fn open_files() -> Option<f64> {
    let open = fs::read_dir("/proc/self/fd").ok()?.count().checked_sub(1)?;
    u32::try_from(open).ok().map(f64::from)
}

fn max_files() -> Option<f64> {
    let limit = getrlimit(Resource::Nofile).current?;
    u32::try_from(limit).ok().map(f64::from)
}
