//! A charge on a budget: an attempt that it counts.

use super::budgets::Budget;

/// A budget is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the budget {} is spent for {retry_after_seconds} s", budget.rule().name)]
pub struct Throttled {
    pub budget: Budget,
    pub retry_after_seconds: u32,
}

/// Identifies whose budget is charged: a keyed hash of budget and name, so that neither memory nor Redis stores a name,
/// and an attacker can't choose which shard a key falls into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct BudgetKey(pub(super) [u8; 16]);

impl BudgetKey {
    pub(super) fn in_redis(self) -> String {
        format!("latchkey:limits:{:032x}", u128::from_be_bytes(self.0))
    }
}

/// A charge that was made, and can be refunded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Charge {
    pub(super) budget: Budget,
    pub(super) key: BudgetKey,
    /// The time that it is stored with.
    pub(super) at: i64,
}
