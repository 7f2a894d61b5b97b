//! The OpenAPI document, made of the route table, and a page to try it.

use super::cookies;
use crate::service::Services;
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpResponse, Responder};
use auth_types::responses::TokenTransport;
use utoipa::openapi::path::{PathItem, PathsBuilder};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder};
use utoipa_swagger_ui::{Config, SwaggerUi};

/// The name of the security scheme: an access token in `Authorization`.
pub(super) const BEARER: &str = "bearer";

/// The same of `METRICS_TOKEN`.
pub(super) const OPERATOR: &str = "operator";

/// The name of the other one: the refresh token in its cookie.
pub(super) const REFRESH_COOKIE: &str = "refresh_cookie";

/// Where the document is.
pub(super) const DOCUMENT: &str = "/api/openapi.json";

/// The whole API as OpenAPI 3.1, as it is with this transport.
#[must_use]
pub fn document(transport: TokenTransport) -> OpenApi {
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    let operator = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("METRICS_TOKEN")).build();
    let mut components = ComponentsBuilder::new()
        .security_scheme(BEARER, SecurityScheme::Http(bearer))
        .security_scheme(OPERATOR, SecurityScheme::Http(operator));
    if transport == TokenTransport::Cookie {
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(cookies::SECURE_REFRESH)));
        components = components.security_scheme(REFRESH_COOKIE, cookie);
    }
    let mut paths = PathsBuilder::new();
    for endpoint in super::endpoints(transport) {
        paths = paths.path(endpoint.path, PathItem::new(endpoint.method, endpoint.operation));
        components = components.schemas_from_iter(endpoint.schemas);
    }
    let info = InfoBuilder::new()
        .title("Latchkey")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("Accounts, sessions and JSON Web Tokens. Every failure is application/problem+json."));
    OpenApiBuilder::new().info(info.build()).paths(paths.build()).components(Some(components.build())).build()
}

/// Open to everyone, where `API_DOCS` opens it.
pub(super) async fn openapi(services: Data<Services>) -> impl Responder {
    HttpResponse::Ok().json(document(services.settings.transport.transport))
}

/// The page; it is served from the program itself and talks to this API only.
pub(super) fn page() -> SwaggerUi {
    SwaggerUi::new("/api/docs/{_:.*}").config(Config::new([DOCUMENT]))
}

/// The page's own links are relative, so it needs its trailing slash.
pub(super) async fn to_page() -> impl Responder {
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, "/api/docs/")).finish()
}
