//! Checks for secrets that are known or can be guessed.

use super::facts::Facts;
use super::finding::Finding;
use super::rules;
use crate::config::{DatabaseUrl, MailUrl, Settings, StorageSettings, decoded};
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeSet;
use url::Url;

/// The minimum length of a key, bytes: the output size of HS256 (RFC 7518, section 3.2).
const MIN_BYTES: usize = 32;
/// A text with fewer distinct characters was typed, not generated.
const MIN_DISTINCT: usize = 10;
/// A shorter secret occurs in ordinary words, and hiding it there would reveal it.
const MIN_HIDDEN_LENGTH: usize = 4;
/// The prefix of the key that `django-admin startproject` writes into a file which is usually committed.
const DJANGO_INSECURE: &str = "django-insecure-";
/// Parts of the placeholders in guides and examples.
const PLACEHOLDERS: &[&str] = &[
    "super-secret-key",
    "secret-key-here",
    "your-secret",
    "your_secret",
    "your_postgres",
    "your_r2",
    "your-password",
    "your_password",
    "change-me",
    "changeme",
    "change_me",
    "change-this",
    "replace-me",
    "replace_me",
    "placeholder",
    "insert-your",
    "make-it-long-and-random",
    "dev-secret",
];

/// A secret, and the variable that holds it.
struct HeldSecret {
    variable: &'static str,
    value: String,
    signs: bool,
}

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let is_refused = |secret: &HeldSecret| facts.is_refused(secret.variable);
    let held: Vec<_> = held(facts.settings).into_iter().filter(|secret| !is_refused(secret)).collect();
    let mut findings: Vec<_> = held.iter().filter_map(weakness).collect();
    for (index, secret) in held.iter().enumerate() {
        if let Some(other) = held[..index].iter().find(|other| other.value == secret.value) {
            findings.push(reused(other.variable, secret.variable));
        }
    }
    findings
}

/// Every secret of the configuration, including passwords in URLs. Blank values are not secrets.
fn held(settings: &Settings) -> Vec<HeldSecret> {
    let in_url = |url: &SecretString| password_of(url.expose_secret());
    let database = match &settings.database.url {
        DatabaseUrl::Postgres(url) => in_url(url),
        DatabaseUrl::Sqlite(_) => None,
    };
    let mail = match &settings.mail.url {
        MailUrl::Smtp(url) => in_url(url),
        MailUrl::Console | MailUrl::Folder(_) => None,
    };
    let bucket = match &settings.storage {
        StorageSettings::S3(s3) => Some(s3.secret_access_key.expose_secret().to_owned()),
        StorageSettings::Folder(_) => None,
    };
    let exposed = |secret: &SecretString| secret.expose_secret().to_owned();
    let fallbacks = settings.keys.fallbacks.iter().map(|key| ("SECRET_KEY_FALLBACKS", Some(exposed(key))));
    let others = [
        ("DATABASE_URL", database),
        ("EMAIL_URL", mail),
        ("AWS_SECRET_ACCESS_KEY", bucket),
        ("REDIS_URL", settings.limits.redis_url.as_ref().and_then(in_url)),
        ("METRICS_TOKEN", settings.operation.metrics_token.as_ref().map(exposed)),
    ];
    std::iter::once(("SECRET_KEY", Some(exposed(&settings.keys.secret_key))))
        .chain(fallbacks)
        .chain(others)
        .filter_map(|(variable, value)| {
            let value = value.filter(|value| !value.is_empty())?;
            Some(HeldSecret { variable, value, signs: variable.starts_with("SECRET_KEY") })
        })
        .collect()
}

fn password_of(url: &str) -> Option<String> {
    Url::parse(url).ok()?.password().map(decoded)
}

/// Removes every secret from the finding's message, verbatim or percent-encoded.
pub(super) fn hide_in(mut finding: Finding, settings: &Settings) -> Finding {
    for HeldSecret { value, .. } in held(settings).iter().filter(|secret| secret.value.len() >= MIN_HIDDEN_LENGTH) {
        let spelt = url::form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>().replace('+', "%20");
        finding.message = finding.message.replace(value, "***").replace(&spelt, "***");
    }
    finding
}

fn weakness(HeldSecret { variable, value, signs }: &HeldSecret) -> Option<Finding> {
    let lower = value.to_lowercase();
    if PLACEHOLDERS.iter().any(|part| lower.contains(part)) {
        let message = "is the placeholder of an example or a guide that anyone can read";
        return Some(rules::SECRETS_PLACEHOLDER.found(message).about(variable));
    }
    // Other services decide how strong their passwords have to be.
    let message = match value.chars().collect::<BTreeSet<_>>().len() {
        _ if !signs => return None,
        _ if value.starts_with(DJANGO_INSECURE) => {
            format!("starts with {DJANGO_INSECURE}: Django wrote it into a file that is usually committed")
        }
        _ if value.len() < MIN_BYTES => format!("has {} bytes, fewer than {MIN_BYTES}", value.len()),
        distinct if distinct < MIN_DISTINCT => {
            format!("has {distinct} distinct characters, fewer than {MIN_DISTINCT}")
        }
        _ => return None,
    };
    Some(rules::SECRETS_WEAK.found(message).about(variable))
}

fn reused(first: &str, second: &str) -> Finding {
    let message = if first == second { "has one key twice".to_owned() } else { format!("is the same as {first}") };
    rules::SECRETS_REUSED.found(message).about(second)
}
