//! Builds sample requests from the OpenAPI document. Latchkey's own routes are filled in by their tests, a feature's by its
//! schemas.

use super::{bounds, send};
use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};
use reqwest::{Method, RequestBuilder};
use serde_json::{Map, Value, json};
use std::sync::atomic::{AtomicI64, Ordering};
use url::form_urlencoded;

/// Whether a route, as `GET /path/`, is Latchkey's and not a feature's.
pub fn is_own(route: &str) -> bool {
    bounds().iter().any(|(own, _)| own == route)
}

/// The path with `value` for each of its parameters.
pub fn fill_path(path: &str, value: &str) -> String {
    let parts = path.split(['{', '}']).enumerate();
    parts.map(|(index, part)| if index % 2 == 0 { part } else { value }).collect()
}

/// The query that an operation requires, `?` included: a sample of each parameter that it cannot do without.
pub fn required_query(document: &Value, operation: &Value) -> String {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let required = parameters.filter(|parameter| parameter["in"] == "query" && parameter["required"] == true);
    let mut query = form_urlencoded::Serializer::new(String::new());
    for parameter in required {
        let value = sample(document, &parameter["schema"]);
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        query.append_pair(parameter["name"].as_str().unwrap(), &text);
    }
    let query = query.finish();
    if query.is_empty() { query } else { format!("?{query}") }
}

/// The schema of a JSON body, if the operation takes one.
pub fn json_body<'a>(document: &'a Value, operation: &'a Value) -> Option<&'a Value> {
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    schema.is_object().then(|| resolved(document, schema))
}

/// The schema that `schema` refers to; if it allows null, the alternative that is not null.
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

/// Whether the schema allows null.
pub fn is_nullable(schema: &Value) -> bool {
    let is_null = |schema: &Value| schema == "null" || schema["type"] == "null";
    [&schema["type"], &schema["oneOf"], &schema["anyOf"]]
        .iter()
        .any(|kinds| kinds.as_array().is_some_and(|kinds| kinds.iter().any(is_null)))
}

/// The type of a [`resolved`] schema, other than null.
pub fn kind(schema: &Value) -> &str {
    let kinds = schema["type"].as_array().into_iter().flatten().chain([&schema["type"]]);
    kinds.filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or_default()
}

/// A request to a feature's route, filled in from its description in the document.
#[derive(Debug)]
pub struct SampleRequest {
    method: Method,
    path: String,
    body: Option<Value>,
}

impl SampleRequest {
    /// Fills an operation in, after creating the rows that its path and its body refer to. `ask` begins an authorized request.
    pub async fn new(
        document: &Value,
        path: &str,
        method: &str,
        ask: &impl Fn(Method, &str) -> RequestBuilder,
    ) -> Self {
        let collection = path.split_once('{').map(|(before, _)| before);
        let id = match collection.filter(|path| document["paths"][path]["post"].is_object()) {
            Some(path) => create(document, path, ask).await.to_string(),
            None => "1".to_owned(),
        };
        let body = match json_body(document, &document["paths"][path][method]) {
            Some(schema) => Some(sample_with_rows(document, schema, ask).await),
            None => None,
        };
        let query = required_query(document, &document["paths"][path][method]);
        let method = method.to_uppercase().parse().unwrap();
        // Only the first parameter refers to a row; no row has the number of the others.
        let (first, rest) = path.split_at(path.find('}').map_or(path.len(), |end| end + 1));
        let path = fill_path(first, id.trim_matches('"')) + &fill_path(rest, "0") + &query;
        Self { method, path, body }
    }

    pub fn request(&self, ask: impl Fn(Method, &str) -> RequestBuilder) -> RequestBuilder {
        let request = ask(self.method.clone(), &self.path);
        match &self.body {
            Some(body) => request.json(body),
            None => request,
        }
    }
}

/// Creates a row through the `POST` of a path, and returns its id.
async fn create(document: &Value, path: &str, ask: &impl Fn(Method, &str) -> RequestBuilder) -> Value {
    assert!(document["paths"][path]["post"].is_object(), "{REFERS_TO} {path}: the document has no POST of it");
    // Boxed, because the row may refer to another one in turn.
    let creation = Box::pin(SampleRequest::new(document, path, "post", ask)).await;
    let created = send(creation.request(ask)).await;
    assert!(created.status.is_success(), "POST {path}: {}; {HINT}", created.text());
    created.json::<Value>()["id"].clone()
}

/// A sample in which each field that refers to a row has the id of one that was created for it.
async fn sample_with_rows(document: &Value, schema: &Value, ask: &impl Fn(Method, &str) -> RequestBuilder) -> Value {
    let mut wanted = Vec::new();
    sample_naming(document, schema, &mut |path| {
        wanted.push(path.to_owned());
        None
    });
    let mut created = Vec::new();
    for path in wanted {
        created.push(create(document, &path, ask).await);
    }
    let mut created = created.into_iter();
    sample_naming(document, schema, &mut |_| created.next())
}

/// How to fix a sample that is refused.
pub const HINT: &str = "a feature's fields get their #[schema(example = ...)], x-unique or x-refers-to, or a value of their type; a text \
                        that is parsed declares its form, as in #[schema(format = \"time\")] (docs/EXTENDING.md)";

/// Marks a field whose value is unique among the rows.
const UNIQUE: &str = "x-unique";
/// Marks a field that refers to rows; its value is the path of the `POST` that creates one.
const REFERS_TO: &str = "x-refers-to";

/// A value of a schema: its example (`#[schema(example = …)]`) or one of its type, and a new one each time if it is unique.
pub fn sample(document: &Value, schema: &Value) -> Value {
    sample_naming(document, schema, &mut |_| None)
}

/// The same, with the id that `id_of` returns for a reference to what a path creates.
fn sample_naming(document: &Value, schema: &Value, id_of: &mut dyn FnMut(&str) -> Option<Value>) -> Value {
    let (field, schema) = (schema, resolved(document, schema));
    let mark = |name: &str| [&field[name], &schema[name]].into_iter().find(|mark| !mark.is_null());
    if let Some(id) = mark(REFERS_TO).and_then(|path| id_of(path.as_str().unwrap())) {
        return if kind(schema) == "array" { json!([id]) } else { id };
    }
    let examples = [&field["example"], &schema["example"], &schema["examples"][0], &schema["enum"][0]];
    let value = match examples.into_iter().find(|example| !example.is_null()) {
        Some(example) => example.clone(),
        None => match (kind(schema), schema["format"].as_str()) {
            ("object", _) => sample_of_object(document, schema, id_of),
            ("array", _) => json!([sample_naming(document, &schema["items"], id_of)]),
            ("boolean", _) => json!(true),
            ("integer" | "number", _) => schema.get("minimum").cloned().unwrap_or(json!(1)),
            ("string", Some("date-time")) => json!("2026-01-01T00:00:00Z"),
            ("string", Some("date")) => json!("2026-01-01"),
            ("string", Some("time")) => json!("09:30:00"),
            ("string", Some("uuid")) => json!("0198a2b4-7c1e-7000-8000-000000000001"),
            ("string", _) => json!("Some words"),
            _ => Value::Null,
        },
    };
    if mark(UNIQUE) == Some(&json!(true)) { another(schema, &value) } else { value }
}

fn sample_of_object(document: &Value, schema: &Value, id_of: &mut dyn FnMut(&str) -> Option<Value>) -> Value {
    let fields = schema["properties"].as_object().into_iter().flatten();
    let mut object: Map<_, _> =
        fields.map(|(name, field)| (name.clone(), sample_naming(document, field, id_of))).collect();
    if schema["additionalProperties"].is_object() {
        object.insert("any".to_owned(), sample_naming(document, &schema["additionalProperties"], id_of));
    }
    object.into()
}

/// A new value like `value` each time, as far as the schema's bounds allow.
fn another(schema: &Value, value: &Value) -> Value {
    static COUNT: AtomicI64 = AtomicI64::new(1);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let Some(text) = value.as_str() else {
        let least = schema["minimum"].as_i64().unwrap_or(0);
        let most = schema["maximum"].as_i64().unwrap_or(i64::MAX);
        let first = value.as_i64().unwrap_or(least);
        return json!(least + (first - least + count) % (most - least).saturating_add(1));
    };
    match schema["format"].as_str() {
        Some("date-time") => json!(text.parse::<DateTime<Utc>>().unwrap() + Duration::hours(count)),
        Some("date") => json!(text.parse::<NaiveDate>().unwrap() + Duration::days(count)),
        Some("time") => json!(text.parse::<NaiveTime>().unwrap() + Duration::seconds(count)),
        Some("uuid") => json!(format!("{}{count:012x}", &text[..24])),
        _ => {
            let most = schema["maxLength"].as_u64().map_or(usize::MAX, |most| most.try_into().unwrap());
            let text = format!("{text}{count}");
            // The number at the end is what differs.
            json!(text.chars().skip(text.chars().count().saturating_sub(most)).collect::<String>())
        }
    }
}
