//! Checks the environment, limits, logs, and where mail and files go.

use super::facts::Facts;
use super::finding::Finding;
use super::rules;
use crate::config::{DatabaseUrl, MailUrl, StorageSettings, shown_path};
use auth_types::responses::EmailVerification;

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let settings = facts.settings;
    let mut findings = Vec::new();
    if !settings.environment.is_production() && !facts.is_refused("APP_ENV") {
        findings.push(rules::ENVIRONMENT_DEVELOPMENT.found("is development").about("APP_ENV"));
    }
    if !settings.limits.enabled {
        findings.push(rules::LIMITS_OFF.found("is off").about("RATE_LIMITS"));
    }
    if settings.lifetimes.leeway.is_zero() && !facts.is_refused("REFRESH_LEEWAY") {
        findings.push(
            rules::REFRESH_STRICT.found("is 0: two tabs that refresh at once end the session").about("REFRESH_LEEWAY"),
        );
    }
    if settings.limits.redis_url.is_none() && !facts.is_refused("REDIS_URL") {
        findings.push(rules::REDIS_NONE.found("is not set: each process counts attempts by itself").about("REDIS_URL"));
    }
    if settings.operation.docs_open {
        findings.push(rules::DOCS_OPEN.found("is open: anyone can read the documentation").about("API_DOCS"));
    }
    findings.extend(logs(facts));
    findings.extend(mail(facts));
    findings.extend(machine(facts));
    findings.extend(bucket(facts));
    findings
}

fn logs(facts: &Facts<'_>) -> Option<Finding> {
    let filter = facts.settings.log_filter.to_lowercase();
    let level = ["trace", "debug"].into_iter().find(|level| filter.split([',', '=']).any(|part| part.trim() == *level));
    level.map(|level| rules::LOGS_VERBOSE.found(format_args!("has {level}")).about("RUST_LOG"))
}

fn mail(facts: &Facts<'_>) -> Vec<Finding> {
    let nowhere = match &facts.settings.mail.url {
        _ if facts.is_refused("EMAIL_URL") => return Vec::new(),
        MailUrl::Smtp(_) => return sender(facts).into_iter().collect(),
        MailUrl::Console => "is console: no mail is delivered".to_owned(),
        MailUrl::Folder(folder) => format!("is file: mail stays in {}", shown_path(folder)),
    };
    let mut findings = vec![rules::MAIL_NOWHERE.found(nowhere).about("EMAIL_URL")];
    if facts.settings.accounts.email_verification == EmailVerification::Mandatory {
        let message = "is mandatory, and the mail that asks for it is not delivered";
        findings.push(rules::MAIL_NEEDED.found(message).about("EMAIL_VERIFICATION"));
    }
    findings
}

/// Whether the sender's domain cannot receive replies. Mail servers look it up.
fn sender(facts: &Facts<'_>) -> Option<Finding> {
    let domain = facts.settings.mail.sender_domain();
    let found =
        || rules::MAIL_SENDER.found(format_args!("{domain} is not a domain of the internet")).about("EMAIL_FROM");
    (!domain.contains('.') && !facts.is_refused("EMAIL_FROM")).then(found)
}

/// Data that is kept on this machine only.
fn machine(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if matches!(facts.settings.database.url, DatabaseUrl::Sqlite(_)) && !facts.database_is_refused() {
        findings.push(rules::DATABASE_SQLITE.found("is SQLite, a file on this machine").about("DATABASE_URL"));
    }
    if let StorageSettings::Folder(folder) = &facts.settings.storage
        && !facts.storage_is_refused()
    {
        let message = format!("is not set: files are kept in {}", shown_path(folder));
        findings.push(rules::STORAGE_LOCAL.found(message).about("AWS_STORAGE_BUCKET_NAME"));
    }
    findings
}

/// Backups in a bucket that are not encrypted.
fn bucket(facts: &Facts<'_>) -> Option<Finding> {
    let plain = matches!(facts.settings.storage, StorageSettings::S3(_)) && facts.settings.backup.recipients.is_empty();
    let message = "is not set: backups in the bucket are not encrypted";
    let found = plain && !facts.is_refused("BACKUP_AGE_RECIPIENT");
    found.then(|| rules::BACKUP_PLAIN.found(message).about("BACKUP_AGE_RECIPIENT"))
}
