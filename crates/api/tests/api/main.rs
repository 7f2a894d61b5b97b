//! The API through real HTTP, on both databases: `scripts/postgres run -- cargo test -p api`.
//!
//! One file per use case, mirroring `src/service`; `support` gives each test its own API, database and clock.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should stop where it stands")]
#![expect(unreachable_pub, reason = "nothing is public in a test binary")]

mod account;
mod avatar;
mod avatar_storage;
mod bad_input;
mod check;
mod client_ip;
mod config;
mod cookie_attributes;
mod cookies;
mod cors;
mod documents;
mod email_change;
mod email_verification;
mod enumeration;
mod faults_clock;
mod faults_database;
mod faults_process;
mod faults_sqlite;
mod faults_start;
mod files;
mod fuzz;
mod hardening;
mod headers;
mod https;
mod jwks;
mod key_config;
mod key_forgeries;
mod key_rotation;
mod leaks;
mod limits;
mod limits_redis;
mod login;
mod login_floods;
mod logout;
mod logs;
mod mail;
mod mail_server;
mod metrics;
mod migrations;
mod openapi;
mod password_change;
mod password_reset;
mod picture;
mod processes;
mod prune;
mod readiness;
mod refresh;
mod register;
mod revocation;
mod routes;
mod security_document;
mod sessions;
mod shutdown;
mod simulation;
mod slow_clients;
mod smuggling;
mod support;
mod tls;
mod tokens_forged;
mod verify;
