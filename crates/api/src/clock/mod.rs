//! The clock, passed as a parameter: no other module reads the time.

mod compared;
mod reading;
mod stopwatch;
mod timer;

pub use compared::{
    CLOCK_TOLERANCE_SECONDS, CheckedTime, ComparedClock, DatabaseClock, ExpiryReading, MAX_CLOCK_SKEW, SharedTime,
    WrongClock,
};
pub use reading::{Clock, SharedClock, SystemClock};
pub use stopwatch::Stopwatch;
pub use timer::Timer;
