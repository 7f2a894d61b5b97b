//! What one tab knows about its session, and what it does about it.

mod effect;
mod epoch;
mod machine;
mod pause;
mod verdicts;

pub use effect::Effect;
pub use epoch::Epoch;
pub use machine::Keeper;
pub use verdicts::{Plan, Seen, Stored};
