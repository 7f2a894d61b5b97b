//! Accounts: created, confirmed, shown, changed, exported and deleted.

pub mod avatar;
pub mod avatar_key;
pub mod deletion;
pub mod email_change;
pub mod email_verification;
pub mod export;
mod opened_link;
pub mod orphaned_files;
pub mod pending;
pub mod picture;
pub mod profile;
pub mod register;
pub(in crate::service) mod user_view;
