//! What an operator's Prometheus reads at `/metrics`: the registry, and what the metrics of every layer are made of.
//!
//! Each layer owns its metrics and registers them here. Labels are words that the program itself knows: nothing that a client
//! sends becomes one, and nothing about a person. What is counted starts at 0, so that the first time shows as a rise.

mod classic;
mod counts;
mod process;
mod registry;

pub use classic::classic;
pub use counts::{DURATIONS, Outcomes};
pub use registry::Metrics;
