//! The OpenAPI document, as it is served, and a page to try it.

use crate::problem::Problem;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, Responder};
use auth_types::paths;
use std::sync::Arc;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerFile};

/// The document, made once.
pub(super) struct Document(pub(super) OpenApi);

/// Open to everyone, where `API_DOCS` opens it.
pub(super) async fn openapi(document: Data<Document>) -> impl Responder {
    HttpResponse::Ok().json(&document.0)
}

/// The page; it is served from the program itself and talks to this API only.
pub(super) async fn page() -> Result<HttpResponse, Problem> {
    let file = find("index.html")?;
    // Its links are relative, and lead elsewhere from the path without its trailing slash.
    let text = String::from_utf8_lossy(&file.bytes).replace("\"./", &format!("\"{}", paths::DOCS));
    Ok(HttpResponse::Ok().content_type(file.content_type).body(text))
}

/// A script or a style of the page.
pub(super) async fn page_file(name: Path<String>) -> Result<HttpResponse, Problem> {
    let file = find(&name)?;
    Ok(HttpResponse::Ok().content_type(file.content_type).body(file.bytes.into_owned()))
}

fn find(name: &str) -> Result<SwaggerFile<'static>, Problem> {
    let found = utoipa_swagger_ui::serve(name, Arc::new(Config::new([paths::OPENAPI]))).map_err(Problem::internal)?;
    found.ok_or_else(Problem::not_found)
}
