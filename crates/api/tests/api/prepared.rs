//! The statements of the requests that come most often are prepared once for each connection, not parsed and planned each time.

use crate::support::observed::Observed;
use crate::support::{Database, PASSWORD, TestDb, on_both_databases, send};
use auth_types::responses::TokenResponse;
use reqwest::Method;
use serde_json::json;
use std::collections::BTreeSet;

on_both_databases![the_statements_of_frequent_requests_stay_prepared];

/// How a transaction begins and ends on PostgreSQL. On SQLite it belongs to no request.
const CONTROL: [&str; 3] = ["BEGIN", "SELECT 1; COMMIT", "ROLLBACK"];

/// The texts after `event` in the log.
fn logged(log: &[String], event: &str) -> BTreeSet<String> {
    log.iter().filter_map(|line| line.split_once(event)).map(|(_, text)| text.to_owned()).collect()
}

async fn the_statements_of_frequent_requests_stay_prepared(database: Database) {
    let db = TestDb::migrated(database);
    let api = Observed::start(&db, &[]).await.process;
    let account = json!({"email": "ada@example.com", "password": PASSWORD});
    let tokens = async |path: &str, body| {
        let response = send(api.request(Method::POST, path).json(&body)).await;
        response.json::<TokenResponse>()
    };
    tokens("/api/auth/register/", account.clone()).await;
    let first = tokens("/api/auth/login/", account.clone()).await;
    let second = tokens("/api/auth/login/", account).await;
    let second = tokens("/api/auth/refresh/", json!({"refresh": second.refresh})).await;
    for path in ["/api/auth/me/", "/api/auth/sessions/", "/api/auth/events/"] {
        send(api.request(Method::GET, path).bearer_auth(&first.access)).await.has_status(200);
    }
    let logout = api.request(Method::POST, "/api/auth/logout/").json(&json!({"refresh": second.refresh}));
    send(logout).await.done();

    let log = api.whole_log().await;
    let mut unprepared = logged(&log, "store.statement: ");
    unprepared.retain(|text| !CONTROL.iter().any(|control| text.starts_with(control)));
    for text in logged(&log, "store.prepared: ") {
        unprepared.remove(&text);
    }
    assert!(unprepared.is_empty(), "{unprepared:#?}");
}
