//! What a process does for the whole service: its start, its readiness, and pruning.

pub mod batches;
pub mod clocks;
pub mod erasures;
pub mod gauges;
pub mod measure;
pub mod periodic;
pub mod prune;
pub mod readiness;
pub mod readiness_cache;
pub mod start;
