//! All budgets of a process, and what a request takes of them.

use super::budgets::Budget;
use super::memory::Memory;
use super::meter::{Meter, Reading};
use super::metrics::LimitMetrics;
use super::network::Network;
use super::permit::{BudgetKey, TakenAttempt, Throttled};
use super::shared::SharedCounts;
use super::unknown::UnknownClients;
use super::window::Decision;
use crate::clock::SharedClock;
use crate::config::{KeySettings, LimitSettings};
use crate::metrics::Metrics;
use crate::service::{ClientInfo, derived_key};
use aws_lc_rs::hmac;
use futures_util::future::join_all;
use std::time::Duration;
use uuid::Uuid;

/// How long a process keeps what it [holds](Limits::hold) without saying so again.
const LEASE: Duration = Duration::from_mins(1);

/// All budgets of this process.
#[derive(Debug)]
pub struct Limits {
    enabled: bool,
    clock: SharedClock,
    hash_key: hmac::Key,
    memory: Memory,
    shared: Option<SharedCounts>,
    metrics: LimitMetrics,
    pub unknown_clients: UnknownClients,
    /// What other processes know this one by.
    process: String,
}

impl Limits {
    /// Opens no connection; [`Limits::connect`] does.
    ///
    /// # Errors
    /// When `REDIS_URL` is none.
    pub fn new(
        settings: &LimitSettings,
        keys: &KeySettings,
        clock: SharedClock,
        metrics: &Metrics,
    ) -> Result<Self, redis::RedisError> {
        let metrics = LimitMetrics::registered(metrics);
        let url = settings.redis_url.as_ref().filter(|_| settings.enabled);
        Ok(Self {
            enabled: settings.enabled,
            clock,
            hash_key: derived_key(&keys.secret_key, b"latchkey limits"),
            memory: Memory::default(),
            shared: url.map(|url| SharedCounts::new(url, metrics.clone())).transpose()?,
            unknown_clients: UnknownClients::counted_by(&metrics.unknown_clients),
            metrics,
            process: Uuid::new_v4().to_string(),
        })
    }

    /// Connects to Redis, where there is one and no connection to it. Returns whether all is as configured.
    pub async fn connect(&self) -> bool {
        match &self.shared {
            Some(shared) => shared.connect().await,
            None => true,
        }
    }

    /// What a request of `client` takes; it begins with nothing.
    pub fn attempts(&self, client: &ClientInfo) -> Attempts<'_> {
        Attempts { limits: self, network: client.network, meter: Meter::current(), taken: Vec::new() }
    }

    /// Whether this process has seen `budget` spent by `name`; takes nothing. For work that comes before the caller is
    /// proven, whose budget nobody else may spend.
    pub fn check(&self, budget: Budget, name: &str) -> Result<(), Throttled> {
        if !self.enabled {
            return Ok(());
        }
        let (key, now) = (self.key(budget, name), self.clock.now().timestamp_micros());
        let Some(wait) = self.memory.spent(budget, key, now) else { return Ok(()) };
        self.metrics.refuse(budget);
        Err(Throttled { budget, retry_after_seconds: seconds_up(wait).max(1) })
    }

    /// How many keys are kept in memory.
    pub fn keys_in_memory(&self) -> usize {
        self.memory.len()
    }

    /// Takes, or keeps, the right of this process to do what one process at a time may do for `name`. Without Redis each
    /// process decides by itself; a process that dies or forgets to [release](Self::release) it loses it after a while.
    ///
    /// # Errors
    /// How long another process may have it still, seconds.
    pub async fn hold(&self, what: &str, name: &str) -> Result<(), u32> {
        let Some(shared) = &self.shared else { return Ok(()) };
        let wait = shared.hold(self.hashed(what, name), &self.process, LEASE).await;
        wait.map_or(Ok(()), |milliseconds| Err(u32::try_from(milliseconds.div_ceil(1_000)).unwrap_or(u32::MAX).max(1)))
    }

    /// Gives that right back.
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

    /// Memory first: what this process has seen alone is enough for a refusal, and when Redis goes away its count is
    /// there already.
    async fn decide(&self, budget: Budget, key: BudgetKey, now: i64) -> Decision {
        let rule = budget.rule();
        let own = self.memory.take(budget, key, now);
        let Some(shared) = self.shared.as_ref().filter(|_| own.allowed) else { return own };
        match shared.take(rule, key, now).await {
            Some(all) if !all.allowed => {
                self.memory.refund(&TakenAttempt { budget, key, at: rule.kept_at(now) });
                all
            }
            Some(all) => Decision { remaining: all.remaining.min(own.remaining), wait: all.wait.max(own.wait), ..all },
            None => {
                self.metrics.fallbacks.inc();
                own
            }
        }
    }

    async fn refund(&self, permit: &TakenAttempt) {
        self.memory.refund(permit);
        if let Some(shared) = &self.shared {
            shared.refund(permit).await;
        }
    }
}

/// What one request has taken. Dropped, it is spent.
#[derive(Debug)]
pub struct Attempts<'l> {
    limits: &'l Limits,
    network: Option<Network>,
    meter: Meter,
    taken: Vec<TakenAttempt>,
}

impl Attempts<'_> {
    /// Where the request comes from.
    pub const fn network(&self) -> Option<Network> {
        self.network
    }

    /// Takes one of `budget` for the client. One whose address is not known is not thrown together with all others
    /// like it: that would let anybody lock everybody out.
    pub async fn by_client(&mut self, budget: Budget) -> Result<(), Throttled> {
        match self.network {
            Some(network) => self.by_name(budget, &network.to_string()).await,
            None => Ok(()),
        }
    }

    /// Takes one of `budget` for a name, an address or an id, in canonical form.
    pub async fn by_name(&mut self, budget: Budget, name: &str) -> Result<(), Throttled> {
        let limits = self.limits;
        if !limits.enabled {
            return Ok(());
        }
        let (rule, key, now) = (budget.rule(), limits.key(budget, name), limits.clock.now().timestamp_micros());
        let decision = limits.decide(budget, key, now).await;
        let reset_seconds = seconds_up(decision.wait);
        self.meter.note(Reading { rule, remaining: decision.remaining, reset_seconds });
        if decision.allowed {
            self.taken.push(TakenAttempt { budget, key, at: rule.kept_at(now) });
            return Ok(());
        }
        limits.metrics.refuse(budget);
        Err(Throttled { budget, retry_after_seconds: reset_seconds.max(1) })
    }

    /// Gives everything back: it does not count after all.
    pub async fn refund(self) {
        self.refund_where(|_| true).await;
    }

    /// Gives back what was taken of the budgets that `which` chooses; the rest is spent.
    pub async fn refund_where(self, which: impl Fn(Budget) -> bool) {
        let chosen: Vec<_> = self.taken.iter().filter(|permit| which(permit.budget)).collect();
        for permit in &chosen {
            self.meter.note_refund(permit.budget.rule());
        }
        // At once: each is a way to Redis and back.
        join_all(chosen.into_iter().map(|permit| self.limits.refund(permit))).await;
    }
}

fn seconds_up(microseconds: i64) -> u32 {
    u32::try_from(microseconds.max(0).unsigned_abs().div_ceil(1_000_000)).unwrap_or(u32::MAX)
}
