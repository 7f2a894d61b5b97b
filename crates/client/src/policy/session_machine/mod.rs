//! The state of the session in one tab, and the decisions made from it.

mod effect;
mod epoch;
mod machine;
mod pause;
mod plan;

pub use effect::Effect;
pub use epoch::Epoch;
pub use machine::SessionMachine;
pub use plan::{StorageContent, StorageSnapshot, TokenPlan};
