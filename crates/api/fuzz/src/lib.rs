//! Properties that are true for any input. `scripts/fuzz` lets libFuzzer search for input that violates them; `tests/api/fuzz.rs`
//! checks them for the seeds, so that the targets stay compiled and correct.
#![allow(clippy::missing_panics_doc, reason = "a panic is the finding")]

pub mod archives;
pub mod bodies;
pub mod configuration;
pub mod forwarded;
pub mod pictures;
pub mod tokens;
