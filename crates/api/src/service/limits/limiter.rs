//! The rate limiter: all budgets of a process, and what a request charges to them.

use super::budgets::Budget;
use super::charge::{BudgetKey, Charge, Throttled};
use super::local::LocalCounts;
use super::meter::{Meter, Reading};
use super::metrics::LimitMetrics;
use super::network::Network;
use super::shared::SharedCounts;
use super::unknown::UnknownClients;
use super::window::Decision;
use crate::clock::ComparedClock;
use crate::config::{KeySettings, LimitSettings};
use crate::metrics::Metrics;
use crate::service::{ClientInfo, derived_key};
use aws_lc_rs::hmac;
use futures_util::future::join_all;
use std::time::Duration;
use uuid::Uuid;

/// How long a process keeps a lease that it [holds](RateLimiter::hold) without renewing it.
const LEASE: Duration = Duration::from_mins(1);

/// All budgets of this process.
#[derive(Debug)]
pub struct RateLimiter {
    enabled: bool,
    clock: ComparedClock,
    hash_key: hmac::Key,
    local: LocalCounts,
    shared: Option<SharedCounts>,
    metrics: LimitMetrics,
    pub unknown_clients: UnknownClients,
    /// Identifies this process to the others.
    process: String,
}

impl RateLimiter {
    /// Opens no connection; [`RateLimiter::connect`] does.
    ///
    /// # Errors
    /// When `REDIS_URL` is not valid.
    pub fn new(
        settings: &LimitSettings,
        keys: &KeySettings,
        clock: ComparedClock,
        metrics: &Metrics,
    ) -> Result<Self, redis::RedisError> {
        let metrics = LimitMetrics::registered(metrics);
        let url = settings.redis_url.as_ref().filter(|_| settings.enabled);
        Ok(Self {
            enabled: settings.enabled,
            clock,
            hash_key: derived_key(&keys.secret_key, b"latchkey limits"),
            local: LocalCounts::default(),
            shared: url.map(|url| SharedCounts::new(url, metrics.clone())).transpose()?,
            unknown_clients: UnknownClients::counted_by(&metrics.unknown_clients),
            metrics,
            process: Uuid::new_v4().to_string(),
        })
    }

    /// Connects to Redis, if it is configured and not connected. Returns whether the state is as configured.
    pub async fn connect(&self) -> bool {
        match &self.shared {
            Some(shared) => shared.connect().await,
            None => true,
        }
    }

    /// The charges of a request of `client`; none is made yet.
    pub fn charges(&self, client: &ClientInfo) -> Charges<'_> {
        Charges { limits: self, network: client.network, meter: Meter::current(), made: Vec::new() }
    }

    /// Checks whether this process has seen `budget` spent by `name`, and charges nothing. For work that comes before the caller
    /// is authenticated, because only the caller may spend this budget.
    pub fn check(&self, budget: Budget, name: &str) -> Result<(), Throttled> {
        if !self.enabled {
            return Ok(());
        }
        let key = self.key(budget, name);
        let now = self.now();
        let Some(wait) = self.local.wait_if_spent(budget, key, now) else { return Ok(()) };
        self.metrics.count_refusal(budget);
        Err(Throttled { budget, retry_after_seconds: seconds_up(wait).max(1) })
    }

    /// Now, microseconds; while this process's clock is wrong, by the database's, because processes count together.
    fn now(&self) -> i64 {
        self.clock.shared_now().0.timestamp_micros()
    }

    /// The number of keys in memory.
    pub fn keys_in_memory(&self) -> usize {
        self.local.len()
    }

    /// Takes or renews this process's lease on `what` for `name`. Without Redis each process decides by itself. A lease that
    /// is neither renewed nor [released](Self::release) expires.
    ///
    /// # Errors
    /// How much longer another process may hold it, seconds.
    pub async fn hold(&self, what: &str, name: &str) -> Result<(), u32> {
        let Some(shared) = &self.shared else { return Ok(()) };
        let wait = shared.hold(self.hashed(what, name), &self.process, LEASE).await;
        wait.map_or(Ok(()), |milliseconds| Err(u32::try_from(milliseconds.div_ceil(1_000)).unwrap_or(u32::MAX).max(1)))
    }

    /// Releases that lease.
    pub async fn release(&self, what: &str, name: &str) {
        if let Some(shared) = &self.shared {
            shared.release(self.hashed(what, name), &self.process).await;
        }
    }

    fn key(&self, budget: Budget, name: &str) -> BudgetKey {
        self.hashed(budget.rule().name, name)
    }

    fn hashed(&self, what: &str, name: &str) -> BudgetKey {
        let mut context = hmac::Context::with_key(&self.hash_key);
        context.update(what.as_bytes());
        context.update(b"\0");
        context.update(name.as_bytes());
        let mut key = BudgetKey([0; 16]);
        key.0.copy_from_slice(&context.sign().as_ref()[..16]);
        key
    }

    /// This process's counts decide first: what they have seen is enough for a refusal, and they are up to date when Redis
    /// becomes unavailable.
    async fn decide(&self, budget: Budget, key: BudgetKey, now: i64) -> Decision {
        let rule = budget.rule();
        let own = self.local.charge(budget, key, now);
        let Some(shared) = self.shared.as_ref().filter(|_| own.allowed) else { return own };
        match shared.charge(rule, key, now).await {
            Some(all) if !all.allowed => {
                self.local.refund(&Charge { budget, key, at: rule.kept_at(now) });
                all
            }
            Some(all) => Decision { remaining: all.remaining.min(own.remaining), wait: all.wait.max(own.wait), ..all },
            None => {
                self.metrics.fallbacks.inc();
                own
            }
        }
    }

    async fn refund(&self, charge: &Charge) {
        self.local.refund(charge);
        if let Some(shared) = &self.shared {
            shared.refund(charge).await;
        }
    }
}

/// What one request has charged. If it is dropped without a refund, its charges stay.
#[derive(Debug)]
pub struct Charges<'l> {
    limits: &'l RateLimiter,
    network: Option<Network>,
    meter: Meter,
    made: Vec<Charge>,
}

impl Charges<'_> {
    /// The network that the request comes from.
    pub const fn network(&self) -> Option<Network> {
        self.network
    }

    /// Charges the client's `budget`. Clients with unknown addresses do not share a budget: otherwise one of
    /// them could lock all the others out.
    pub async fn charge_client(&mut self, budget: Budget) -> Result<(), Throttled> {
        match self.network {
            Some(network) => self.charge(budget, &network.to_string()).await,
            None => Ok(()),
        }
    }

    /// Charges the `budget` of an identifier: a name or an address in canonical form, a session's or a user's id, a network.
    pub async fn charge(&mut self, budget: Budget, identifier: &str) -> Result<(), Throttled> {
        let limits = self.limits;
        if !limits.enabled {
            return Ok(());
        }
        let rule = budget.rule();
        let key = limits.key(budget, identifier);
        let now = limits.now();
        let decision = limits.decide(budget, key, now).await;
        let reset_seconds = seconds_up(decision.wait);
        self.meter.record(Reading { rule, remaining: decision.remaining, reset_seconds });
        if decision.allowed {
            self.made.push(Charge { budget, key, at: rule.kept_at(now) });
            return Ok(());
        }
        limits.metrics.count_refusal(budget);
        Err(Throttled { budget, retry_after_seconds: reset_seconds.max(1) })
    }

    /// Refunds everything.
    pub async fn refund(self) {
        self.refund_where(|_| true).await;
    }

    /// Refunds the charges on the budgets that `which` selects; the others stay.
    pub async fn refund_where(self, which: impl Fn(Budget) -> bool) {
        let chosen: Vec<_> = self.made.iter().filter(|charge| which(charge.budget)).collect();
        for charge in &chosen {
            self.meter.record_refund(charge.budget.rule());
        }
        // Concurrently, because each is a round trip to Redis.
        join_all(chosen.into_iter().map(|charge| self.limits.refund(charge))).await;
    }
}

fn seconds_up(microseconds: i64) -> u32 {
    u32::try_from(microseconds.max(0).unsigned_abs().div_ceil(1_000_000)).unwrap_or(u32::MAX)
}
