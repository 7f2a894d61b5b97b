//! Checks the allowed origins and the front end's address.

use super::facts::Facts;
use super::finding::Finding;
use super::rules;
use crate::config::{Origin, Origins};
use url::{Host, Url};

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let origins = &facts.settings.origins;
    let cors = each("CORS_ALLOWED_ORIGINS", &origins.cors_allowed);
    let csrf = each("CSRF_TRUSTED_ORIGINS", &origins.csrf_trusted);
    let mut findings: Vec<_> = cors.chain(csrf).collect();
    let is_refused = facts.any_is_refused(&["CORS_ALLOWED_ORIGINS"]);
    if origins.cors_allowed.is_empty() && !is_refused {
        findings.push(rules::ORIGINS_NONE.found("names no origin").about("CORS_ALLOWED_ORIGINS"));
    }
    if !is_refused && !facts.is_refused("FRONTEND_URL") {
        findings.extend(front_end(origins));
    }
    findings
}

fn each(variable: &'static str, origins: &[Origin]) -> impl Iterator<Item = Finding> {
    origins.iter().filter_map(move |origin| {
        let rule = match address(origin.as_str()) {
            AddressKind::Local => &rules::ORIGINS_LOCALHOST,
            AddressKind::Http => &rules::ORIGINS_HTTP,
            AddressKind::Https => return None,
        };
        Some(rule.found(format_args!("allows {}", origin.as_str())).about(variable))
    })
}

fn front_end(origins: &Origins) -> Vec<Finding> {
    let Some(front_end) = &origins.frontend_url else {
        return vec![rules::FRONTEND_MISSING.found("is not set, nor is CORS_ALLOWED_ORIGINS").about("FRONTEND_URL")];
    };
    let mut findings = Vec::new();
    let found = |rule: &'static super::CheckRule, message: String| rule.found(message).about("FRONTEND_URL");
    if address(front_end) != AddressKind::Https {
        findings.push(found(&rules::FRONTEND_HTTP, format!("{front_end} is not https://")));
    }
    let origin = Url::parse(front_end).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
    if !origins.cors_allowed.is_empty() && !origins.cors_allowed.iter().any(|allowed| allowed.as_str() == origin) {
        findings.push(found(&rules::FRONTEND_NOT_ALLOWED, format!("{origin} is not in CORS_ALLOWED_ORIGINS")));
    }
    findings
}

#[derive(Debug, PartialEq, Eq)]
enum AddressKind {
    Https,
    Http,
    /// A visitor's own machine, by either scheme.
    Local,
}

fn address(text: &str) -> AddressKind {
    let Ok(url) = Url::parse(text) else { return AddressKind::Http };
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback() || ip.is_unspecified(),
        Some(Host::Ipv6(ip)) => ip.is_loopback() || ip.is_unspecified(),
        None => false,
    };
    match url.scheme() {
        _ if local => AddressKind::Local,
        "https" => AddressKind::Https,
        _ => AddressKind::Http,
    }
}
