//! Passwords: encoding, comparison, strength, change, reset and reauthentication.

pub mod change;
pub mod hashing;
pub mod reauthentication;
pub mod reset;
pub mod strength;
