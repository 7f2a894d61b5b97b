//! Bodies that are not valid: each gets a 4xx that says what is wrong, and nothing is written.

use crate::support::administrator::{ADA, start};
use crate::support::surface::{HINT, fill_path, is_nullable, json_body, kind, required_query, resolved, sample};
use crate::support::{Database, PASSWORD, TestApp, TestResponse, forge, is_own_table, on_both_databases, raw, send};
use auth_types::Reason;
use auth_types::limits::{BODY_MAX_BYTES, PASSWORD_MAX_LENGTH};
use auth_types::responses::{TokenResponse, UserResponse};
use reqwest::Method;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

on_both_databases![
    a_nul_in_any_field_is_named_and_reaches_no_database,
    fields_are_refused_together_and_nothing_is_written,
    line_breaks_are_refused_where_they_could_break_out,
    sql_in_any_field_is_a_text_like_any_other,
    privileges_in_a_body_are_ignored,
];

/// An endpoint that takes JSON, as the document describes it.
struct Endpoint {
    method: Method,
    path: String,
    required: Vec<String>,
    fields: BTreeMap<String, Field>,
}

/// A field of a body. Flags that may be missing are left out: they have a test of their own, in `email_verification`.
struct Field {
    /// Its type in JSON.
    kind: String,
    /// Whether it is free text.
    is_text: bool,
    is_nullable: bool,
    sample: Value,
}

impl Field {
    fn of(document: &Value, schema: &Value) -> Self {
        let described = resolved(document, schema);
        let is_text = kind(described) == "string" && described["enum"].is_null() && described["format"].is_null();
        let is_nullable = is_nullable(schema);
        Self { kind: kind(described).to_owned(), is_text, is_nullable, sample: sample(document, schema) }
    }

    /// Whether a value has the field's type.
    fn fits(&self, value: &Value) -> bool {
        match self.kind.as_str() {
            "string" => value.is_string(),
            "integer" => value.is_u64(),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            other => panic!("{other} is not a type"),
        }
    }

    /// A value of another type.
    fn wrong(&self) -> Value {
        if self.fits(&json!(7)) { json!("seven") } else { json!(7) }
    }
}

impl Endpoint {
    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// A body in which every text holds `value`.
    fn filled(&self, value: &str) -> Map<String, Value> {
        let of = |field: &Field| if field.is_text { json!(value) } else { field.sample.clone() };
        self.fields.iter().map(|(name, field)| (name.clone(), of(field))).collect()
    }

    /// The fields of free text.
    fn texts(&self) -> impl Iterator<Item = &String> {
        self.fields.iter().filter(|(_, field)| field.is_text).map(|(name, _)| name)
    }
}

async fn endpoints(app: &TestApp) -> Vec<Endpoint> {
    let document: Value = app.get("/api/openapi.json").await.json();
    let mut found = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let Some(schema) = json_body(&document, operation) else { continue };
            let required = schema["required"].as_array().into_iter().flatten();
            let required: Vec<_> = required.map(|name| name.as_str().unwrap().to_owned()).collect();
            let fields = schema["properties"].as_object().unwrap().iter();
            let fields = fields.map(|(name, schema)| (name.clone(), Field::of(&document, schema)));
            let fields = fields.filter(|(name, field)| field.kind != "boolean" || required.contains(name)).collect();
            let (method, path) =
                (method.to_uppercase().parse().unwrap(), fill_path(path, "1") + &required_query(&document, operation));
            found.push(Endpoint { method, path, required, fields });
        }
    }
    assert!(found.len() >= 6, "the document lost its bodies");
    found
}

async fn send_bytes(
    app: &TestApp,
    tokens: &TokenResponse,
    endpoint: &Endpoint,
    body: impl Into<Vec<u8>>,
) -> TestResponse {
    let request = app.request_as(tokens, endpoint.method.clone(), &endpoint.path);
    send(request.header("Content-Type", "application/json").body(body.into())).await
}

async fn send_json(app: &TestApp, tokens: &TokenResponse, endpoint: &Endpoint, body: impl Into<Value>) -> TestResponse {
    send_bytes(app, tokens, endpoint, body.into().to_string()).await
}

#[track_caller]
fn assert_names(response: &TestResponse, field: &str, what: &str) {
    assert_eq!(response.status, 400, "{what}: {}; {HINT}", response.text());
    let problem = response.problem(400);
    assert_eq!(problem.reason, Reason::FieldsInvalid, "{what}: {problem:?}");
    assert!(problem.errors.contains_key(field), "{what}: {field} is not named in {:?}; {HINT}", problem.errors);
    assert!(problem.errors.values().flatten().all(|message| !message.is_empty()));
}

#[actix_web::test]
async fn a_body_that_is_not_a_json_object_is_malformed() {
    let (app, tokens) = start(Database::Sqlite).await;
    let before = app.db().content();
    let deep = "[".repeat(60_000);
    let deep_field = format!("{{\"email\":{}{}}}", "[".repeat(20_000), "]".repeat(20_000));
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("blank", b"  \n".into()),
        ("not JSON", b"email=ada".into()),
        ("cut off", b"{\"email\":\"a".into()),
        ("a trailing comma", b"{\"email\":\"a\",}".into()),
        ("single quotes", b"{'email':'a'}".into()),
        ("a comment", b"{/* */}".into()),
        ("two documents", b"{}{}".into()),
        ("a byte order mark", b"\xef\xbb\xbf{}".into()),
        ("NaN", b"{\"email\":NaN}".into()),
        ("null", b"null".into()),
        ("a text", b"\"email\"".into()),
        ("a number", b"1".into()),
        ("a list", b"[]".into()),
        ("a list of objects", b"[{\"email\":\"a\"}]".into()),
        ("deep nesting", deep.into()),
        ("deep nesting in a field", deep_field.into()),
        ("1e400", b"{\"email\":1e400}".into()),
        ("-1e400 in an unknown field", b"{\"x\":-1e400}".into()),
        ("invalid UTF-8", b"{\"email\":\"\xff\xfe\"}".into()),
        ("an overlong NUL", b"{\"email\":\"\xc0\x80\"}".into()),
        ("UTF-16", b"\xff\xfe{\x00}\x00".into()),
        ("a lone high surrogate", br#"{"email":"\ud800"}"#.into()),
        ("a lone low surrogate", br#"{"email":"\udc00x"}"#.into()),
        ("a raw NUL", b"{\"email\":\"a\x00b\"}".into()),
        ("a raw line break in a text", b"{\"email\":\"a\nb\"}".into()),
        ("an unknown escape", br#"{"email":"\q"}"#.into()),
    ];
    for endpoint in endpoints(&app).await {
        for (what, body) in &bodies {
            let response = send_bytes(&app, &tokens, &endpoint, body.clone()).await;
            let case = format!("{} {what}: {}", endpoint.name(), response.text());
            assert_eq!(response.status, 400, "{case}");
            assert_eq!(response.problem(400).reason, Reason::BodyMalformed, "{case}");
        }
    }
    assert_eq!(app.db().content(), before);
}

/// Compares the tables that `counts` selects.
#[track_caller]
fn assert_only_the_caller_has_changed(app: &TestApp, before: &[String], counts: impl Fn(&str) -> bool) {
    let changed = app.db().content().into_iter().filter(|line| !before.contains(line));
    let changed: Vec<_> = changed.filter(|line| line.split(':').next().is_some_and(&counts)).collect();
    assert!(changed.iter().all(|line| line.starts_with("auth_events") || line.contains(ADA)), "{changed:?}");
}

#[actix_web::test]
async fn a_field_of_a_wrong_type_is_named() {
    let (app, tokens) = start(Database::Sqlite).await;
    let before = app.db().content();
    for endpoint in endpoints(&app).await {
        for (field, described) in &endpoint.fields {
            let values =
                [json!(1), json!(-0.5), json!(true), json!(["a"]), json!({"a": "b"}), json!([[[]]]), json!("a")];
            for wrong in values.iter().filter(|value| !described.fits(value)) {
                let mut body = endpoint.filled("x");
                body.insert(field.clone(), wrong.clone());
                let response = send_json(&app, &tokens, &endpoint, body).await;
                assert_names(&response, field, &format!("{} {field} = {wrong}", endpoint.name()));
            }
        }
    }
    assert_only_the_caller_has_changed(&app, &before, |_| true);
}

#[actix_web::test]
async fn null_is_refused_where_there_must_be_a_value() {
    let (app, tokens) = start(Database::Sqlite).await;
    let before = app.db().content();
    for endpoint in endpoints(&app).await {
        for (field, described) in &endpoint.fields {
            let mut body = endpoint.filled("x");
            body.insert(field.clone(), Value::Null);
            let response = send_json(&app, &tokens, &endpoint, body).await;
            if described.is_nullable {
                let named = response.status == 400 && response.problem(400).errors.contains_key(field);
                assert!(
                    !named || endpoint.path.ends_with("/login/"),
                    "{} {field} = null: {}",
                    endpoint.name(),
                    response.text()
                );
            } else {
                assert_names(&response, field, &format!("{} {field} = null", endpoint.name()));
            }
        }
    }
    // Where null is allowed the request may succeed, and a feature then writes to its own tables.
    assert_only_the_caller_has_changed(&app, &before, is_own_table);
}

#[actix_web::test]
async fn the_message_for_a_wrong_type_says_what_the_field_takes() {
    let (app, tokens) = start(Database::Sqlite).await;
    let wrong = json!({
        "question": 1, "choices": ["yes", 2], "most": 256, "quorum": "half", "is_open": 1, "kind": "loud", "note": 5,
        "closing": {"after_days": 1.5, "farewell": "Bye"}, "colours": [],
        "opens_at": "noon", "request_id": "x",
    });
    let response = send(app.request_as(&tokens, Method::POST, "/api/fixture-polls/").json(&wrong)).await;
    let expected = json!({
        "question": ["Not a valid string."],
        "choices": ["Item 2: Not a valid string."],
        "most": ["Must be a whole number from 0 to 255."],
        "quorum": ["Must be a number."],
        "is_open": ["Must be true or false."],
        "kind": ["Must be one of secret, by_name."],
        "note": ["Not a valid string."],
        "closing": ["after_days: Must be a whole number."],
        "colours": ["Must be an object."],
        "opens_at": ["Must have the form of 00:00:00."],
        "request_id": ["Must be a formatted UUID string."],
    });
    assert_eq!(json!(response.problem(400).errors), expected);
}

#[actix_web::test]
async fn every_missing_field_is_named() {
    let (app, tokens) = start(Database::Sqlite).await;
    for endpoint in endpoints(&app).await.iter().filter(|endpoint| !endpoint.required.is_empty()) {
        let response = send_json(&app, &tokens, endpoint, json!({})).await;
        for field in &endpoint.required {
            assert_names(&response, field, &endpoint.name());
        }
        for field in &endpoint.required {
            let mut body = endpoint.filled("x");
            body.remove(field);
            assert_names(&send_json(&app, &tokens, endpoint, body).await, field, &endpoint.name());
        }
        // All at once: the first has a wrong type, and the others are missing.
        if let [first, others @ ..] = endpoint.required.as_slice() {
            let mut body = Map::new();
            body.insert(first.clone(), endpoint.fields[first].wrong());
            let response = send_json(&app, &tokens, endpoint, body).await;
            assert_names(&response, first, &endpoint.name());
            for field in others {
                assert_names(&response, field, &endpoint.name());
            }
        }
    }
}

#[actix_web::test]
async fn a_duplicate_field_is_named() {
    let (app, tokens) = start(Database::Sqlite).await;
    for endpoint in endpoints(&app).await {
        for (field, described) in &endpoint.fields {
            let whole = Value::from(endpoint.filled("x")).to_string();
            let body = format!("{},\"{field}\":{}}}", &whole[..whole.len() - 1], described.sample);
            let response = send_bytes(&app, &tokens, &endpoint, body).await;
            assert_names(&response, field, &format!("{} {field} twice", endpoint.name()));
        }
    }
}

/// The explanation must not grow with what was sent.
#[actix_web::test]
async fn at_most_sixteen_of_thousands_of_wrong_fields_are_named() {
    let (app, tokens) = start(Database::Sqlite).await;
    let many = |name: &str| {
        (0..4_000).flat_map(|number| [format!("\"{name}{number:x}"), "\":0,".to_owned()]).collect::<String>()
    };
    for endpoint in endpoints(&app).await.iter().filter(|endpoint| !endpoint.required.is_empty()) {
        let response = send_bytes(&app, &tokens, endpoint, format!("{{{}\"z\":0}}", many("\\u0000"))).await;
        assert_eq!(response.problem(400).errors.len(), 16, "{}", endpoint.name());
        let response = send_bytes(&app, &tokens, endpoint, format!("{{{}\"z\":0}}", many("x"))).await;
        let errors = response.problem(400).errors;
        assert!(errors.len() == 1 && errors.keys().all(|name| endpoint.required.contains(name)), "{errors:?}");
        // A field behind all of them is neither reported as missing nor ignored.
        let field = &endpoint.required[0];
        let (mut body, described) = (endpoint.filled("x"), &endpoint.fields[field]);
        body.insert(field.clone(), described.wrong());
        let wrong = Value::from(body).to_string();
        let response = send_bytes(&app, &tokens, endpoint, format!("{{{}{}", many("x"), &wrong[1..])).await;
        assert_names(&response, field, &endpoint.name());
        let twice = Value::from(endpoint.filled("x")).to_string();
        let twice = format!("{{{}{},\"{field}\":{}}}", many("x"), &twice[1..twice.len() - 1], described.sample);
        assert_names(&send_bytes(&app, &tokens, endpoint, twice).await, field, &endpoint.name());
    }
}

async fn a_nul_in_any_field_is_named_and_reaches_no_database(database: Database) {
    let (app, tokens) = start(database).await;
    let before = app.db().content();
    for endpoint in endpoints(&app).await {
        for field in endpoint.texts() {
            let mut body = endpoint.filled("fine-text@example.com");
            body.insert(field.clone(), json!("ada\0@example.com"));
            let response = send_json(&app, &tokens, &endpoint, body).await;
            assert_names(&response, field, &format!("{} {field} with NUL", endpoint.name()));
        }
        for unknown in [json!({"x": "\0"}), json!({"x": [{"y": "\0"}]}), json!({"x": {"\0": 1}}), json!({"\0": 1})] {
            let response = send_json(&app, &tokens, &endpoint, unknown.clone()).await;
            response.problem_of(400, Reason::FieldsInvalid);
        }
    }
    assert_eq!(app.db().content(), before);
}

async fn fields_are_refused_together_and_nothing_is_written(database: Database) {
    let (app, tokens) = start(database).await;
    let before = app.db().content();
    let bad = json!({
        "email": "not an address",
        "password": "short",
        "username": "with blank",
        "display_name": "two\nlines",
    });
    app.post("/api/auth/register/", &bad).await.invalid_fields(&["display_name", "email", "password", "username"]);
    let half_good = json!({"display_name": "Ada", "username": "with blank"});
    let patch = app.request_as(&tokens, Method::PATCH, "/api/auth/me/").json(&half_good);
    send(patch).await.invalid_fields(&["username"]);
    assert_eq!(app.db().content(), before);
}

#[actix_web::test]
async fn fields_that_are_too_long_are_named() {
    let app = TestApp::builder(Database::Sqlite).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    let before = app.db().content();
    let long = |count: usize| "ä".repeat(count);
    for (field, value) in [
        ("email", format!("{}@example.com", "a".repeat(65))),
        ("email", format!("a@{}com", "example.".repeat(40))),
        ("password", format!("{}{}", PASSWORD, long(PASSWORD_MAX_LENGTH))),
        ("password", String::new()),
        ("username", long(151)),
        ("username", "x".to_owned()),
        ("display_name", long(101)),
    ] {
        let mut body = json!({"email": "new@example.com", "password": PASSWORD});
        body[field] = json!(value);
        app.post("/api/auth/register/", &body).await.invalid_fields(&[field]);
    }
    for (field, value) in [("username", long(151)), ("display_name", long(101))] {
        let patch = app.request_as(&tokens, Method::PATCH, "/api/auth/me/").json(&json!({field: value}));
        send(patch).await.invalid_fields(&[field]);
    }
    app.sign_in(ADA, &long(PASSWORD_MAX_LENGTH + 1)).await.invalid_fields(&["password"]);
    app.sign_in("", "").await.invalid_fields(&["email", "password"]);
    assert_eq!(app.db().content(), before);
    // A name that is too long for any account is an unknown name.
    app.sign_in(&long(5000), PASSWORD).await.unauthorized(Reason::CredentialsWrong);
}

async fn line_breaks_are_refused_where_they_could_break_out(database: Database) {
    let (app, tokens) = start(database).await;
    let before = app.db().content();
    for (field, value) in [
        ("email", "new@example.com\r\nBcc: eve@example.com"),
        ("email", "new\r\n@example.com"),
        ("username", "ada\r\nSet-Cookie: a=b"),
        ("display_name", "Ada\r\n{\"level\":\"info\"}"),
        ("display_name", "Ada\u{85}x"),
    ] {
        let mut body = json!({"email": "new@example.com", "password": PASSWORD});
        body[field] = json!(value);
        app.post("/api/auth/register/", &body).await.invalid_fields(&[field]);
    }
    for token in [format!("{}\r\n", tokens.refresh), format!("\r\n{}", tokens.refresh)] {
        app.refresh(&token).await.unauthorized(Reason::TokenMalformed);
    }
    assert_eq!(app.db().content(), before);
    app.sign_in("ada@example.com\r\nx", PASSWORD).await.unauthorized(Reason::CredentialsWrong);
}

async fn sql_in_any_field_is_a_text_like_any_other(database: Database) {
    let (app, tokens) = start(database).await;
    for text in ["' OR 1=1--", "\";DROP TABLE users;--", "$1", "%", "ada@example.com' OR 'a'='a", "\\'; SELECT 1"] {
        app.sign_in(text, PASSWORD).await.unauthorized(Reason::CredentialsWrong);
        app.sign_in(ADA, text).await.unauthorized(Reason::CredentialsWrong);
        app.refresh(text).await.unauthorized(Reason::TokenMalformed);
        let patch = app.request_as(&tokens, Method::PATCH, "/api/auth/me/").json(&json!({"display_name": text}));
        assert_eq!(send(patch).await.json::<UserResponse>().display_name, text.trim());
        let key = app.request(Method::POST, "/api/auth/refresh/").header("Idempotency-Key", text);
        send(key.json(&json!({"refresh": "x"}))).await.unauthorized(Reason::TokenMalformed);
    }
    assert_eq!(app.db().number("SELECT count(*) FROM users"), 1);
}

async fn privileges_in_a_body_are_ignored(database: Database) {
    let (app, tokens) = start(database).await;
    let wishes = json!({
        "email": "eve@example.com", "password": PASSWORD, "role": "admin", "is_admin": true, "is_active": true,
        "id": 1, "email_verified": true, "email_verified_at": "2026-01-01T00:00:00Z", "password_hash": "x",
    });
    let eve = app.post("/api/auth/register/", &wishes).await.created();
    assert_eq!((eve.user.role.as_str(), eve.user.email_verified), ("user", false));
    assert_ne!(eve.user.id, tokens.user.id);
    assert_eq!(forge::claims(&eve.access)["role"], "user");
    let patch = app.request_as(&tokens, Method::PATCH, "/api/auth/me/").json(&wishes);
    assert_eq!(send(patch).await.json::<UserResponse>(), tokens.user);
}

#[actix_web::test]
async fn a_body_has_at_most_64_kib() {
    let (app, tokens) = start(Database::Sqlite).await;
    let of_size = |size: usize| format!("{{\"x\":\"{}\"}}", "x".repeat(size - 8)).into_bytes();
    for endpoint in endpoints(&app).await {
        let whole = send_bytes(&app, &tokens, &endpoint, of_size(BODY_MAX_BYTES)).await;
        assert_ne!(whole.status, 413, "{}", endpoint.name());
        let more = send_bytes(&app, &tokens, &endpoint, of_size(BODY_MAX_BYTES + 1)).await;
        more.problem_of(413, Reason::BodyTooLarge);
    }
    // The same without a `Content-Length`.
    let chunk = format!("{:x}\r\n{}\r\n", 16_384, "x".repeat(16_384));
    let head = "POST /api/auth/login/ HTTP/1.1\r\nHost: api\r\nConnection: close\r\nContent-Type: application/json\r\n\
                Transfer-Encoding: chunked\r\n\r\n";
    let request = format!("{head}{}0\r\n\r\n", chunk.repeat(5));
    raw::exchange(app.address(), request.as_bytes()).await.unwrap().problem_of(413, Reason::BodyTooLarge);
}

#[actix_web::test]
async fn a_body_must_say_that_it_is_json() {
    let (app, tokens) = start(Database::Sqlite).await;
    for endpoint in endpoints(&app).await {
        let request = || app.request_as(&tokens, endpoint.method.clone(), &endpoint.path).body("{}");
        send(request()).await.problem_of(415, Reason::ContentTypeUnsupported);
        for wrong in [
            "",
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "text/json",
            "application/jsonp",
            "application/json, text/plain",
            "application/ld+json",
            "json",
        ] {
            let response = send(request().header("Content-Type", wrong)).await;
            assert_eq!(response.status, 415, "{} {wrong:?}", endpoint.name());
            response.problem_of(415, Reason::ContentTypeUnsupported);
        }
        for right in ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "application/json;"] {
            let response = send(request().header("Content-Type", right)).await;
            assert_ne!(response.status, 415, "{} {right:?}", endpoint.name());
        }
    }
}

#[actix_web::test]
async fn a_compressed_body_is_refused() {
    let (app, tokens) = start(Database::Sqlite).await;
    for endpoint in endpoints(&app).await {
        let request = || app.request_as(&tokens, endpoint.method.clone(), &endpoint.path).json(&json!({}));
        for coding in ["gzip", "br", "zstd", "identity, gzip", "x"] {
            let response = send(request().header("Content-Encoding", coding)).await;
            assert_eq!(response.header("accept-encoding"), "identity", "{} {coding}", endpoint.name());
            response.problem_of(415, Reason::ContentTypeUnsupported);
        }
        let twice = request().header("Content-Encoding", "identity").header("Content-Encoding", "gzip");
        send(twice).await.problem_of(415, Reason::ContentTypeUnsupported);
        let response = send(request().header("Content-Encoding", "Identity")).await;
        assert_ne!(response.status, 415, "{}", endpoint.name());
    }
}
