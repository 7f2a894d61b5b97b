//! The time, as a parameter: the one place that reads it.

mod compared;
mod reading;
mod stopwatch;

pub use compared::{CLOCK_TOLERANCE_SECONDS, ComparedClock, DatabaseClock, SharedTime, WrongClock};
pub use reading::{Clock, SharedClock, SystemClock};
pub use stopwatch::Stopwatch;
