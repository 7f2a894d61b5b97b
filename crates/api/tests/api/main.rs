//! The API through real HTTP, on both databases: `scripts/postgres run -- cargo test -p api`.
//!
//! One file per use case, mirroring `src/service`; `support` gives each test its own API, database and clock.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should stop where it stands")]
#![expect(unreachable_pub, reason = "nothing is public in a test binary")]

mod account;
mod account_deletion;
mod authorization;
mod avatar;
mod avatar_storage;
mod backup;
mod bad_input;
mod check;
mod client_ip;
mod clocks;
mod commands;
mod commits;
mod config;
mod config_addresses;
mod connections;
mod cookie_attributes;
mod cookies;
mod cors;
mod create_user;
mod crowds;
mod documents;
mod documents_names;
mod email_change;
mod email_verification;
mod enumeration;
mod events;
mod export;
mod faults_clock;
mod faults_database;
mod faults_process;
mod faults_sqlite;
mod faults_start;
mod features;
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
mod mail_amounts;
mod mail_places;
mod mail_races;
mod mail_refusals;
mod mail_refusals_of_some;
mod mail_server;
mod mail_shares;
mod metrics;
mod metrics_work;
mod migrations;
mod monitoring;
mod names;
mod openapi;
mod password_change;
mod password_reset;
mod picture;
mod processes;
mod prune;
mod readiness;
mod refresh;
mod refusals;
mod register;
mod registrations;
mod registrations_carried_over;
mod repeated_steps;
mod retention;
mod revocation;
mod routes;
mod security_document;
mod sessions;
mod shares;
mod shutdown;
mod silence;
mod simulation;
mod slow_clients;
mod smoke;
mod smuggling;
mod support;
mod tls;
mod tokens_forged;
mod verify;

/// The product's own features, and the example.
#[path = "../../src/bin/api/main.rs"]
#[expect(dead_code, reason = "its main function")]
mod product;

#[path = "../../../../examples/notes/api/mod.rs"]
mod notes;
#[path = "../../../../examples/notes/tests.rs"]
mod notes_tests;
