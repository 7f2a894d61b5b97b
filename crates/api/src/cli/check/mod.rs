//! `api check`: what is wrong with a configuration before anyone meets it, the counterpart of Django's `check --deploy`.
//!
//! [`configuration`] looks at what is set and touches nothing else. [`deployment`] also asks the database, the mail
//! server, the bucket and Redis, and hashes a password. Nothing is changed: no migration runs, and what is written to
//! see whether a folder or a bucket takes it is deleted again.

mod cookies;
mod disk;
mod finding;
mod origins;
mod probes;
mod proxies;
mod rules;
mod secrets;
mod surroundings;

pub use finding::{Finding, Report, Severity};
pub use rules::{ALL as RULES, Rule};

use crate::clock::SharedClock;
use crate::config::{Inspection, Problem, Settings, VARIABLES, Variable};
use crate::service::mail::{Mailer, MailerError};

/// What the checks look at.
#[derive(Debug, Clone, Copy)]
struct Facts<'a> {
    settings: &'a Settings,
    /// Whether to judge by what the open internet asks for.
    production: bool,
    inspection: Option<&'a Inspection>,
}

impl Facts<'_> {
    /// Whether the start is refused because of this variable: then the setting is a default that nobody asked for.
    fn is_refused(&self, variable: &str) -> bool {
        let names = || VARIABLES.iter().filter(|known| known.name == variable).flat_map(Variable::names);
        let refused = |problem: &Problem| names().any(|name| name == problem.name);
        self.inspection.is_some_and(|inspection| inspection.problems.iter().any(refused))
    }

    fn any_is_refused(&self, variables: &[&str]) -> bool {
        variables.iter().any(|variable| self.is_refused(variable))
    }

    fn database_is_refused(&self) -> bool {
        self.any_is_refused(&["DATABASE_URL", "DB_NAME", "DB_USER", "DB_HOST", "DB_PORT"])
    }

    fn storage_is_refused(&self) -> bool {
        let required = ["AWS_STORAGE_BUCKET_NAME", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
        self.any_is_refused(&required) || self.is_refused("AWS_S3_ENDPOINT_URL")
    }
}

/// Looks at what is configured: whether it starts, and in production what it would be like.
#[must_use]
pub fn configuration(inspection: &Inspection) -> Report {
    let production = inspection.settings.environment.is_production();
    let findings = start_up(inspection).chain(standing(&facts(inspection, production)));
    Report::of(&inspection.settings, findings)
}

/// Looks at everything, as if this were production.
pub async fn deployment(inspection: &Inspection, clock: &SharedClock) -> Report {
    let facts = facts(inspection, true);
    let probed = probes::all(&facts, clock).await;
    let ranges = proxies::ranges(&facts, clock);
    let findings = start_up(inspection).chain(standing(&facts)).chain(ranges).chain(probed);
    Report::of(&inspection.settings, findings)
}

/// Writes onto the log what a start in production accepts, but its operator should know.
pub fn log_findings(settings: &Settings) {
    if !settings.environment.is_production() {
        return;
    }
    let facts = Facts { settings, production: true, inspection: None };
    for Finding { rule, message, .. } in standing(&facts) {
        match rule.severity {
            Severity::Info => {}
            Severity::Warning => log::warn!(id = rule.id; "check.{}: {message}; {}", rule.id, rule.remedy),
            Severity::Error => log::error!(id = rule.id; "check.{}: {message}; {}", rule.id, rule.remedy),
        }
    }
}

const fn facts(inspection: &Inspection, production: bool) -> Facts<'_> {
    Facts { settings: &inspection.settings, production, inspection: Some(inspection) }
}

/// What refuses the start, and names that nobody reads.
fn start_up(inspection: &Inspection) -> impl Iterator<Item = Finding> {
    let refused = inspection.problems.iter().map(|problem| {
        let finding = rules::CONFIG_REFUSED.found(&problem.problem_and_fix);
        finding.about(&problem.name)
    });
    let mailer = Mailer::new(&inspection.settings.mail, inspection.settings.environment, std::time::Duration::ZERO)
        .err()
        .and_then(refused_mailer);
    let misspelt = inspection.misspelt.iter().map(|(name, meant)| {
        rules::CONFIG_MISSPELT.found(format_args!("nobody reads {name}; {meant} is read")).about(name)
    });
    refused.chain(mailer).chain(misspelt)
}

/// What only the mailer sees in its variable.
fn refused_mailer(error: MailerError) -> Option<Finding> {
    match error {
        MailerError::Url(problem) => Some(rules::CONFIG_REFUSED.found(problem).about("EMAIL_URL")),
        // The reader has told it.
        MailerError::From => None,
    }
}

/// What can be told without asking anybody. On a developer's machine nothing of it matters.
fn standing(facts: &Facts<'_>) -> Vec<Finding> {
    if !facts.production {
        return Vec::new();
    }
    let checks = [secrets::check, origins::check, cookies::check, surroundings::check, proxies::check, disk::check];
    checks.into_iter().flat_map(|check| check(facts)).collect()
}
