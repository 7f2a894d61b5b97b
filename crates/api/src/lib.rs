//! Latchkey's HTTP API: accounts, sessions and tokens.
//!
//! A request flows one way: `http` parses and shapes, `service` has the rules, `store` has the SQL. `docs/start/architecture.md`
//! walks through it. A product on top of it consists of [features](app::Feature): [`prelude`] has what a feature needs.

// Their macros panic if the stream is closed or full; `cli/output.rs` prints instead.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod app;
mod capacity;
pub mod cli;
pub mod clock;
pub mod config;
mod error_chain;
pub mod files;
pub mod gate;
pub mod http;
pub mod mails;
pub mod metrics;
pub mod names;
pub mod prelude;
pub mod problem;
pub mod service;
pub mod store;
pub mod telemetry;

pub use app::App;
pub use cli::run;
