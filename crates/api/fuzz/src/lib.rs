//! What must hold whatever comes in. `scripts/fuzz` lets libFuzzer look for input that breaks it; `tests/api/fuzz.rs` runs
//! the same over the seeds, so that neither rots.
#![allow(clippy::missing_panics_doc, reason = "a panic is the finding")]

pub mod archives;
pub mod bodies;
pub mod configuration;
pub mod forwarded;
pub mod pictures;
pub mod tokens;
