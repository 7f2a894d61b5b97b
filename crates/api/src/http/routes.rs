//! The endpoints as the application serves them.

use super::bounds::Bounds;
use super::docs::{self, Document};
use super::endpoint::Endpoint;
use super::middleware::catch_panics;
use super::openapi;
use super::table::endpoints;
use crate::config::Settings;
use actix_web::middleware::from_fn;
use actix_web::{HttpResponse, Route, web};
use auth_types::responses::TokenTransport;
use std::collections::BTreeMap;

/// What each route declares, with its method and path.
#[must_use]
pub fn bounds() -> Vec<(String, Bounds)> {
    let row = |endpoint: Endpoint| {
        let method = serde_json::to_value(&endpoint.method).unwrap_or_default();
        let method = method.as_str().unwrap_or_default().to_uppercase();
        (format!("{method} {}", endpoint.path), endpoint.bounds)
    };
    endpoints(TokenTransport::Body).into_iter().map(row).collect()
}

/// Puts every endpoint into the application, with its trailing slash and without; a wrong method gets the right ones in `Allow`.
pub fn routes(config: &mut web::ServiceConfig, settings: &Settings) {
    let (docs_open, transport) = (settings.operation.docs_open, settings.transport.transport);
    let mut by_path: BTreeMap<&'static str, Vec<Route>> = BTreeMap::new();
    let is_open = |endpoint: &Endpoint| docs_open || ![docs::DOCUMENT, docs::PAGE].contains(&endpoint.path);
    for endpoint in endpoints(transport).into_iter().filter(is_open) {
        by_path.entry(endpoint.path).or_default().extend(endpoint.into_routes());
    }
    for (path, routes) in by_path {
        let bare = path.trim_end_matches('/');
        let resource = web::resource([bare.to_owned(), format!("{bare}/")]);
        let resource = routes.into_iter().fold(resource, actix_web::Resource::route);
        config.service(resource.wrap(from_fn(catch_panics)));
    }
    if docs_open {
        config.app_data(web::Data::new(Document(openapi::document(transport))));
        let path = format!("{}{{name}}", docs::PAGE);
        let file = web::resource(path).route(web::get().to(docs::page_file)).route(web::head().to(docs::page_file));
        config.service(file.wrap(from_fn(catch_panics)));
    }
    config.default_service(web::to(HttpResponse::NotFound));
}
