//! Limits: how many tries strangers have. Counted in memory, and in Redis too when there is one.
//!
//! A use case begins with [`Limits::attempts`], takes what its request costs before the expensive work, and gives it back
//! when it turns out that it does not count. So of five hundred guesses at once no more pass than the budget has.

mod attempts;
mod budgets;
mod memory;
mod meter;
mod metrics;
mod network;
mod permit;
mod shared;
mod unknown;
mod window;

pub use attempts::{Attempts, Limits};
pub use budgets::{Budget, BudgetRule, Per};
pub use meter::{Meter, Reading};
pub use metrics::LimitMetrics;
pub use network::Network;
pub use permit::Throttled;
pub use unknown::UnknownClients;
