//! Charges counted in Redis, so that several processes count together. If Redis does not respond in time, a charge counts in
//! memory only.

mod lease;

use super::budgets::BudgetRule;
use super::charge::{BudgetKey, Charge};
use super::metrics::LimitMetrics;
use super::window::{Decision, wait};
use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError, Script};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

/// How long a request waits for Redis. After that, the count of this process decides.
const RESPONSE_TIMEOUT: Duration = Duration::from_millis(200);
/// How long opening a connection may take; no request waits for that.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// [`ChargeLog::charge`](super::window::ChargeLog::charge) as a script on state shared by all processes: a hash of times and counts, read and
/// changed in one step. The time is the caller's, so processes may differ by as much as their clocks do.
const CHARGE: &str = r"
local now, window, quota, kept_at = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local latest = tonumber(ARGV[6])
local charges = redis.call('HGETALL', KEYS[1])
local used, oldest = 0, nil
for i = 1, #charges, 2 do
  local at = tonumber(charges[i])
  if at > latest then
    redis.call('HDEL', KEYS[1], charges[i])
    redis.call('HINCRBY', KEYS[1], ARGV[4], charges[i + 1])
    redis.call('PEXPIRE', KEYS[1], ARGV[5])
    at = kept_at
  end
  if at <= now - window then
    redis.call('HDEL', KEYS[1], charges[i])
  else
    used = used + tonumber(charges[i + 1])
    if not oldest or at < oldest then oldest = at end
  end
end
if used < quota then
  redis.call('HINCRBY', KEYS[1], ARGV[4], 1)
  redis.call('PEXPIRE', KEYS[1], ARGV[5])
  if not oldest or kept_at < oldest then oldest = kept_at end
end
return {used, oldest}
";

const REFUND: &str = r"
if redis.call('HINCRBY', KEYS[1], ARGV[1], -1) < 1 then redis.call('HDEL', KEYS[1], ARGV[1]) end
";

/// The state of the connection.
enum ConnectionState {
    /// No attempt to connect was made yet.
    Fresh,
    Up {
        connection: MultiplexedConnection,
        /// Identifies the connection: a failure of an older one does not affect this one.
        number: u64,
    },
    Down,
}

/// The charges that all processes count together.
pub(super) struct SharedCounts {
    client: Client,
    link: Mutex<ConnectionState>,
    charge: Script,
    refund: Script,
    metrics: LimitMetrics,
}

impl SharedCounts {
    /// # Errors
    /// When the address is not valid.
    pub(super) fn new(url: &SecretString, metrics: LimitMetrics) -> Result<Self, RedisError> {
        Ok(Self {
            client: Client::open(url.expose_secret())?,
            link: Mutex::new(ConnectionState::Fresh),
            charge: Script::new(CHARGE),
            refund: Script::new(REFUND),
            metrics,
        })
    }

    /// Connects, unless it is connected already. Returns whether there is a connection.
    pub(super) async fn connect(&self) -> bool {
        if self.connection().is_some() {
            return true;
        }
        let timeouts = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT));
        match self.client.get_multiplexed_async_connection_with_config(&timeouts).await {
            Ok(connection) => {
                log::info!("limits.redis: connected; processes count attempts together");
                let number = self.metrics.redis_connections.inc();
                *self.link.lock() = ConnectionState::Up { connection, number };
                self.metrics.redis_up.set(1);
                true
            }
            Err(error) => {
                let mut link = self.link.lock();
                if matches!(*link, ConnectionState::Fresh) {
                    log_outage(&error);
                }
                *link = ConnectionState::Down;
                false
            }
        }
    }

    /// Makes one charge, or returns `None` when Redis is unavailable.
    pub(super) async fn charge(&self, rule: BudgetRule, key: BudgetKey, now: i64) -> Option<Decision> {
        let (mut connection, number) = self.connection()?;
        let window = rule.window_us();
        let mut call = self.charge.key(key.in_redis());
        call.arg(now)
            .arg(window)
            .arg(rule.quota)
            .arg(rule.kept_at(now))
            .arg(window / 1_000 * 2)
            .arg(rule.latest_at(now));
        match call.invoke_async::<(u32, i64)>(&mut connection).await {
            Ok((used, oldest)) => Some(Decision {
                allowed: used < rule.quota,
                remaining: rule.quota.saturating_sub(used.saturating_add(1)),
                wait: wait(rule, oldest, now),
            }),
            Err(error) => {
                self.lose(number, &error);
                None
            }
        }
    }

    /// Refunds a charge. When Redis is unavailable it stays, and stops counting after its window.
    pub(super) async fn refund(&self, charge: &Charge) {
        let Some((mut connection, number)) = self.connection() else { return };
        let mut call = self.refund.key(charge.key.in_redis());
        if let Err(error) = call.arg(charge.at).invoke_async::<()>(&mut connection).await {
            self.lose(number, &error);
        }
    }

    fn connection(&self) -> Option<(MultiplexedConnection, u64)> {
        match &*self.link.lock() {
            ConnectionState::Up { connection, number } => Some((connection.clone(), *number)),
            ConnectionState::Fresh | ConnectionState::Down => None,
        }
    }

    /// Logs one line for each outage: requests that fail together have one reason.
    fn lose(&self, failed: u64, error: &RedisError) {
        let mut link = self.link.lock();
        if matches!(*link, ConnectionState::Up { number, .. } if number == failed) {
            log_outage(error);
            *link = ConnectionState::Down;
            self.metrics.redis_up.set(0);
        }
    }
}

fn log_outage(error: &RedisError) {
    log::warn!("limits.redis: not available ({error}); this process counts by itself until it is");
}

/// Shows nothing of the client, which knows the password.
impl std::fmt::Debug for SharedCounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedCounts").finish_non_exhaustive()
    }
}
