//! The connection to Redis, which the limits' charges and the leases share. While it is down each process decides by itself.

use crate::config::LimitSettings;
use crate::metrics::Metrics;
use parking_lot::Mutex;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, FromRedisValue, RedisError, ScriptInvocation};
use secrecy::ExposeSecret;
use std::sync::Arc;
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
pub struct RedisConnection {
    client: Client,
    state: Mutex<ConnectionState>,
    is_up: Gauge,
    connections: Counter,
}

impl RedisConnection {
    /// The connection of this process, not opened yet; `None` if none is configured or nothing is limited.
    ///
    /// # Errors
    /// When `REDIS_URL` is not valid.
    pub fn configured(settings: &LimitSettings, metrics: &Metrics) -> Result<Option<Arc<Self>>, RedisError> {
        let is_up = Gauge::default();
        let connections = Counter::default();
        metrics.register("limits_redis_up", "1 while processes count together in Redis", is_up.clone());
        metrics.register("limits_redis_connections", "Connections opened to Redis", connections.clone());
        let url = settings.redis_url.as_ref().filter(|_| settings.enabled);
        let client = url.map(|url| Client::open(url.expose_secret())).transpose()?;
        let state = Mutex::new(ConnectionState::Fresh);
        Ok(client.map(|client| Arc::new(Self { client, state, is_up, connections })))
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
                let number = self.connections.inc();
                *self.state.lock() = ConnectionState::Up { connection, number };
                self.is_up.set(1);
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
            self.is_up.set(0);
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
