//! The OpenAPI document describes exactly what is served.

use crate::support::surface::sample;
use crate::support::{Database, TestApp, send};
use auth_types::{Reason, limits};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

async fn document() -> Value {
    document_with("body").await
}

/// The document for one transport, on which the bodies of refresh and sign-in depend.
async fn document_with(transport: &str) -> Value {
    let app = TestApp::builder(Database::Sqlite).set("TOKEN_TRANSPORT", transport).start().await;
    let response = app.get("/api/openapi.json").await;
    response.has_status(200);
    assert!(response.header("content-type").starts_with("application/json"));
    response.json()
}

/// Calls `visit` with every value of the document, and its member name.
fn walk<'a>(value: &'a Value, visit: &mut impl FnMut(&str, &'a Value)) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                visit(name, value);
                walk(value, visit);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, visit)),
        _ => {}
    }
}

#[actix_web::test]
async fn the_document_is_openapi_3_1() {
    let document = document().await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(document["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
}

#[actix_web::test]
async fn every_reference_resolves_and_every_schema_is_used() {
    for transport in ["body", "cookie"] {
        assert_references_resolve(&document_with(transport).await);
    }
}

#[track_caller]
fn assert_references_resolve(document: &Value) {
    let mut referred = BTreeSet::new();
    walk(document, &mut |name, value| {
        if name == "$ref" {
            let pointer = value.as_str().unwrap().strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer} leads nowhere");
            referred.insert(pointer.rsplit('/').next().unwrap());
        }
    });
    let defined: BTreeSet<_> =
        document["components"]["schemas"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(defined, referred);
}

/// Generators name functions after the operations.
#[actix_web::test]
async fn every_operation_has_a_unique_name() {
    let document = document().await;
    let operations =
        document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
    let names: Vec<_> = operations.map(|operation| operation["operationId"].as_str().unwrap_or_default()).collect();
    let different: BTreeSet<_> = names.iter().collect();
    assert_eq!(different.len(), names.len(), "{names:?}");
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_lowercase()) && name.chars().all(|c| c.is_ascii_alphanumeric())
    };
    assert!(names.iter().all(|name| is_name(name)), "{names:?}");
}

#[actix_web::test]
async fn every_operation_describes_its_parameters_and_responses() {
    let document = document().await;
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let name = format!("{method} {path}");
            assert!(!operation["summary"].as_str().unwrap_or_default().is_empty(), "{name} has no summary");
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.keys().any(|status| status.starts_with('2')), "{name} never succeeds");
            let described: Vec<_> = operation["parameters"].as_array().into_iter().flatten().collect();
            for parameter in path.split(['{', '}']).skip(1).step_by(2) {
                assert!(
                    described.iter().any(|known| known["name"] == parameter),
                    "{name} does not describe {parameter}"
                );
            }
            let protected = operation["security"][0]["bearer"].is_array();
            assert_eq!(protected, responses.contains_key("401") && is_protected(path), "{name}");
            for (status, response) in responses.iter().filter(|(status, _)| status.starts_with('4')) {
                let problem = &response["content"]["application/problem+json"]["schema"]["$ref"];
                assert_eq!(problem, "#/components/schemas/ProblemBody", "{status} of {name}");
            }
        }
    }
}

/// Routes about the caller. The others are about the service, or authenticate by their body.
fn is_protected(path: &str) -> bool {
    let about_the_caller = [
        "/api/auth/me",
        "/api/auth/events",
        "/api/auth/sessions",
        "/api/auth/logout/all",
        "/api/auth/password/change",
        "/api/auth/email/change",
    ];
    about_the_caller.iter().any(|prefix| path.starts_with(prefix))
}

#[actix_web::test]
async fn the_document_has_the_length_limits_of_the_forms() {
    let document = document().await;
    let fields = &document["components"]["schemas"]["RegisterRequest"]["properties"];
    for (field, name, limit) in [
        ("email", "maxLength", limits::EMAIL_MAX_LENGTH),
        ("password", "minLength", limits::PASSWORD_MIN_LENGTH),
        ("password", "maxLength", limits::PASSWORD_MAX_LENGTH),
        ("username", "minLength", limits::USERNAME_MIN_LENGTH),
        ("username", "maxLength", limits::USERNAME_MAX_LENGTH),
        ("display_name", "maxLength", limits::DISPLAY_NAME_MAX_LENGTH),
    ] {
        assert_eq!(fields[field][name], limit, "{name} of {field}");
    }
    let key = &document["paths"]["/api/auth/refresh/"]["post"]["parameters"][0]["schema"];
    assert_eq!((&key["minLength"], &key["maxLength"]), (&json!(1), &json!(limits::IDEMPOTENCY_KEY_MAX_BYTES)));
}

#[actix_web::test]
async fn the_documentation_page_is_served_by_the_program_itself() {
    let app = TestApp::builder(Database::Sqlite).start().await;
    let page = app.get("/api/docs/").await;
    page.has_status(200);
    assert_eq!(page.text(), app.get("/api/docs").await.text());
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.header("content-security-policy").contains("script-src 'self'"));
    assert!(!page.text().contains("https://"), "the page loads something from elsewhere");
    for script in page.text().split("src=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        app.get(script).await.has_status(200);
    }
    app.get("/api/docs/no-such-file.js").await.has_status(404);
    send(app.request(Method::HEAD, "/api/docs/")).await.has_status(200);
    for path in ["/api/docs/", "/api/docs", "/api/docs/index.html"] {
        let response = send(app.request(Method::POST, path)).await;
        assert_eq!(response.header("allow"), "GET, HEAD", "{path}");
        response.problem_of(405, Reason::MethodNotAllowed);
    }
}

/// Generated request bodies rely on it.
#[test]
fn samples_of_a_unique_field_differ_and_keep_within_its_bounds() {
    let schemas = [
        json!({"type": "string", "maxLength": 6}),
        json!({"type": "string", "example": "https://example.com/"}),
        json!({"type": "string", "format": "date-time"}),
        json!({"type": "string", "format": "date", "example": "2090-01-02"}),
        json!({"type": "string", "format": "uuid"}),
        json!({"type": ["integer", "null"], "minimum": 10, "maximum": 60_000}),
        json!({"type": "integer", "example": 7}),
    ];
    for mut schema in schemas {
        schema["x-unique"] = json!(true);
        let samples: Vec<Value> = (0..100).map(|_| sample(&Value::Null, &schema)).collect();
        let distinct: BTreeSet<_> = samples.iter().map(Value::to_string).collect();
        assert_eq!(distinct.len(), samples.len(), "{schema}: {samples:?}");
        for sample in samples {
            let fits = match schema["maxLength"].as_u64() {
                Some(max) => sample.as_str().unwrap().len() as u64 <= max,
                None => sample.is_string() || (7..=60_000).contains(&sample.as_i64().unwrap()),
            };
            assert!(fits, "{schema}: {sample}");
        }
    }
}
