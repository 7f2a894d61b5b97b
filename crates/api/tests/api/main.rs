//! The API through real HTTP, on both databases: `scripts/postgres run -- cargo test -p api`.
//!
//! One file per use case, mirroring `src/service`; `support` gives each test its own API, database and clock.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should stop where it stands")]
#![expect(unreachable_pub, reason = "nothing is public in a test binary")]

mod account;
mod bad_input;
mod config;
mod cors;
mod documents;
mod faults_clock;
mod faults_database;
mod faults_process;
mod faults_sqlite;
mod faults_start;
mod login;
mod login_floods;
mod logout;
mod migrations;
mod openapi;
mod processes;
mod prune;
mod readiness;
mod refresh;
mod register;
mod revocation;
mod routes;
mod sessions;
mod shutdown;
mod simulation;
mod slow_clients;
mod support;
mod tls;
mod tokens_forged;
mod verify;
