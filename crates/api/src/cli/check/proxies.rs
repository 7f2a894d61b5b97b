//! Checks the proxies in front of the API: whether they are configured, and whether clients behind them are distinguished.

use super::facts::Facts;
use super::finding::Finding;
use super::rules;
use crate::clock::SharedClock;
use crate::config::{CLOUDFLARE_AS_OF, TrustedProxies, is_private, is_shared};
use crate::store::state::DatabaseState;
use chrono::Days;
use std::net::IpAddr;

const VARIABLE: &str = "TRUSTED_PROXIES";
/// How old the list of published networks may be.
const RANGES_AGE: Days = Days::new(400);

/// The API has no TLS of its own, so a proxy in front of it must have.
pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let server = &facts.settings.server;
    if are_refused(facts) {
        return Vec::new();
    }
    if server.proxies.is_none() {
        let message = "is not set, although a proxy in front of the API terminates HTTPS";
        return vec![rules::PROXY_HOPS.found(message).about(VARIABLE)];
    }
    if !server.on_render || server.proxies.contains(&TrustedProxies::of_render()) {
        return Vec::new();
    }
    vec![match server.proxies {
        TrustedProxies::Hops(hops) => rules::PROXY_RENDER
            .found(format_args!("is {hops}, and requests on Render do not all pass the same number of proxies"))
            .about("TRUSTED_PROXY_HOPS"),
        TrustedProxies::Networks(_) => {
            rules::PROXY_RENDER.found("leaves out networks from which Render's proxies connect").about(VARIABLE)
        }
    }]
}

fn are_refused(facts: &Facts<'_>) -> bool {
    facts.any_is_refused(&[VARIABLE, "TRUSTED_PROXY_HOPS"])
}

/// Whether the newest sessions have addresses that many clients may share. Without a proxy, a private address may be a
/// client's own.
pub(super) fn clients(facts: &Facts<'_>, state: &DatabaseState) -> Option<Finding> {
    let without_proxies = facts.settings.server.proxies.is_none();
    let is_unknown = |ip: IpAddr| is_shared(ip) && !(without_proxies && is_private(ip));
    let shared: Vec<_> =
        state.newest_addresses.iter().filter(|address| address.parse().is_ok_and(is_unknown)).collect();
    let newest = shared.first()?;
    let some = shared.len();
    let all = state.newest_addresses.len();
    let message =
        format!("{some} of the newest {all} sessions have a proxy's or a private address, the newest {newest}");
    Some(rules::PROXY_CLIENTS.found(message).about(VARIABLE))
}

/// Whether the list of Cloudflare's networks in this program is used and outdated.
pub(super) fn ranges(facts: &Facts<'_>, clock: &SharedClock) -> Option<Finding> {
    let is_used = facts.settings.server.proxies.contains(&TrustedProxies::of_cloudflare()) && !are_refused(facts);
    let is_old = CLOUDFLARE_AS_OF + RANGES_AGE < clock.now().date_naive();
    let message = format_args!("trusts the networks that Cloudflare had published by {CLOUDFLARE_AS_OF}").to_string();
    (is_used && is_old).then(|| rules::PROXY_RANGES.found(message).about(VARIABLE))
}
