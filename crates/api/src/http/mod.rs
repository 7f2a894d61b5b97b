//! HTTP: parse, call, shape. `table` is the whole surface.

mod account;
mod auth;
mod avatar;
mod body;
mod bounds;
pub mod client_ip;
mod connection;
mod cookies;
mod docs;
mod email;
mod endpoint;
mod extract;
mod json;
mod metrics;
pub mod middleware;
mod openapi;
mod ops;
mod password;
mod route;
mod routes;
mod schemes;
mod sessions;
pub(crate) mod site;
mod table;
mod transport;

pub use bounds::{Bounds, Requests};
pub use connection::{ConnectionMetrics, Crowd, Turns, Wire};
pub use json::parse as parse_body;
pub use metrics::HttpMetrics;
pub use openapi::document as openapi_document;
pub use routes::{bounds, routes};
