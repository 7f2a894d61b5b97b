//! The messages between the Latchkey API and its clients.
//!
//! Requests, responses, token claims, error codes and the validation rules that both sides share. No I/O: this crate
//! compiles for a server and for a browser alike.
#![warn(missing_docs)]

pub mod claims;
pub mod device;
pub mod events;
pub mod export;
pub mod invisible;
mod joining;
pub mod keys;
pub mod limits;
pub mod page;
pub mod paths;
pub mod problem;
mod ranges;
pub mod requests;
pub mod responses;
pub mod validation;

pub use claims::{AccessClaims, RefreshClaims, Role, SessionId, TokenType, UserId};
pub use events::{EventDetail, EventKind};
pub use keys::{JsonWebKey, JsonWebKeySet};
pub use page::Page;
pub use problem::{FieldErrors, ProblemBody, ProblemCode, Reason};
