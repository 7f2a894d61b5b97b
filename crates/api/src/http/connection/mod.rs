//! Sockets: how many may be open, how they share a worker, and how long each may take.

mod client_waits;
mod metrics;
pub(super) mod open_connections;
mod poll_rounds;
pub(super) mod watch;
mod watched_stream;

pub use metrics::ConnectionMetrics;
pub use open_connections::OpenConnections;
pub use poll_rounds::PollRounds;
pub use watched_stream::{WatchedStream, WorkerConnections};
