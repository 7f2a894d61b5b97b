//! The only place that sends a request.

mod base;
mod call;
mod client;
mod fetch;
mod file;
mod parting;
mod timer;
mod visitor;

pub use base::API_BASE;
pub use call::Call;
pub(crate) use call::PATIENCE;
pub use client::Http;
pub use file::FileContent;
pub use parting::send_parting;
pub(crate) use timer::milliseconds;
pub use visitor::Visitor;
