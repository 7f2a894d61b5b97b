//! The connection to Redis, which charges and leases share. While it is down each process decides by itself.

use super::metrics::LimitMetrics;
use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, FromRedisValue, RedisError, ScriptInvocation};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

/// How long a request waits for Redis. After that, this process decides by itself.
const RESPONSE_TIMEOUT: Duration = Duration::from_millis(200);
/// How long opening a connection may take; no request waits for that.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

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

/// The connection of this process.
pub(in crate::service) struct RedisConnection {
    client: Client,
    state: Mutex<ConnectionState>,
    metrics: LimitMetrics,
}

impl RedisConnection {
    /// # Errors
    /// When the address is not valid.
    pub(super) fn new(url: &SecretString, metrics: LimitMetrics) -> Result<Self, RedisError> {
        Ok(Self { client: Client::open(url.expose_secret())?, state: Mutex::new(ConnectionState::Fresh), metrics })
    }

    /// Connects, unless it is connected already. Returns whether there is a connection.
    pub(super) async fn connect(&self) -> bool {
        if self.current().is_some() {
            return true;
        }
        let timeouts = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT));
        match self.client.get_multiplexed_async_connection_with_config(&timeouts).await {
            Ok(connection) => {
                log::info!("limits.redis: connected; processes count attempts together");
                let number = self.metrics.redis_connections.inc();
                *self.state.lock() = ConnectionState::Up { connection, number };
                self.metrics.redis_up.set(1);
                true
            }
            Err(error) => {
                let mut state = self.state.lock();
                if matches!(*state, ConnectionState::Fresh) {
                    log_outage(&error);
                }
                *state = ConnectionState::Down;
                false
            }
        }
    }

    /// Runs a script, or returns `None` when Redis is unavailable.
    pub(in crate::service) async fn run<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Option<T> {
        let (mut connection, number) = self.current()?;
        script.invoke_async(&mut connection).await.inspect_err(|error| self.lose(number, error)).ok()
    }

    fn current(&self) -> Option<(MultiplexedConnection, u64)> {
        match &*self.state.lock() {
            ConnectionState::Up { connection, number } => Some((connection.clone(), *number)),
            ConnectionState::Fresh | ConnectionState::Down => None,
        }
    }

    /// Logs one line for each outage: requests that fail together have one reason.
    fn lose(&self, failed: u64, error: &RedisError) {
        let mut state = self.state.lock();
        if matches!(*state, ConnectionState::Up { number, .. } if number == failed) {
            log_outage(error);
            *state = ConnectionState::Down;
            self.metrics.redis_up.set(0);
        }
    }
}

fn log_outage(error: &RedisError) {
    log::warn!("limits.redis: not available ({error}); this process counts by itself until it is");
}

/// Shows nothing of the client, which knows the password.
impl std::fmt::Debug for RedisConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisConnection").finish_non_exhaustive()
    }
}
