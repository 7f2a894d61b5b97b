//! The only module that sends requests.

mod api_request;
mod base;
mod client;
mod fetch;
mod file;
mod keepalive;
mod public_api;
mod response;
mod timer;

pub use api_request::ApiRequest;
pub(crate) use api_request::RESPONSE_TIMEOUT;
pub use base::API_BASE;
pub use client::Http;
pub use file::FileContent;
pub use keepalive::send_keepalive;
pub use public_api::PublicApi;
pub(crate) use timer::milliseconds;
