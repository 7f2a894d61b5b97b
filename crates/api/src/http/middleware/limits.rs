//! Reports the state of a client's budgets (draft-ietf-httpapi-ratelimit-headers), so that it can wait before it is refused.

use crate::service::limits::{Meter, Reading};
use actix_web::dev::ServiceResponse;
use actix_web::http::header::{HeaderName, HeaderValue};

pub(super) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
pub(super) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Adds the headers to the response of a request that took from a budget, whether it succeeded or not.
pub(super) fn add_headers<B>(response: &mut ServiceResponse<B>, meter: &Meter) {
    let readings = meter.readings();
    if readings.is_empty() {
        return;
    }
    let limits = list(&readings, |reading| format!("r={};t={}", reading.remaining, reading.reset_seconds));
    let policies = list(&readings, |Reading { rule, .. }| format!("q={};w={}", rule.quota, rule.window.num_seconds()));
    for (name, value) in [(RATE_LIMIT, limits), (RATE_LIMIT_POLICY, policies)] {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    }
}

/// A list of strings with parameters (RFC 9651).
fn list(readings: &[Reading], parameters: impl Fn(&Reading) -> String) -> String {
    let items = readings.iter().map(|reading| format!("\"{}\";{}", reading.rule.policy, parameters(reading)));
    items.collect::<Vec<_>>().join(", ")
}
