//! Which route a request is for, before it has got there.
//!
//! The router reads a path decoded, and there are many ways to write one: `/api/%61uth/verify/` is `/api/auth/verify/`.
//! Whatever decides by a request's path asks for its route, so that there are no two readings of it.

use actix_web::dev::ServiceRequest;

/// The pattern of the request's route, as the router will find it; empty where there is none.
pub(super) fn route_of(request: &ServiceRequest) -> String {
    request.resource_map().match_pattern(request.match_info().as_str()).unwrap_or_default()
}
