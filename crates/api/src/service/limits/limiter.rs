//! The rate limiter: all budgets of a process, and what a request charges to them.

use super::budgets::Budget;
use super::charge::{Charge, Throttled};
use super::local::LocalCounts;
use super::meter::{Meter, Reading};
use super::metrics::LimitMetrics;
use super::network::Network;
use super::shared::SharedCounts;
use super::unknown::UnknownClients;
use super::window::Decision;
use crate::clock::ComparedClock;
use crate::config::LimitSettings;
use crate::metrics::Metrics;
use crate::service::ClientInfo;
use crate::service::hashed_key::{HashedKey, KeyHasher};
use crate::service::redis_connection::RedisConnection;
use futures_util::future::join_all;
use std::sync::Arc;

/// All budgets of this process.
#[derive(Debug)]
pub struct RateLimiter {
    enabled: bool,
    clock: ComparedClock,
    keys: KeyHasher,
    local: LocalCounts,
    shared: Option<SharedCounts>,
    metrics: LimitMetrics,
    pub unknown_clients: UnknownClients,
}

impl RateLimiter {
    /// Counts in this process alone, unless it is [`shared_in`](Self::shared_in) Redis.
    pub fn new(settings: &LimitSettings, keys: KeyHasher, clock: ComparedClock, metrics: &Metrics) -> Self {
        let metrics = LimitMetrics::registered(metrics);
        Self {
            enabled: settings.enabled,
            clock,
            keys,
            local: LocalCounts::default(),
            shared: None,
            unknown_clients: UnknownClients::counted_by(&metrics.unknown_clients),
            metrics,
        }
    }

    /// Counts together with the other processes that use this Redis.
    #[must_use]
    pub fn shared_in(mut self, redis: Option<Arc<RedisConnection>>) -> Self {
        self.shared = redis.map(SharedCounts::new);
        self
    }

    /// The charges of a request of `client`; none is made yet.
    pub fn charges(&self, client: &ClientInfo) -> Charges<'_> {
        Charges { limits: self, network: client.network, meter: Meter::current(), made: Vec::new() }
    }

    /// Checks whether this process has seen `budget` spent by `identifier`, and charges nothing. For work that comes before the caller
    /// is authenticated, because only the caller may spend this budget.
    pub fn check(&self, budget: Budget, identifier: &str) -> Result<(), Throttled> {
        if !self.enabled {
            return Ok(());
        }
        let key = self.key(budget, identifier);
        let now = self.now();
        let Some(wait) = self.local.time_until_free_if_spent(budget, key, now) else { return Ok(()) };
        self.metrics.count_rejection(budget);
        Err(Throttled { budget, retry_after_seconds: seconds_up(wait).max(1) })
    }

    /// Now, microseconds; while this process's clock is wrong, by the database's, because processes count together.
    fn now(&self) -> i64 {
        self.clock.shared_now().get().timestamp_micros()
    }

    /// The number of keys in memory.
    pub fn keys_in_memory(&self) -> usize {
        self.local.len()
    }

    fn key(&self, budget: Budget, identifier: &str) -> HashedKey {
        self.keys.key(budget.rule().name, identifier)
    }

    /// Charges this process's count, then the shared one. The local count comes first: its rejection saves a round trip, and it stays
    /// usable when Redis fails.
    async fn charge_counts(&self, budget: Budget, key: HashedKey, now: i64) -> Decision {
        let rule = budget.rule();
        let local = self.local.charge(budget, key, now);
        let Some(shared) = self.shared.as_ref().filter(|_| local.allowed) else { return local };
        match shared.charge(rule, key, now).await {
            Some(total) if !total.allowed => {
                self.local.refund(&Charge { budget, key, at: rule.stored_at(now) });
                total
            }
            Some(total) => {
                Decision { remaining: total.remaining.min(local.remaining), wait: total.wait.max(local.wait), ..total }
            }
            None => {
                self.metrics.fallbacks.inc();
                local
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
        let decision = limits.charge_counts(budget, key, now).await;
        let reset_seconds = seconds_up(decision.wait);
        self.meter.record(Reading { rule, remaining: decision.remaining, reset_seconds });
        if decision.allowed {
            self.made.push(Charge { budget, key, at: rule.stored_at(now) });
            return Ok(());
        }
        limits.metrics.count_rejection(budget);
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
