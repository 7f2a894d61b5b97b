//! Gates: the one mechanism before everything that is bounded and shared, which is hashing, pictures, and database
//! connections.
//!
//! A gate lets so many in at once. The others wait in a queue that serves the shares in turn and not the requests in the
//! order they came, so that one client with a thousand requests delays another with one request by one turn. Any layer
//! may hold a gate; a gate knows nothing of what is done behind it.

mod entrance;
mod line;
mod metrics;
mod parts;
mod queue;
mod refusals;
mod resource;
mod room;
mod share;

pub use entrance::{Gate, Permit};
pub use metrics::GateMetrics;
pub use parts::Parts;
pub use queue::Capacity;
pub use refusals::Refusals;
pub use resource::{Busy, Resource};
pub use room::{Hold, Room};
pub use share::{Class, Share, ShareKey, current, prove, within};
