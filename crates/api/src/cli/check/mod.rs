//! `api check`: what is wrong with a configuration before anyone meets it, the counterpart of Django's `check --deploy`.
//!
//! [`configuration`] looks at what is set and touches nothing else. [`deployment`] also asks the database, the mail
//! server, the bucket and Redis, and hashes a password. Nothing is changed: no migration runs, and what is written to
//! see whether a folder or a bucket takes it is deleted again.

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
