//! Serves the OpenAPI document, and a page to try the API.

use crate::problem::Problem;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, Responder};
use auth_types::paths;
use std::sync::Arc;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerFile};

/// The document, generated once.
pub(super) struct OpenApiDocument(pub(super) OpenApi);

/// Returns the OpenAPI document. Open to everyone, unless `API_DOCS` closes it.
pub(super) async fn openapi(document: Data<OpenApiDocument>) -> impl Responder {
    HttpResponse::Ok().json(&document.0)
}

/// Returns the page, which is embedded in the program and sends requests to this API only.
pub(super) async fn page() -> Result<HttpResponse, Problem> {
    let file = find("index.html")?;
    // Its links are relative, and would be wrong at the path without its trailing slash.
    let text = String::from_utf8_lossy(&file.bytes).replace("\"./", &format!("\"{}", paths::DOCS));
    Ok(HttpResponse::Ok().content_type(file.content_type).body(text))
}

/// Returns a script or a style sheet of the page.
pub(super) async fn page_file(name: Path<String>) -> Result<HttpResponse, Problem> {
    let file = find(&name)?;
    Ok(HttpResponse::Ok().content_type(file.content_type).body(file.bytes.into_owned()))
}

fn find(name: &str) -> Result<SwaggerFile<'static>, Problem> {
    let found = utoipa_swagger_ui::serve(name, Arc::new(Config::new([paths::OPENAPI]))).map_err(Problem::internal)?;
    found.ok_or_else(Problem::not_found)
}
