//! Passwords: encoded, compared, changed, reset and asked for again.

pub mod change;
pub mod hashing;
pub mod reauthentication;
pub mod reset;
