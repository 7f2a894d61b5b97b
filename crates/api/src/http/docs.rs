//! The OpenAPI document, made of the route table, and a page to try it.

use super::cookies;
use crate::problem::Problem;
use crate::service::Services;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, Responder};
use auth_types::responses::TokenTransport;
use std::sync::Arc;
use utoipa::openapi::path::{PathItem, PathsBuilder};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder};
use utoipa_swagger_ui::{Config, SwaggerFile};

/// The name of the security scheme: an access token in `Authorization`.
pub(super) const BEARER: &str = "bearer";

/// The same of `METRICS_TOKEN`.
pub(super) const OPERATOR: &str = "operator";

/// The name of the other one: the refresh token in its cookie.
pub(super) const REFRESH_COOKIE: &str = "refresh_cookie";

/// Where the document is.
pub(super) const DOCUMENT: &str = "/api/openapi.json";

/// Where the page to try it is.
pub(super) const PAGE: &str = "/api/docs/";

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
pub(super) async fn page() -> Result<HttpResponse, Problem> {
    let file = find("index.html")?;
    // Its links are relative, and lead elsewhere from the path without its trailing slash.
    let text = String::from_utf8_lossy(&file.bytes).replace("\"./", &format!("\"{PAGE}"));
    Ok(HttpResponse::Ok().content_type(file.content_type).body(text))
}

/// A script or a style of the page.
pub(super) async fn page_file(name: Path<String>) -> Result<HttpResponse, Problem> {
    let file = find(&name)?;
    Ok(HttpResponse::Ok().content_type(file.content_type).body(file.bytes.into_owned()))
}

fn find(name: &str) -> Result<SwaggerFile<'static>, Problem> {
    let found = utoipa_swagger_ui::serve(name, Arc::new(Config::new([DOCUMENT]))).map_err(Problem::internal)?;
    found.ok_or_else(Problem::not_found)
}
