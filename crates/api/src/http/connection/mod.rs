//! What watches sockets: how many there are, whose turn it is, and how long each may take.

pub(super) mod crowd;
mod metrics;
mod turns;
mod waits;
pub(super) mod watch;
mod wire;

pub use crowd::Crowd;
pub use metrics::ConnectionMetrics;
pub use turns::Turns;
pub use wire::Wire;
