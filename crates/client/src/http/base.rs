//! The address of the API.

/// Where the API is; fixed at build time by `API_BASE_URL`.
pub const API_BASE: &str = env!("LATCHKEY_API_BASE");
