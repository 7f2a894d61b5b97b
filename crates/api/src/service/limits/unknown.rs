//! Requests whose client is unknown. They are counted by name only, so an operator must hear about them.

use prometheus_client::metrics::counter::Counter;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};

/// Counts them, and logs the first.
#[derive(Debug)]
pub struct UnknownClients {
    count: Counter,
    is_logged: AtomicBool,
}

impl UnknownClients {
    pub(super) fn counted_by(count: &Counter) -> Self {
        Self { count: count.clone(), is_logged: AtomicBool::new(false) }
    }

    /// Counts a request. `seen` is the address at which the search for its client ended: a private one or a proxy's.
    pub fn report(&self, seen: Option<IpAddr>) {
        self.count.inc();
        if self.is_logged.swap(true, Ordering::Relaxed) {
            return;
        }
        let seen = seen.map_or_else(|| "no address".to_owned(), |ip| format!("{ip}, a private or a proxy's address"));
        log::warn!(
            "limits.client: a request's client is unknown, so the request counts by names only: X-Forwarded-For leads \
             to {seen}; set TRUSTED_PROXIES to the networks of all proxies before the API"
        );
    }
}
