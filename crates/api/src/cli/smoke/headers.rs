//! The headers that keep browsers safe, on both sites.

use super::context::{Smoke, learnt};
use super::response::{CheckResult, SmokeResponse, unless_any};
use auth_types::paths;

/// A year: what browsers' preload lists ask for.
const YEAR_SECONDS: u64 = 31_536_000;

pub(super) async fn of_api(smoke: &Smoke) -> CheckResult {
    let response = smoke.ask(paths::CONFIG).await?;
    judged(&response, "default-src 'none'")
}

pub(super) fn of_web(smoke: &Smoke) -> CheckResult {
    judged(learnt(&smoke.page)?, "frame-ancestors 'none'")
}

/// The policy is looked at more closely elsewhere; here it is there, and says this.
fn judged(response: &SmokeResponse, policy: &str) -> CheckResult {
    let is = |name: &str, value: &str| response.header(name).trim().eq_ignore_ascii_case(value);
    let wrong = [
        ("Strict-Transport-Security of a year", max_age(&response.header("strict-transport-security")) >= YEAR_SECONDS),
        ("X-Content-Type-Options: nosniff", is("x-content-type-options", "nosniff")),
        ("Referrer-Policy: no-referrer", is("referrer-policy", "no-referrer")),
        ("X-Frame-Options: DENY", is("x-frame-options", "DENY")),
        ("a Content-Security-Policy", response.header("content-security-policy").contains(policy)),
    ];
    let missing = wrong.iter().filter(|(_, is_there)| !is_there).map(|(name, _)| format!("no {name}"));
    unless_any(&missing.collect::<Vec<_>>(), "HSTS, nosniff, no-referrer, no frames, a policy")
}

/// The seconds of `max-age`, of HSTS or of a cache; 0 if it says none.
pub(super) fn max_age(value: &str) -> u64 {
    let directives = value.split([',', ';']).filter_map(|directive| directive.trim().split_once('='));
    let mut age = directives.filter(|(name, _)| name.eq_ignore_ascii_case("max-age")).map(|(_, seconds)| seconds);
    age.find_map(|seconds| seconds.trim_matches('"').parse().ok()).unwrap_or_default()
}
