//! Limits: how many attempts strangers have. They are counted in memory, and also in Redis if it is configured.
//!
//! A use case begins with [`Limits::attempts`], takes what its request costs before the expensive work, and refunds it if it
//! turns out not to count. So of five hundred concurrent guesses no more pass than the budget allows.

mod attempt;
mod attempts;
mod budgets;
mod memory;
mod meter;
mod metrics;
mod network;
mod shared;
mod unknown;
mod window;

pub use attempt::Throttled;
pub use attempts::{Attempts, Limits};
pub use budgets::{Budget, BudgetRule, Per};
pub use meter::{Meter, Reading};
pub use metrics::LimitMetrics;
pub use network::Network;
pub use unknown::UnknownClients;
