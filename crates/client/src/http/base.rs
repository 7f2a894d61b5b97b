//! The address of the API.

/// The base address of the API; fixed at build time by `API_BASE_URL`.
pub const API_BASE: &str = env!("LATCHKEY_API_BASE");
