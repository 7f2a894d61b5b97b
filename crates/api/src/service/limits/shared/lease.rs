//! Leases: what only one process at a time may do, for as long as it renews its lease. The lease of a dead process expires.

use super::{BudgetKey, SharedCounts};
use redis::Script;
use std::time::Duration;

/// Takes or renews a lease. Returns 0, or how much longer another process may hold it, milliseconds.
const HOLD: &str = r"
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return redis.call('PTTL', KEYS[1]) end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 0
";

const RELEASE: &str = r"
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
";

impl SharedCounts {
    /// Takes or renews a lease for `time`. If another process holds it, returns for how much longer, milliseconds.
    pub(in super::super) async fn hold(&self, key: BudgetKey, holder: &str, time: Duration) -> Option<u64> {
        let (mut connection, number) = self.connection()?;
        let script = Script::new(HOLD);
        let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let mut call = script.key(key.in_redis());
        match call.arg(holder).arg(milliseconds).invoke_async::<u64>(&mut connection).await {
            Ok(0) => None,
            Ok(wait) => Some(wait),
            Err(error) => {
                self.lose(number, &error);
                None
            }
        }
    }

    /// Releases a lease that `holder` holds.
    pub(in super::super) async fn release(&self, key: BudgetKey, holder: &str) {
        let Some((mut connection, number)) = self.connection() else { return };
        let script = Script::new(RELEASE);
        if let Err(error) = script.key(key.in_redis()).arg(holder).invoke_async::<()>(&mut connection).await {
            self.lose(number, &error);
        }
    }
}
