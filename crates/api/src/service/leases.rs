//! Leases: what only one process at a time may do, for as long as it renews its lease. The lease of a dead process expires.

use super::hashed_key::KeyHasher;
use super::redis_connection::RedisConnection;
use redis::Script;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// How long a process keeps a lease without renewing it.
const LEASE: Duration = Duration::from_mins(1);

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

/// Another process holds the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another process is doing this, for {seconds} s at most")]
pub struct HeldElsewhere {
    pub seconds: u32,
}

/// The leases of this process. Without Redis each process decides by itself.
#[derive(Debug)]
pub struct Leases {
    redis: Option<Arc<RedisConnection>>,
    keys: KeyHasher,
    /// Identifies this process to the others.
    process: String,
}

impl Leases {
    pub fn new(redis: Option<Arc<RedisConnection>>, keys: KeyHasher) -> Self {
        Self { redis, keys, process: Uuid::new_v4().to_string() }
    }

    /// Takes or renews this process's lease on `what` for `name`. A lease that is neither renewed nor
    /// [released](Self::release) expires.
    pub async fn hold(&self, what: &str, name: &str) -> Result<(), HeldElsewhere> {
        let Some(redis) = &self.redis else { return Ok(()) };
        let script = Script::new(HOLD);
        let milliseconds = u64::try_from(LEASE.as_millis()).unwrap_or(u64::MAX);
        let mut call = script.key(self.keys.key(what, name).in_redis());
        let wait = redis.run::<u64>(call.arg(&self.process).arg(milliseconds)).await;
        match wait {
            None | Some(0) => Ok(()),
            Some(wait) => Err(HeldElsewhere { seconds: u32::try_from(wait.div_ceil(1_000)).unwrap_or(u32::MAX) }),
        }
    }

    /// Releases that lease.
    pub async fn release(&self, what: &str, name: &str) {
        if let Some(redis) = &self.redis {
            let script = Script::new(RELEASE);
            let mut call = script.key(self.keys.key(what, name).in_redis());
            redis.run::<()>(call.arg(&self.process)).await;
        }
    }
}
