//! The metrics that Prometheus reads at `/metrics`: the registry, and types that several layers use.
//!
//! Each layer owns its metrics and registers them here. Label values are constants of the program: client input and personal
//! data never become labels. Counters start at 0, so that the first event shows as an increase.

mod classic;
mod counts;
mod process;
mod registry;

pub use classic::classic;
pub use counts::{DURATIONS, Outcomes};
pub use registry::Metrics;
