//! Gates: the one mechanism before everything that is bounded and shared, which is hashing, pictures, and database
//! connections.
//!
//! A gate lets so many in at once. The others wait in a queue that serves the shares in turn and not the requests in the
//! order they came, so that one client with a thousand requests delays another with one request by one turn. Any layer
//! may hold a gate; a gate knows nothing of what is done behind it.

mod line;
mod memory;
mod metrics;
mod permit;
mod queue;
mod quotas;
mod refusals;
mod resource;
mod share;

pub use memory::{BodyMemory, MemoryHold};
pub use metrics::GateMetrics;
pub use permit::{Gate, Permit};
pub use queue::GateCapacity;
pub use quotas::HolderQuotas;
pub use refusals::Refusals;
pub use resource::{Busy, Resource};
pub use share::{Class, Share, ShareKey, current, prove, within};
