//! `api smoke`: tests a deployment from outside, as its front end and an unknown client see it. The Django
//! guide calls it "testing the deployment".
//!
//! It is a client of the API: it uses no settings and no database, and runs wherever both sites can be reached. Each row of
//! [`every_check`] is one function that returns what it observed. A run deletes what it has created, however it ends.

mod access;
mod account;
mod browser;
mod checks;
mod clear;
mod command;
mod context;
mod cookies;
mod cors;
mod credentials;
mod files;
mod headers;
mod html;
mod loaded;
mod page;
mod policy;
mod report;
mod requests;
mod response;
mod run;
mod service;
mod session;
mod sign_in;
mod site;
mod tokens;

pub use checks::{SmokeCheck, all as every_check};
pub use command::Arguments;
pub use context::SmokePlan;
pub use credentials::{SmokeAccount, SmokeCredentials};
pub use report::{SmokeReport, SmokeRow, SmokeVerdict};
pub use run::run;
pub use site::SmokeSite;
