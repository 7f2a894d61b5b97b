//! Charges counted in Redis, so that several processes count together. If Redis does not respond in time, a charge counts in
//! memory only.

use super::budgets::BudgetRule;
use super::charge::Charge;
use super::window::{Decision, time_until_free};
use crate::service::hashed_key::HashedKey;
use crate::service::redis_connection::RedisConnection;
use redis::Script;
use std::sync::Arc;

/// [`ChargeLog::charge`](super::window::ChargeLog::charge) as a script on state shared by all processes: a hash of times and counts, read and
/// changed in one step. The time is the caller's, so processes may differ by as much as their clocks do.
const CHARGE: &str = r"
local now, window, quota, stored_at = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local latest = tonumber(ARGV[6])
local charges = redis.call('HGETALL', KEYS[1])
local used, oldest = 0, nil
for i = 1, #charges, 2 do
  local at = tonumber(charges[i])
  if at > latest then
    redis.call('HDEL', KEYS[1], charges[i])
    redis.call('HINCRBY', KEYS[1], ARGV[4], charges[i + 1])
    redis.call('PEXPIRE', KEYS[1], ARGV[5])
    at = stored_at
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
  if not oldest or stored_at < oldest then oldest = stored_at end
end
return {used, oldest}
";

const REFUND: &str = r"
if redis.call('HINCRBY', KEYS[1], ARGV[1], -1) < 1 then redis.call('HDEL', KEYS[1], ARGV[1]) end
";

/// The charges that all processes count together.
pub(super) struct SharedCounts {
    redis: Arc<RedisConnection>,
    charge: Script,
    refund: Script,
}

impl SharedCounts {
    pub(super) fn new(redis: Arc<RedisConnection>) -> Self {
        Self { redis, charge: Script::new(CHARGE), refund: Script::new(REFUND) }
    }

    /// Makes one charge, or returns `None` when Redis is unavailable.
    pub(super) async fn charge(&self, rule: BudgetRule, key: HashedKey, now: i64) -> Option<Decision> {
        let window = rule.window_us();
        let mut call = self.charge.key(key.in_redis());
        call.arg(now)
            .arg(window)
            .arg(rule.quota)
            .arg(rule.stored_at(now))
            .arg(window / 1_000 * 2)
            .arg(rule.latest_at(now));
        let (used, oldest) = self.redis.run::<(u32, i64)>(&call).await?;
        Some(Decision {
            allowed: used < rule.quota,
            remaining: rule.quota.saturating_sub(used.saturating_add(1)),
            wait: time_until_free(rule, oldest, now),
        })
    }

    /// Refunds a charge. When Redis is unavailable it stays, and stops counting after its window.
    pub(super) async fn refund(&self, charge: &Charge) {
        let mut call = self.refund.key(charge.key.in_redis());
        self.redis.run::<()>(call.arg(charge.at)).await;
    }
}

impl std::fmt::Debug for SharedCounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedCounts").finish_non_exhaustive()
    }
}
