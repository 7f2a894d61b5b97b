//! Gates: the one mechanism in front of every bounded shared resource, which is hashing, pictures and database
//! connections.
//!
//! A gate gives out a fixed number of permits. Other callers wait in a queue that serves requesters in turn instead of requests
//! in order of arrival, so one client with a thousand requests delays another client's single request by one turn only. Any
//! layer may own a gate; a gate knows nothing about the work behind it.

mod class_queue;
mod memory;
mod metrics;
mod permit;
mod queue;
mod quotas;
mod rejections;
mod requester;
mod resource;

pub use memory::{BodyMemory, MemoryReservation};
pub use metrics::GateMetrics;
pub use permit::{Gate, Permit};
pub(crate) use queue::FairQueue;
pub use queue::GateCapacity;
pub use quotas::HolderQuotas;
pub use rejections::Rejections;
#[cfg(test)]
pub(crate) use requester::fixtures;
pub use requester::{Class, Requester, RequesterId, attribute_to, current_requester, on_behalf_of};
pub use resource::{Busy, Resource};
