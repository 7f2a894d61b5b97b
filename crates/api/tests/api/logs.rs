//! The log of production: what a line says, and that nothing breaks out of it.

use crate::support::{Database, Process, TestDb, create_user, eventually, send};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

const ADA: &str = "ada@example.com";

fn start() -> (TestDb, Process) {
    let db = TestDb::migrated(Database::Sqlite);
    create_user(&db, ADA);
    let process =
        Process::start_with(db.url(), &[("APP_ENV", "production"), ("BCRYPT_COST", "10"), ("RATE_LIMITS", "on")]);
    (db, process)
}

/// Sends a request and answers the line that the log has of it.
async fn line_of(process: &Process, request: RequestBuilder) -> Value {
    let id = send(request).await.header("x-request-id").to_owned();
    let line = eventually("the request is logged", async || {
        process.log().into_iter().find(|line| line.contains("http.request") && line.contains(&id))
    });
    serde_json::from_str(&line.await).unwrap()
}

#[actix_web::test]
async fn a_line_says_when_what_and_how_it_ended() {
    let (_db, process) = start();
    let line = line_of(&process, process.request(Method::GET, "/api/auth/config/?a=b")).await;
    let at: chrono::DateTime<chrono::FixedOffset> = line["at"].as_str().unwrap().parse().unwrap();
    assert_eq!(at.offset().local_minus_utc(), 0, "times are UTC");
    assert_eq!((&line["method"], &line["status"]), (&"GET".into(), &200.into()), "{line}");
    assert_eq!(line["level"], "INFO");
    assert!(line["route"].as_str().unwrap().starts_with("/api/auth/config"), "{line}");
    assert_eq!(line["request_id"].as_str().unwrap().len(), 32);
    assert!(line["duration_ms"].is_number());
    assert!(!line.to_string().contains("a=b"), "a query is nobody's business: {line}");
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
async fn a_failure_is_logged_with_its_cause_and_told_without_it() {
    let (db, process) = start();
    db.execute("DROP TABLE auth_events");
    let wrong = json!({"email": ADA, "password": "not the right one"});
    let answer = send(process.request(Method::POST, "/api/auth/login/").json(&wrong)).await;
    answer.has_status(503);
    assert!(!answer.text().contains("auth_events"), "{}", answer.text());
    let line = eventually("the cause is logged", async || {
        process.log().into_iter().find(|line| line.contains("no such table: auth_events"))
    });
    let line: Value = serde_json::from_str(&line.await).unwrap();
    assert_eq!(line["level"], "ERROR");
}

#[actix_web::test]
async fn nothing_in_a_request_makes_a_line_of_its_own() {
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
