//! What one tab knows about its session, and what it does about it.

mod epoch;
mod machine;
mod pause;
mod verdicts;

pub use epoch::Epoch;
pub use machine::Keeper;
pub use verdicts::{Change, Plan, Seen, Settled, SignIn, SignOut, Stored};
