//! A charge on a budget: an attempt that it counts.

use super::budgets::Budget;
use crate::service::hashed_key::HashedKey;

/// A budget is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the budget {} is spent for {retry_after_seconds} s", budget.rule().name)]
pub struct Throttled {
    pub budget: Budget,
    pub retry_after_seconds: u32,
}

/// A charge that was made, and can be refunded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Charge {
    pub(super) budget: Budget,
    pub(super) key: HashedKey,
    /// The time that it is stored with.
    pub(super) at: i64,
}
