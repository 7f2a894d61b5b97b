//! Metrics of requests: how many, how long they take, and why they fail.

use crate::metrics::{DURATIONS, Metrics};
use auth_types::Reason;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;

/// The labels of a finished request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    /// The route's pattern, or `unmatched`.
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

/// The labels of an error response, by its reason.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ErrorLabels {
    route: String,
    reason: String,
}

/// Counts of requests.
#[derive(Debug)]
pub struct HttpMetrics {
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram>,
    errors: Family<ErrorLabels, Counter>,
}

impl Default for HttpMetrics {
    fn default() -> Self {
        Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(DURATIONS)),
            errors: Family::default(),
        }
    }
}

impl HttpMetrics {
    pub fn registered(metrics: &Metrics) -> Self {
        let registered = Self::default();
        let [requests, durations, failures] = ["http_requests", "http_request_duration_seconds", "http_failures"];
        metrics.register(requests, "Finished requests", registered.requests.clone());
        metrics.register(durations, "From the request's head to the response", registered.durations.clone());
        metrics.register(failures, "Failures by the reason in the response", registered.errors.clone());
        registered
    }

    /// Counts a finished request.
    pub fn record_request(&self, method: &str, route: &str, status: u16, seconds: f64) {
        let route = route.to_owned();
        self.durations.get_or_create(&RouteLabels { route: route.clone() }).observe(seconds);
        self.requests.get_or_create(&RequestLabels { method: known_method(method), route, status }).inc();
    }

    /// Counts an error response.
    pub fn record_error(&self, route: &str, reason: Reason) {
        let reason = serde_json::to_value(reason).ok().and_then(|word| word.as_str().map(str::to_owned));
        let labels = ErrorLabels { route: route.to_owned(), reason: reason.unwrap_or_default() };
        self.errors.get_or_create(&labels).inc();
    }
}

/// Clients may send any method, so only known ones become labels.
fn known_method(method: &str) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method).unwrap_or("other")
}
