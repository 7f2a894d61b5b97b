//! HTTP: parse, call, shape. `endpoints` is the whole surface.

mod account;
mod auth;
mod body;
mod docs;
mod endpoint;
mod extract;
pub mod middleware;
mod ops;
mod sessions;
mod watch;
mod wire;

use auth_types::requests::{LoginRequest, RefreshRequest, RegisterRequest, UpdateMeRequest, VerifyRequest};
use auth_types::responses::{
    ConfigResponse, EmptyResponse, HealthResponse, RevokedResponse, SessionResponse, TokenResponse, UserResponse,
};
use endpoint::Endpoint;

/// Every route of the API; `docs` makes the OpenAPI document of the same list. The handlers' docs say who may call them.
fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::post("/api/auth/register/", auth::register)
            .about("Create an account and sign in")
            .takes::<RegisterRequest>()
            .gives::<TokenResponse>(201)
            .refuses(&[400, 403, 409, 413, 415, 503]),
        Endpoint::post("/api/auth/login/", auth::login)
            .about("Sign in with email or username and password")
            .takes::<LoginRequest>()
            .gives::<TokenResponse>(200)
            .refuses(&[400, 401, 403, 413, 415, 503]),
        Endpoint::post("/api/auth/refresh/", auth::refresh)
            .about("Trade a refresh token for its successor")
            .takes::<RefreshRequest>()
            .idempotent()
            .gives::<TokenResponse>(200)
            .refuses(&[400, 401, 403, 413, 415, 503]),
        Endpoint::post("/api/auth/verify/", auth::verify)
            .about("Tell whether a token is valid")
            .takes::<VerifyRequest>()
            .gives::<EmptyResponse>(200)
            .refuses(&[400, 401, 403, 413, 415, 503]),
        Endpoint::post("/api/auth/logout/", auth::logout)
            .about("Sign out: end the session of a refresh token")
            .takes::<RefreshRequest>()
            .gives::<EmptyResponse>(200)
            .refuses(&[400, 401, 403, 413, 415, 503]),
        Endpoint::post("/api/auth/logout/all/", auth::logout_all)
            .about("Sign out everywhere: end all of the caller's sessions")
            .protected()
            .gives::<RevokedResponse>(200)
            .refuses(&[403, 503]),
        Endpoint::get("/api/auth/me/", account::show)
            .about("The caller")
            .protected()
            .gives::<UserResponse>(200)
            .refuses(&[503]),
        Endpoint::patch("/api/auth/me/", account::update)
            .about("Change what the caller may change about themselves")
            .protected()
            .takes::<UpdateMeRequest>()
            .gives::<UserResponse>(200)
            .refuses(&[400, 403, 409, 413, 415, 503]),
        Endpoint::get("/api/auth/sessions/", sessions::list)
            .about("The caller's live sessions")
            .protected()
            .gives::<Vec<SessionResponse>>(200)
            .refuses(&[503]),
        Endpoint::delete("/api/auth/sessions/{id}/", sessions::revoke)
            .about("End one of the caller's sessions")
            .protected()
            .gives_nothing()
            .refuses(&[403, 404, 503]),
        Endpoint::get("/api/auth/config/", ops::config)
            .about("What a client needs to know before anyone signs in")
            .gives::<ConfigResponse>(200),
        Endpoint::get("/healthz", ops::healthz).about("Liveness: the process answers").gives::<HealthResponse>(200),
        Endpoint::get("/readyz", ops::readyz)
            .about("Readiness: database, migrations, clock, revocation feed")
            .gives::<HealthResponse>(200)
            .gives::<HealthResponse>(503),
        Endpoint::get("/api/openapi.json", docs::openapi).about("This document").gives::<serde_json::Value>(200),
    ]
}

pub use docs::document as openapi_document;
pub use endpoint::routes;
pub use watch::Crowd;
pub use wire::Wire;
