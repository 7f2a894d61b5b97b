//! What cuts across all requests: ids and logs, problem bodies, panics, origins, security headers, the start.

mod cors;
mod finish;
mod headers;
mod origin;
mod panics;
mod start;
mod watch;

pub use cors::cors;
pub use finish::finish;
pub(super) use headers::secure as secure_headers;
pub use origin::check_origin;
pub use panics::catch_panics;
pub use start::refuse_until_started;
pub use watch::watch_requests;
