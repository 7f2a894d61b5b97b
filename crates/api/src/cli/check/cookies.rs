//! Checks that browsers will store and send the cookies.

use super::facts::Facts;
use super::finding::Finding;
use super::rules;
use crate::http::site::is_same_site;
use auth_types::responses::TokenTransport;

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let transport = &facts.settings.transport;
    let domain = transport.cookie_domain.as_deref();
    let public_suffix = domain.filter(|domain| psl::domain_str(domain).is_none());
    let dropped = public_suffix.map(|domain| {
        let message = format!("{domain} is a public suffix, like co.uk: browsers drop a cookie for it");
        rules::COOKIE_PUBLIC_SUFFIX.found(message).about("SESSION_COOKIE_DOMAIN")
    });
    let blocked = match transport.tokens {
        TokenTransport::Cookie => across_sites(facts, domain),
        TokenTransport::Body => None,
    };
    dropped.into_iter().chain(blocked).collect()
}

/// Whether the front end and the cookies are same-site, as far as the API's host is known.
fn across_sites(facts: &Facts<'_>, domain: Option<&str>) -> Option<Finding> {
    let front_end = facts.settings.origins.frontend_url.as_deref()?;
    let api = facts.settings.server.public_host.as_deref();
    let found = |rule: &'static super::CheckRule, message: String| Some(rule.found(message).about("TOKEN_TRANSPORT"));
    match [api, domain].into_iter().flatten().find(|host| !is_same_site(front_end, "https", host)) {
        Some(other) => found(&rules::COOKIE_CROSS_SITE, format!("{front_end} and https://{other} are two sites")),
        None if api.or(domain).is_none() => {
            let message = format!("is cookie, and it is unknown whether the API is on the site of {front_end}");
            found(&rules::COOKIE_SITE_UNKNOWN, message)
        }
        None => None,
    }
}
