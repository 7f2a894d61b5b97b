//! HTTP: handlers parse a request, call a use case and shape the response. `table` lists all routes.

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
mod product_endpoints;
mod query;
mod route;
mod schemes;
mod sessions;
pub(crate) mod site;
mod table;
mod transport;

pub use body::JsonBody;
pub use bounds::{Bounds, RequestBudgets, by_caller, by_client, by_token, uncounted};
pub use connection::{ConnectionMetrics, OpenConnections, PollRounds, WatchedStream, WorkerConnections};
pub use endpoint::Endpoint;
pub use extract::{Admin, Caller, Client, Cursor};
pub use json::parse as parse_body;
pub use metrics::HttpMetrics;
pub use product_endpoints::{EndpointFactory, ProductEndpoints};
pub use query::Query;
