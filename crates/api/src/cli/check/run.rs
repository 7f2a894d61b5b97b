//! All checks in turn.

use super::facts::Facts;
use super::finding::{CheckReport, Finding};
use super::severity::Severity;
use super::{cookies, disk, origins, probes, proxies, rules, secrets, surroundings};
use crate::clock::SharedClock;
use crate::config::{Inspection, Settings};
use crate::service::mail::{MailMetrics, Mailer, MailerError};
use crate::store::migrations::Migrations;
use std::time::Duration;

/// Looks at what is configured: whether it starts, and in production what it would be like.
pub fn configuration(inspection: &Inspection) -> CheckReport {
    let production = inspection.settings.environment.is_production();
    let findings = start_up(inspection).chain(standing(&facts(inspection, production)));
    CheckReport::of(&inspection.settings, findings)
}

/// Looks at everything, as if this were production.
pub async fn deployment(inspection: &Inspection, clock: &SharedClock, migrations: &Migrations) -> CheckReport {
    let facts = facts(inspection, true);
    let probed = probes::all(&facts, clock, migrations).await;
    let ranges = proxies::ranges(&facts, clock);
    let findings = start_up(inspection).chain(standing(&facts)).chain(ranges).chain(probed);
    CheckReport::of(&inspection.settings, findings)
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

/// What refuses the start, and names that nobody reads.
fn start_up(inspection: &Inspection) -> impl Iterator<Item = Finding> {
    let refused = inspection.problems.iter().map(|problem| {
        let finding = rules::CONFIG_REFUSED.found(&problem.problem_and_fix);
        finding.about(&problem.name)
    });
    let mailer =
        Mailer::new(&inspection.settings.mail, inspection.settings.environment, Duration::ZERO, MailMetrics::default())
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

const fn facts(inspection: &Inspection, production: bool) -> Facts<'_> {
    Facts { settings: &inspection.settings, production, inspection: Some(inspection) }
}
