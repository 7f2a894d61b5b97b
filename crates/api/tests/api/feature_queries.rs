//! The query of a feature's endpoint, and a file that it returns.

use crate::support::{Database, TestApp};
use actix_web::{HttpResponse, Responder};
use api::prelude::{Endpoint, Feature, Query, by_client};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::IntoParams;

#[derive(Debug, Serialize, Deserialize, IntoParams)]
struct Filter {
    /// At most so many.
    most: u8,
    low: Option<bool>,
    share: Option<f64>,
    name: Option<String>,
    order: Option<Order>,
    day: Option<chrono::NaiveDate>,
}

#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum Order {
    Newest,
    Oldest,
}

async fn list(Query(filter): Query<Filter>) -> impl Responder {
    HttpResponse::Ok().content_type("text/csv").body(json!(filter).to_string())
}

async fn app() -> TestApp {
    let listings = Feature::new("listings").endpoints(|| {
        vec![
            Endpoint::get("/api/listings/", by_client(), list)
                .about("listListings", "Listings as a table")
                .reads::<Filter>()
                .gives_file("text/csv"),
        ]
    });
    TestApp::builder(Database::Sqlite).feature(listings).start().await
}

async fn read(app: &TestApp, query: &str) -> Value {
    let response = app.get(&format!("/api/listings/{query}")).await;
    serde_json::from_str(&response.text()).unwrap()
}

#[actix_web::test]
async fn a_query_is_read_by_the_types_of_its_parameters() {
    let app = app().await;
    let all = read(&app, "?most=20&low=true&share=0.5&name=20&order=oldest&day=2026-01-01").await;
    let expected = json!({"most": 20, "low": true, "share": 0.5, "name": "20", "order": "oldest", "day": "2026-01-01"});
    assert_eq!(all, expected);
    // Empty fields of a form, an unknown parameter, and a repeated one.
    let few = read(&app, "?most=1&low=&share=&name=&utm_source=mail&most=2").await;
    assert_eq!(few, json!({"most": 1, "low": null, "share": null, "name": "", "order": null, "day": null}));
}

#[actix_web::test]
async fn each_wrong_parameter_is_named_with_what_it_takes() {
    let app = app().await;
    let refused = app.get("/api/listings/?low=yes&share=half&order=best&day=2026-02-30").await.problem(400);
    let expected = json!({
        "most": ["This field is required."],
        "low": ["Must be true or false."],
        "share": ["Must be a number."],
        "order": ["Must be one of newest, oldest."],
        "day": ["Must have the form of 2000-01-01."],
    });
    assert_eq!(json!(refused.errors), expected);
    let refused = app.get("/api/listings/?most=300").await.problem(400);
    assert_eq!(json!(refused.errors), json!({"most": ["Must be a whole number from 0 to 255."]}));
}

#[actix_web::test]
async fn the_document_describes_queries_and_files() {
    let app = app().await;
    let document: Value = app.get("/api/openapi.json").await.json();
    let operation = &document["paths"]["/api/listings/"]["get"];
    let names: Vec<_> = operation["parameters"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(json!(names), json!(["most", "low", "share", "name", "order", "day"]));
    assert_eq!(operation["parameters"][0]["description"], "At most so many.");
    assert_eq!(
        (&operation["parameters"][0]["in"], &operation["parameters"][0]["required"]),
        (&json!("query"), &json!(true))
    );
    assert!(operation["responses"]["200"]["content"]["text/csv"].is_object());
}
