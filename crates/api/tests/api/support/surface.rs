//! What the OpenAPI document says of requests, filled in: Latchkey's own routes by their tests, a feature's by its schemas.

use super::bounds;
use serde_json::{Map, Value, json};

/// Whether a route, as `GET /path/`, is Latchkey's, and no feature's.
pub fn is_own(route: &str) -> bool {
    bounds().iter().any(|(own, _)| own == route)
}

/// The path with `value` for each of its parameters.
pub fn filled(path: &str, value: &str) -> String {
    let parts = path.split(['{', '}']).enumerate();
    parts.map(|(place, part)| if place % 2 == 0 { part } else { value }).collect()
}

/// The schema of a JSON body, if the operation takes one.
pub fn json_body<'a>(document: &'a Value, operation: &'a Value) -> Option<&'a Value> {
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    schema.is_object().then(|| resolved(document, schema))
}

/// What a schema refers to; of one that allows null what else it allows.
pub fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(pointer) = schema["$ref"].as_str() {
        return resolved(document, document.pointer(&pointer[1..]).unwrap());
    }
    let alternatives = ["oneOf", "anyOf", "allOf"].iter().find_map(|name| schema[name].as_array());
    match alternatives.into_iter().flatten().find(|schema| schema["type"] != "null") {
        Some(schema) => resolved(document, schema),
        None => schema,
    }
}

/// Whether null is a value of it.
pub fn is_nullable(schema: &Value) -> bool {
    let is_null = |schema: &Value| schema == "null" || schema["type"] == "null";
    [&schema["type"], &schema["oneOf"], &schema["anyOf"]]
        .iter()
        .any(|kinds| kinds.as_array().is_some_and(|kinds| kinds.iter().any(is_null)))
}

/// The type of a schema that is [`resolved`], null aside.
pub fn kind(schema: &Value) -> &str {
    let kinds = schema["type"].as_array().into_iter().flatten().chain([&schema["type"]]);
    kinds.filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or_default()
}

/// A value of a schema: its example (`#[schema(example = …)]`), or one of its type.
pub fn sample(document: &Value, schema: &Value) -> Value {
    let schema = resolved(document, schema);
    let examples = [&schema["example"], &schema["examples"][0], &schema["enum"][0]];
    if let Some(example) = examples.iter().find(|example| !example.is_null()) {
        return (*example).clone();
    }
    match (kind(schema), schema["format"].as_str()) {
        ("object", _) => sample_of_object(document, schema),
        ("array", _) => json!([sample(document, &schema["items"])]),
        ("boolean", _) => json!(true),
        ("integer" | "number", _) => schema.get("minimum").cloned().unwrap_or(json!(1)),
        ("string", Some("date-time")) => json!("2026-01-01T00:00:00Z"),
        ("string", Some("date")) => json!("2026-01-01"),
        ("string", Some("uuid")) => json!("0198a2b4-7c1e-7000-8000-000000000001"),
        ("string", _) => json!("Some words"),
        _ => Value::Null,
    }
}

fn sample_of_object(document: &Value, schema: &Value) -> Value {
    let fields = schema["properties"].as_object().into_iter().flatten();
    let mut object: Map<_, _> = fields.map(|(name, field)| (name.clone(), sample(document, field))).collect();
    if schema["additionalProperties"].is_object() {
        object.insert("any".to_owned(), sample(document, &schema["additionalProperties"]));
    }
    object.into()
}
