//! Latchkey's HTTP API: accounts, sessions and tokens.
//!
//! A request flows one way: `http` parses and shapes, `service` holds the rules, `store` speaks SQL. `docs/ARCHITECTURE.md`
//! walks through it.

pub mod app;
mod capacity;
pub mod cli;
pub mod clock;
pub mod config;
pub mod files;
pub mod gate;
pub mod http;
pub mod metrics;
pub mod names;
pub mod problem;
pub mod service;
pub mod store;
pub mod telemetry;
mod told;
