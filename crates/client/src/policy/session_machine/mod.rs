//! What one tab knows about its session, and what it does about it.

mod effect;
mod epoch;
mod machine;
mod pause;
mod plan;

pub use effect::Effect;
pub use epoch::Epoch;
pub use machine::SessionMachine;
pub use plan::{StorageContent, StorageSnapshot, TokenPlan};
