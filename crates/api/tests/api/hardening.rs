//! Small promises of docs/reference/security.md that belong to no use case.

use crate::support::{Database, PASSWORD, TestApp, TestDb, forge, on_both_databases, send};
use api::clock::{Clock, SystemClock};
use auth_types::Reason;
use auth_types::requests::RegisterRequest;
use auth_types::responses::TokenResponse;
use chrono::Duration;
use reqwest::Method;
use serde_json::json;
use std::sync::Arc;

on_both_databases![
    a_new_database_has_no_accounts,
    the_id_of_a_user_is_never_assigned_twice,
    the_database_holds_no_token_and_no_password,
    the_operators_statements_end_every_session_of_a_user,
    the_operators_statements_after_a_failover_end_all_sessions_and_assign_no_id_twice,
    the_operators_statements_show_why_a_user_cannot_sign_in,
];

const ADA: &str = "ada@example.com";

fn request(email: &str, password: &str) -> RegisterRequest {
    RegisterRequest { email: email.to_owned(), password: password.to_owned(), ..RegisterRequest::default() }
}

async fn a_new_database_has_no_accounts(database: Database) {
    let db = Arc::new(TestDb::migrated(database));
    let app = TestApp::builder_on(Arc::clone(&db)).start().await;
    for (name, password) in [("admin", "admin"), ("root", "root"), ("admin@example.com", "admin"), ("demo", PASSWORD)] {
        app.sign_in(name, password).await.unauthorized(Reason::CredentialsWrong);
    }
    assert_eq!(db.number("SELECT count(*) FROM users"), 0);
}

/// A token of a deleted account must not become a token of the next one.
async fn the_id_of_a_user_is_never_assigned_twice(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    let deleted = app.login(ADA).await;
    app.db().execute("DELETE FROM users");
    let next = app.register(&request("eve@example.com", PASSWORD)).await.created();
    assert!(next.user.id.0 > deleted.user.id.0, "{} after {}", next.user.id.0, deleted.user.id.0);
    app.me(&deleted).await.unauthorized(Reason::SessionRevoked);
    app.refresh(&deleted).await.unauthorized(Reason::SessionRevoked);
    let again = app.register(&request(ADA, PASSWORD)).await.created();
    assert!(again.user.id.0 > next.user.id.0);
}

async fn the_database_holds_no_token_and_no_password(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    let mut secrets = vec![PASSWORD.to_owned(), "my own key".to_owned()];
    let mut keep = |tokens: &TokenResponse| {
        let signatures = [&tokens.access, &tokens.refresh].map(|token| token.rsplit('.').next().unwrap().to_owned());
        secrets.extend([tokens.access.clone(), tokens.refresh.clone()].into_iter().chain(signatures));
    };
    let first = app.login(ADA).await;
    let second = app.refresh_with_key(&first, "my own key").await.tokens();
    app.sign_in(ADA, "another violet harbor").await.unauthorized(Reason::CredentialsWrong);
    keep(&first);
    keep(&second);
    secrets.push("another violet harbor".to_owned());
    let content = app.db().content();
    // The `jti` that a token is derived from is stored; without the key it is of no use.
    let jti = forge::claims(&second.refresh)["jti"].as_str().unwrap().to_owned();
    assert!(content.iter().any(|line| line.contains(&jti)), "the sessions are not among the content");
    for secret in secrets {
        assert!(content.iter().all(|line| !line.contains(&secret)), "{secret} is stored");
    }
}

/// The statements that a section of a document gives to an operator, for one of the databases.
fn statements(database: Database, document: &str, section: &str) -> Vec<String> {
    let path = format!("{}/../../{document}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let section = text.split("\n## ").find(|text| text.starts_with(section)).unwrap();
    let name = match database {
        Database::Sqlite => "-- SQLite\n",
        Database::Postgres => "-- PostgreSQL\n",
    };
    let blocks = section.split("```sql\n").skip(1).filter_map(|block| block.strip_prefix(name));
    let statements: String = blocks.map(|block| block.split("```").next().unwrap()).collect();
    let statements = statements.replace("name@example.com", ADA);
    statements
        .split(';')
        .map(|statement| statement.trim().to_owned())
        .filter(|statement| !statement.is_empty())
        .collect()
}

async fn the_operators_statements_end_every_session_of_a_user(database: Database) {
    let app = TestApp::builder(database).user(ADA).user("eve@example.com").start().await;
    // The statements take the database's own time.
    app.clock().set(SystemClock.now());
    app.poll_revocations().await;
    let (ada, other, eve) = (app.login(ADA).await, app.login(ADA).await, app.login("eve@example.com").await);
    for statement in statements(database, "docs/reference/security.md", "Left to the operator") {
        app.db().execute(&statement);
    }
    app.poll_revocations().await;
    for tokens in [&ada, &other] {
        app.verify(&tokens.access).await.unauthorized(Reason::SessionRevoked);
        app.refresh(tokens).await.unauthorized(Reason::SessionRevoked);
    }
    app.sign_in(ADA, PASSWORD).await.unauthorized(Reason::CredentialsWrong);
    app.verify(&eve.access).await.done();
    app.refresh(&eve).await.tokens();
}

async fn the_operators_statements_after_a_failover_end_all_sessions_and_assign_no_id_twice(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    app.clock().set(SystemClock.now());
    app.poll_revocations().await;
    let tokens = app.login(ADA).await;
    for statement in statements(database, "docs/operations/runbook.md", "The database is an older copy") {
        app.db().execute(&statement);
    }
    app.poll_revocations().await;
    app.verify(&tokens.access).await.unauthorized(Reason::SessionRevoked);
    let next = app.register(&request("eve@example.com", PASSWORD)).await.created();
    let (last, next) = (tokens.user.id.0, next.user.id.0);
    assert!(next > last + 1_000_000, "{last}, {next}");
    // The events of signing up, too.
    let event = app.db().value("SELECT MAX(id) FROM auth_events").unwrap();
    assert!(event.parse::<i64>().unwrap() > 1_000_000, "{event}");
}

/// Every one of these sign-ins gets the same response.
async fn the_operators_statements_show_why_a_user_cannot_sign_in(database: Database) {
    const QUIET: &str = "quiet@example.com";
    const INACTIVE: &str = "inactive@example.com";
    const PENDING: &str = "pending@example.com";
    let app = TestApp::builder(database).set("EMAIL_VERIFICATION", "mandatory").user(ADA).user(QUIET).user(INACTIVE);
    let app = app.start().await;
    app.db().execute(&format!("UPDATE users SET is_active = false WHERE email = '{INACTIVE}'"));
    app.register(&request(PENDING, PASSWORD)).await.has_status(202);
    for (name, password) in
        [(ADA, "another violet harbor"), (INACTIVE, PASSWORD), (PENDING, PASSWORD), ("no@one.example", PASSWORD)]
    {
        app.sign_in(name, password).await.unauthorized(Reason::CredentialsWrong);
    }

    // The document has them once, for both databases.
    let statements = statements(Database::Postgres, "docs/operations/troubleshooting.md", "A user cannot sign in");
    let [user, pending, events] = statements.try_into().unwrap();
    let shown = |address: &str| {
        let rows = |statement: &String, condition: &str| {
            let rows = statement.replace(ADA, address);
            app.db().number(&format!("SELECT count(*) FROM ({rows}) AS shown WHERE {condition}"))
        };
        let users = [rows(&user, "is_active"), rows(&user, "NOT is_active")];
        (users, rows(&pending, "expires_at > created_at"), rows(&events, "kind = 'login_failed'"))
    };
    assert_eq!(shown(ADA), ([1, 0], 0, 1));
    assert_eq!(shown(QUIET), ([1, 0], 0, 0));
    assert_eq!(shown(INACTIVE), ([0, 1], 0, 1));
    assert_eq!(shown(PENDING), ([0, 0], 1, 0));
    assert_eq!(shown("no@one.example"), ([0, 0], 0, 0));
}

#[actix_web::test]
async fn a_password_made_of_the_products_name_is_refused() {
    let app = TestApp::builder(Database::Sqlite).start().await;
    for weak in ["latchkey", "Latchkey1", "LATCHKEY2026", "latchkey!", "L4tchkey", "latchkeylatchkey"] {
        let response = app.register(&request(ADA, weak)).await;
        assert_eq!(response.status, 400, "{weak} was accepted");
        response.invalid_fields(&["password"]);
    }
    // As one word among others it does no harm.
    app.register(&request(ADA, "a latchkey under violet lanterns")).await.created();
}

#[actix_web::test]
async fn an_old_password_still_signs_in() {
    let app = TestApp::builder(Database::Sqlite).user(ADA).start().await;
    app.clock().advance(Duration::days(400));
    app.login(ADA).await;
}

#[actix_web::test]
async fn every_response_of_the_api_names_its_type() {
    let app = TestApp::builder(Database::Sqlite).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    for (path, content_type) in [
        ("/healthz", "application/json"),
        ("/readyz", "application/json"),
        ("/api/auth/config/", "application/json"),
        ("/api/auth/me/", "application/json"),
        ("/api/auth/sessions/", "application/json"),
        ("/api/openapi.json", "application/json"),
        ("/api/docs/", "text/html; charset=utf-8"),
        ("/nowhere", "application/problem+json"),
        ("/api/auth/login/", "application/problem+json"),
    ] {
        let response = send(app.request_as(&tokens, Method::GET, path)).await;
        assert_eq!(response.header("content-type").to_ascii_lowercase(), content_type, "{path}");
        assert_eq!(response.header("x-content-type-options"), "nosniff", "{path}");
    }
    let response = app.post("/api/auth/logout/", &json!({"refresh": tokens.refresh})).await;
    assert_eq!(response.header("content-type"), "application/json");
}
