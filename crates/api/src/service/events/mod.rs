//! Events of accounts: listed, numbered for their owner, and kept within bounds.

pub mod feature;
pub mod history;
pub mod numbers;
pub mod retention;
