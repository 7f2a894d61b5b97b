//! Rate limits: budgets, and what requests charge to them. Charges are counted in memory, and also in Redis if it is configured.
//!
//! A use case begins with [`RateLimiter::charges`], charges its budgets before the expensive work, and gets a refund if the attempt
//! turns out not to count. So of five hundred concurrent guesses no more pass than the budget allows.

mod budgets;
mod charge;
mod limiter;
mod local;
mod meter;
mod metrics;
mod network;
mod shared;
mod unknown;
mod window;

pub use budgets::{Budget, BudgetRule, Per};
pub use charge::Throttled;
pub use limiter::{Charges, RateLimiter};
pub use meter::{Meter, Reading};
pub use metrics::LimitMetrics;
pub use network::Network;
pub use unknown::UnknownClients;
