//! Runs the checks.

use super::facts::Facts;
use super::finding::{CheckReport, Finding};
use super::severity::Severity;
use super::{cookies, disk, origins, probes, proxies, rules, secrets, surroundings};
use crate::clock::SharedClock;
use crate::config::{Inspection, Settings};
use crate::service::mail::{MailMetrics, Mailer, MailerError};
use crate::store::migrations::Migrations;
use std::time::Duration;

/// Checks the configuration: whether the API starts, and in production whether it is safe.
pub fn configuration(inspection: &Inspection) -> CheckReport {
    let production = inspection.settings.environment.is_production();
    let findings = start_up(inspection).chain(static_findings(&facts(inspection, production)));
    CheckReport::of(&inspection.settings, findings)
}

/// Runs all checks, as if in production.
pub async fn deployment(inspection: &Inspection, clock: &SharedClock, migrations: &Migrations) -> CheckReport {
    let facts = facts(inspection, true);
    let probed = probes::all(&facts, clock, migrations).await;
    let ranges = proxies::ranges(&facts, clock);
    let findings = start_up(inspection).chain(static_findings(&facts)).chain(ranges).chain(probed);
    CheckReport::of(&inspection.settings, findings)
}

/// Logs findings that do not prevent a start in production, but that its operator should know.
pub fn log_findings(settings: &Settings) {
    if !settings.environment.is_production() {
        return;
    }
    let facts = Facts { settings, production: true, inspection: None };
    for Finding { rule, message, .. } in static_findings(&facts) {
        match rule.severity {
            Severity::Info => {}
            Severity::Warning => log::warn!(id = rule.id; "check.{}: {message}; {}", rule.id, rule.remedy),
            Severity::Error => log::error!(id = rule.id; "check.{}: {message}; {}", rule.id, rule.remedy),
        }
    }
}

/// Problems that prevent the start, and names that are not read.
fn start_up(inspection: &Inspection) -> impl Iterator<Item = Finding> {
    let refused = inspection.problems.iter().map(|problem| {
        let finding = rules::CONFIG_REFUSED.found(&problem.problem_and_fix);
        finding.about(&problem.name)
    });
    let mailer =
        Mailer::new(&inspection.settings.mail, inspection.settings.environment, Duration::ZERO, MailMetrics::default())
            .err()
            .and_then(refused_mailer);
    let misspelt = inspection
        .misspelt
        .iter()
        .map(|(name, meant)| rules::CONFIG_MISSPELT.found(format_args!("{name} is not read; {meant} is")).about(name));
    refused.chain(mailer).chain(misspelt)
}

/// A problem of the variable that only the mailer finds.
fn refused_mailer(error: MailerError) -> Option<Finding> {
    match error {
        MailerError::Url(problem) => Some(rules::CONFIG_REFUSED.found(problem).about("EMAIL_URL")),
        // The settings' reader has reported it.
        MailerError::From => None,
    }
}

/// The checks that need no connection. On a developer's machine none of them matters.
fn static_findings(facts: &Facts<'_>) -> Vec<Finding> {
    if !facts.production {
        return Vec::new();
    }
    let checks = [secrets::check, origins::check, cookies::check, surroundings::check, proxies::check, disk::check];
    checks.into_iter().flat_map(|check| check(facts)).collect()
}

const fn facts(inspection: &Inspection, production: bool) -> Facts<'_> {
    Facts { settings: &inspection.settings, production, inspection: Some(inspection) }
}
