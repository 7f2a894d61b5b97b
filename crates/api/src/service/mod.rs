//! The rules: a module for each domain and a file for each use case, with its own errors. They take and return the types of
//! `auth-types`; `http` adds status, headers and cookies. No SQL.

pub mod accounts;
pub mod backup;
mod client_info;
mod current_user;
mod derived_key;
pub mod digest;
mod error;
pub mod events;
pub mod hashed_key;
pub mod leases;
pub mod limits;
pub mod mail;
pub mod opaque_token;
pub mod paging;
pub mod passwords;
pub mod pool;
pub mod redis_connection;
mod request_context;
mod services;
pub mod sessions;
pub mod steps;
pub mod tables;
pub mod tokens;
pub mod upkeep;

pub use client_info::ClientInfo;
pub use current_user::CurrentUser;
use derived_key::derived_key;
pub use error::{CommonError, Error};
use request_context::CheckedContext;
pub use request_context::RequestContext;
pub use services::Services;
