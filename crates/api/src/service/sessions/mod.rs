//! Sessions: opened, refreshed, listed, authorized and ended.

mod administrator;
mod attribution;
pub mod authorize;
pub mod csrf;
pub mod csrf_keys;
pub mod login;
pub mod logout;
mod metrics;
pub(in crate::service) mod new_session;
pub mod own_sessions;
pub mod refresh;
pub mod refusal;
pub mod revocation_feed;
pub mod revocation_poll;
pub mod token_pair;
pub mod verify;
pub mod view;

pub use administrator::Administrator;
pub use metrics::SessionMetrics;
