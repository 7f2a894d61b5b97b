//! The log in production: what a line contains, and that no input breaks out of its line.

use crate::support::{Database, PASSWORD, Process, TestDb, TestResponse, create_user, eventually, forge, send};
use auth_types::responses::TokenResponse;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

const ADA: &str = "ada@example.com";

fn start() -> (TestDb, Process) {
    let db = TestDb::migrated(Database::Sqlite);
    create_user(&db, ADA);
    let process =
        Process::start_with(db.url(), &[("APP_ENV", "production"), ("BCRYPT_COST", "10"), ("RATE_LIMITS", "on")]);
    (db, process)
}

/// Sends a request and returns its line in the log.
async fn line_of(process: &Process, request: RequestBuilder) -> Value {
    line_of_response(process, &send(request).await, "http.request").await
}

/// The line named `name` about the request that got this response.
async fn line_of_response(process: &Process, response: &TestResponse, name: &str) -> Value {
    let id = response.header("x-request-id");
    let line = eventually(name, async || {
        process.log().into_iter().find(|line| line.contains(name) && line.contains(&format!("\"request_id\":\"{id}\"")))
    });
    serde_json::from_str(&line.await).unwrap()
}

#[actix_web::test]
async fn a_line_has_the_time_the_request_and_the_result() {
    let (_db, process) = start();
    let line = line_of(&process, process.request(Method::GET, "/api/auth/config/?a=b")).await;
    let at: chrono::DateTime<chrono::FixedOffset> = line["at"].as_str().unwrap().parse().unwrap();
    assert_eq!(at.offset().local_minus_utc(), 0, "times are UTC");
    assert_eq!((&line["method"], &line["status"]), (&"GET".into(), &200.into()), "{line}");
    assert_eq!(line["level"], "INFO");
    assert!(line["route"].as_str().unwrap().starts_with("/api/auth/config"), "{line}");
    assert_eq!(line["request_id"].as_str().unwrap().len(), 32);
    assert!(line["duration_ms"].is_number());
    assert!(!line.to_string().contains("a=b"), "a query is not logged: {line}");
}

/// The user and the session that the line names.
fn caller(line: &Value) -> (&Value, &Value) {
    (&line["user_id"], &line["session_id"])
}

#[actix_web::test]
async fn a_line_names_the_user_and_the_session_once_they_are_authenticated() {
    let (_db, process) = start();
    let login = process.request(Method::POST, "/api/auth/login/");
    let response = send(login.json(&json!({"email": ADA, "password": PASSWORD}))).await;
    let tokens: TokenResponse = response.json();
    let sid = forge::claims(&tokens.access)["sid"].clone();
    let (user, anonymous) = (json!(tokens.user.id), (&Value::Null, &Value::Null));
    assert_eq!(caller(&line_of_response(&process, &response, "http.request").await), (&user, &sid));

    let me = |token: &str| process.request(Method::GET, "/api/auth/me/").bearer_auth(token);
    let post = |path: &str, token: &str| process.request(Method::POST, path).json(&json!({"refresh": token}));
    for request in
        [me(&tokens.access), post("/api/auth/refresh/", &tokens.refresh), post("/api/auth/logout/", &tokens.refresh)]
    {
        let line = line_of(&process, request).await;
        assert_eq!((caller(&line), &line["status"]), ((&user, &sid), &json!(200)), "{line}");
    }
    let forged = format!("{}x", tokens.refresh);
    for request in [me("forged"), post("/api/auth/refresh/", &forged), post("/api/auth/logout/", &forged)] {
        assert_eq!(caller(&line_of(&process, request).await), anonymous);
    }
    // The names of the fields are documented.
    let line = line_of(&process, me("forged")).await;
    let mut fields: BTreeSet<_> = line.as_object().unwrap().keys().cloned().collect();
    fields.extend(["user_id".to_owned(), "session_id".to_owned()]);
    let document =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/logs.md")).unwrap();
    let documented = document.split("## Messages").next().unwrap().lines();
    let documented = documented.filter_map(|line| line.strip_prefix("| `")?.split('`').next().map(str::to_owned));
    assert_eq!(documented.collect::<BTreeSet<_>>(), fields);
}

#[actix_web::test]
async fn all_lines_of_a_request_have_its_id_and_its_caller() {
    let (_db, process) = start();
    let first = process.login(ADA).await;
    let mut newest = first.clone();
    for _ in 0..3 {
        newest = process.refresh(&newest, None).await.tokens();
    }
    // The leeway does not cover three generations.
    let reused = process.refresh(&first, None).await;
    let sid = &forge::claims(&first.access)["sid"];
    for name in ["refresh.revoked", "http.request"] {
        let line = line_of_response(&process, &reused, name).await;
        assert_eq!(caller(&line), (&json!(first.user.id), sid), "{line}");
    }
    // The words of docs/reference/logs.md.
    let revoked = line_of_response(&process, &reused, "refresh.revoked").await;
    assert!(revoked.to_string().contains(": Reuse"), "{revoked}");
}

/// A client that could choose the ids could make its requests look like another's.
#[actix_web::test]
async fn an_id_in_a_request_is_ignored() {
    let (_db, process) = start();
    let chosen = "0123456789abcdef0123456789abcdef";
    let response = send(process.request(Method::GET, "/healthz").header("X-Request-Id", chosen)).await;
    assert_ne!(response.header("x-request-id"), chosen);
    line_of_response(&process, &response, "http.request").await;
    assert!(process.log().iter().all(|line| !line.contains(chosen)));
}

#[actix_web::test]
async fn a_refusal_is_logged_with_its_status() {
    let (_db, process) = start();
    let me = || process.request(Method::GET, "/api/auth/me/");
    let login = process.request(Method::POST, "/api/auth/login/").header("Origin", "https://evil.com");
    for (request, status) in
        [(me(), 401), (me().bearer_auth("forged"), 401), (login, 403), (process.request(Method::GET, "/nowhere"), 404)]
    {
        assert_eq!(line_of(&process, request).await["status"], status);
    }
}

#[actix_web::test]
async fn a_failure_is_logged_with_its_cause_and_its_response_does_not_show_it() {
    let (db, process) = start();
    db.execute("DROP TABLE auth_events");
    let wrong = json!({"email": ADA, "password": "not the right one"});
    let response = send(process.request(Method::POST, "/api/auth/login/").json(&wrong)).await;
    response.has_status(503);
    assert!(!response.text().contains("auth_events"), "{}", response.text());
    let line = line_of_response(&process, &response, "no such table: auth_events").await;
    assert_eq!(line["level"], "ERROR");
}

#[actix_web::test]
async fn no_part_of_a_request_can_forge_a_line() {
    let (_db, process) = start();
    let forged = "%0d%0a%7B%22level%22%3A%22ERROR%22%2C%22message%22%3A%22forged%22%7D";
    for request in [
        process.request(Method::GET, &format!("/{forged}?{forged}")),
        process.request(Method::DELETE, &format!("/api/auth/sessions/{forged}/")).bearer_auth("forged"),
        process.request(Method::GET, "/healthz").header("User-Agent", "forged\tx{\"level\":\"ERROR\"}"),
        process
            .request(Method::POST, "/api/auth/login/")
            .header("Content-Type", "application/json")
            .body("{\"forged\n\":1}"),
    ] {
        line_of(&process, request).await;
    }
    for line in process.log() {
        assert!(!line.contains("forged"), "{line}");
        serde_json::from_str::<Value>(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
}
