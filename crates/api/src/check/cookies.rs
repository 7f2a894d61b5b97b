//! Whether browsers would keep and send the cookies.

use super::Facts;
use super::finding::Finding;
use super::rules;
use auth_types::responses::TokenTransport;
use url::Url;

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let transport = &facts.settings.transport;
    let domain = transport.cookie_domain.as_deref();
    let public_suffix = domain.filter(|domain| site(domain).is_none());
    let dropped = public_suffix.map(|domain| {
        let message = format!("{domain} is a public suffix, like co.uk: browsers drop a cookie for it");
        rules::COOKIE_PUBLIC_SUFFIX.found(message).about("SESSION_COOKIE_DOMAIN")
    });
    let blocked = match transport.transport {
        TokenTransport::Cookie => across_sites(facts, domain),
        TokenTransport::Body => None,
    };
    dropped.into_iter().chain(blocked).collect()
}

/// The site of a host: the one label that somebody registered, and the public suffix after it.
fn site(host: &str) -> Option<&str> {
    psl::domain_str(host)
}

/// Whether the front end and the cookies are of one site, by what is known of the API's host.
fn across_sites(facts: &Facts<'_>, domain: Option<&str>) -> Option<Finding> {
    let front_end = Url::parse(facts.settings.origins.frontend_url.as_deref()?).ok()?;
    let front_end = front_end.host_str()?;
    let api = facts.settings.server.public_host.as_deref();
    let found = |rule: &'static super::Rule, message: String| Some(rule.found(message).about("TOKEN_TRANSPORT"));
    let differ = |other: &str| front_end != other && (site(other).is_none() || site(front_end) != site(other));
    match [api, domain].into_iter().flatten().find(|other| differ(other)) {
        Some(other) => found(&rules::COOKIE_CROSS_SITE, format!("{front_end} and {other} are two sites")),
        None if api.or(domain).is_none() => {
            let message = format!("is cookie, and nothing here tells whether the API is on the site of {front_end}");
            found(&rules::COOKIE_SITE_UNKNOWN, message)
        }
        None => None,
    }
}
