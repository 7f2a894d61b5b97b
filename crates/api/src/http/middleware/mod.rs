//! What applies to all requests: ids and logs, problem bodies, panics, HTTPS, origins, security headers, limits, the delay
//! of refusals, and the timeouts of connections.

mod cors;
mod delay;
mod finish;
mod head;
mod headers;
mod https;
mod limits;
mod origin;
mod panics;
mod watch;

pub use cors::cors;
pub use delay::delay_rejections;
pub use finish::finish;
pub use head::bound_head;
pub(super) use headers::secure as secure_headers;
pub(super) use https::forwarded_proto;
pub use https::{refuse_plaintext_preflight, require_https};
pub use origin::check_origin;
pub use panics::catch_panics;
pub use watch::watch_requests;
