//! `api check`: finds problems of a configuration before users do, the counterpart of Django's `check --deploy`.
//!
//! [`configuration`] checks the variables only. [`deployment`] also connects to the database, the mail server, the bucket and
//! Redis, and hashes a password. Nothing is changed: no migration runs, and the files that are written to test a folder or a
//! bucket are deleted again.

mod cookies;
mod disk;
mod facts;
mod finding;
mod origins;
mod probes;
mod proxies;
mod rule;
mod rules;
mod run;
mod secrets;
mod severity;
mod surroundings;

pub use finding::{CheckReport, Finding};
pub use rule::CheckRule;
pub use rules::ALL as RULES;
pub use run::{configuration, deployment, log_findings};
pub use severity::Severity;
