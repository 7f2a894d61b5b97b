//! The endpoints of a product: Latchkey's own and those of its features.

use super::bounds::Bounds;
use super::docs::{self, OpenApiDocument};
use super::endpoint::Endpoint;
use super::middleware::catch_panics;
use super::{openapi, table};
use crate::config::Settings;
use actix_web::middleware::from_fn;
use actix_web::{HttpResponse, web};
use auth_types::paths;
use auth_types::responses::TokenTransport;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use utoipa::openapi::OpenApi;

type MakeEndpoints = dyn Fn(TokenTransport) -> Vec<Endpoint> + Send + Sync;

/// Makes the endpoints of Latchkey or of one feature: each worker has its own handlers.
#[derive(Clone)]
pub struct EndpointFactory(Arc<MakeEndpoints>);

impl EndpointFactory {
    /// The endpoints of a feature's table.
    pub fn of(table: impl Fn() -> Vec<Endpoint> + Send + Sync + 'static) -> Self {
        Self(Arc::new(move |_| table()))
    }

    /// Latchkey's endpoints.
    pub fn builtin() -> Self {
        Self(Arc::new(table::endpoints))
    }

    /// Makes the endpoints, for tokens that travel by this transport.
    pub fn make(&self, transport: TokenTransport) -> Vec<Endpoint> {
        (self.0)(transport)
    }
}

impl fmt::Debug for EndpointFactory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EndpointFactory")
    }
}

/// In which order the router, which takes the first path that matches, compares them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Order {
    /// By a comparison of strings.
    Fixed,
    /// By a regular expression, which takes much longer.
    WithParameters,
}

impl Order {
    fn of(path: &str) -> Self {
        if path.contains('{') { Self::WithParameters } else { Self::Fixed }
    }
}

/// All endpoints of a product.
#[derive(Debug, Clone)]
pub struct ProductEndpoints(pub Vec<EndpointFactory>);

impl ProductEndpoints {
    fn endpoints(&self, transport: TokenTransport) -> impl Iterator<Item = Endpoint> {
        self.0.iter().flat_map(move |factory| factory.make(transport))
    }

    /// The declared bounds of each route, by method and path.
    pub fn bounds(&self) -> Vec<(String, Bounds)> {
        let row = |endpoint: Endpoint| (endpoint.route(), endpoint.declaration.bounds);
        self.endpoints(TokenTransport::Body).map(row).collect()
    }

    /// The OpenAPI 3.1 document of the whole API with this transport.
    pub fn openapi(&self, transport: TokenTransport) -> OpenApi {
        openapi::document(self.endpoints(transport), transport)
    }

    /// Registers every endpoint, with its trailing slash and without; the response to a wrong method lists the right ones in
    /// `Allow`.
    pub fn configure(&self, config: &mut web::ServiceConfig, settings: &Settings) {
        let docs_open = settings.operation.docs_open;
        let transport = settings.transport.tokens;
        let mut by_path: BTreeMap<(Order, &'static str), Vec<Endpoint>> = BTreeMap::new();
        let is_open = |endpoint: &Endpoint| docs_open || ![paths::OPENAPI, paths::DOCS].contains(&endpoint.path);
        for endpoint in self.endpoints(transport).filter(is_open) {
            by_path.entry((Order::of(endpoint.path), endpoint.path)).or_default().push(endpoint);
        }
        for ((_, path), endpoints) in by_path {
            let bare = path.trim_end_matches('/');
            // Two resources: the router compares a resource of two patterns with a regular expression, however simple they are.
            for pattern in [bare.to_owned(), format!("{bare}/")] {
                let routes = endpoints.iter().flat_map(Endpoint::routes);
                let resource = routes.fold(web::resource(pattern), actix_web::Resource::route);
                config.service(resource.wrap(from_fn(catch_panics)));
            }
        }
        if docs_open {
            config.app_data(web::Data::new(OpenApiDocument(self.openapi(transport))));
            let path = format!("{}{{name}}", paths::DOCS);
            let file = web::resource(path).route(web::get().to(docs::page_file)).route(web::head().to(docs::page_file));
            config.service(file.wrap(from_fn(catch_panics)));
        }
        config.default_service(web::to(HttpResponse::NotFound));
    }
}

#[cfg(test)]
mod tests {
    use super::{EndpointFactory, ProductEndpoints};
    use crate::config::{Settings, Variables};
    use crate::http::bounds::uncounted;
    use crate::http::endpoint::Endpoint;
    use actix_web::test::{TestRequest, call_service, init_service};
    use actix_web::{App, HttpResponse};

    fn table() -> Vec<Endpoint> {
        let handler = || async { HttpResponse::Ok().finish() };
        // In the order of the texts `{id}` is the first.
        ["/things/{id}/", "/things/~all/"].map(|path| Endpoint::get(path, uncounted(), handler)).into()
    }

    /// As the table may be written in any order, a fixed path counts before one with parameters.
    #[actix_web::test]
    async fn a_fixed_path_is_found_before_one_with_parameters() -> Result<(), Box<dyn std::error::Error>> {
        let settings = Settings::from_variables(Variables::default())?;
        let endpoints = ProductEndpoints(vec![EndpointFactory::of(table)]);
        let app = init_service(App::new().configure(|config| endpoints.configure(config, &settings))).await;
        for (path, expected) in [("/things/~all", "/things/~all"), ("/things/7", "/things/{id}")] {
            for path in [path.to_owned(), format!("{path}/")] {
                let response = call_service(&app, TestRequest::get().uri(&path).to_request()).await;
                let found = response.request().match_pattern().unwrap_or_default();
                assert_eq!(found.trim_end_matches('/'), expected, "{path}");
            }
        }
        Ok(())
    }
}
