//! The rules: a module for each domain and a file for each use case, with its own errors; no HTTP and no SQL.

pub mod accounts;
pub mod backup;
mod caller;
mod derived_key;
mod error;
pub mod events;
pub mod limits;
pub mod mail;
pub mod opaque_token;
pub mod paging;
pub mod passwords;
pub mod pool;
mod request_context;
mod services;
pub mod sessions;
pub mod steps;
pub mod tables;
pub mod tokens;
pub mod upkeep;

pub use caller::{ClientInfo, CurrentUser};
use derived_key::derived_key;
pub use error::{CommonFailure, Error};
use request_context::CheckedContext;
pub use request_context::{RequestContext, record};
pub use services::Services;
