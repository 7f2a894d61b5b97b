//! The route of a request, before the router has run.
//!
//! The router decodes a path, and there are many ways to write one: `/api/%61uth/verify/` is `/api/auth/verify/`. Code that
//! depends on a request's path uses its route, so that a path is not interpreted in two ways.

use actix_web::dev::ServiceRequest;

/// The pattern of the request's route, as the router will find it; empty where there is none.
pub(super) fn route_of(request: &ServiceRequest) -> String {
    request.resource_map().match_pattern(request.match_info().as_str()).unwrap_or_default()
}
