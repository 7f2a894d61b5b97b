//! The OpenAPI document, generated from the table of endpoints.

use super::cookies;
use super::endpoint::Endpoint;
use super::schemes::{BEARER, OPERATOR, REFRESH_COOKIE};
use auth_types::responses::TokenTransport;
use utoipa::openapi::path::{PathItem, PathsBuilder};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder};

/// The OpenAPI 3.1 document of the whole API with this transport.
pub(super) fn document(endpoints: impl Iterator<Item = Endpoint>, transport: TokenTransport) -> OpenApi {
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
    for endpoint in endpoints {
        paths = paths.path(endpoint.path, PathItem::new(endpoint.method, endpoint.operation));
        components = components.schemas_from_iter(endpoint.schemas);
    }
    let info = InfoBuilder::new()
        .title("Latchkey")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("Accounts, sessions and JSON Web Tokens. Every failure is application/problem+json."));
    OpenApiBuilder::new().info(info.build()).paths(paths.build()).components(Some(components.build())).build()
}
