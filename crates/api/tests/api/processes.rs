//! The real program: several processes on one database, killed at the worst moments.

use crate::support::{Database, Process, Proxy, TestDb, create_user, eventually, forge, on_both_databases, send};
use auth_types::Reason;
use auth_types::requests::RefreshRequest;
use auth_types::responses::TokenResponse;
use reqwest::Method;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

on_both_databases![
    a_session_revoked_at_one_process_is_refused_by_the_other,
    a_refresh_at_one_process_is_repeated_by_the_other,
    one_hundred_refreshes_at_two_processes_give_one_successor,
    one_hundred_refreshes_at_two_processes_without_a_key_give_one_successor,
    a_process_started_after_a_revocation_refuses_from_its_first_request,
    a_client_that_disconnected_gets_its_response_with_the_key,
    a_process_killed_after_the_commit_loses_only_the_response,
    sigterm_finishes_requests_in_flight_and_exits_cleanly,
    two_processes_can_migrate_one_empty_database_at_once,
];

const ADA: &str = "ada@example.com";
const KEY: &str = "attempt-1";

/// A database with one user.
fn database_with_ada(database: Database) -> Arc<TestDb> {
    let db = Arc::new(TestDb::migrated(database));
    create_user(&db, ADA);
    db
}

async fn a_session_revoked_at_one_process_is_refused_by_the_other(database: Database) {
    let db = database_with_ada(database);
    let (a, b) = (Process::start(db.url()), Process::start(db.url()));
    let tokens = a.login(ADA).await;
    b.me(&tokens).await.done();
    a.logout(&tokens).await.done();

    a.me(&tokens).await.unauthorized(Reason::SessionRevoked);
    b.refresh(&tokens, None).await.unauthorized(Reason::SessionRevoked);
    // `verify` uses no database, so its refusal comes from the feed.
    let verify =
        || send(b.request(Method::POST, "/api/auth/verify/").json(&serde_json::json!({"token": tokens.access})));
    let refused = eventually("the feed brings the revocation", async || {
        Some(verify().await).filter(|response| !response.status.is_success())
    });
    refused.await.unauthorized(Reason::SessionRevoked);
}

async fn a_refresh_at_one_process_is_repeated_by_the_other(database: Database) {
    let db = database_with_ada(database);
    let (a, b) = (Process::start(db.url()), Process::start(db.url()));
    let first = a.login(ADA).await;
    let second = a.refresh(&first, Some(KEY)).await.tokens();

    assert_eq!(b.refresh(&first, Some(KEY)).await.tokens().refresh, second.refresh);
    let third = b.refresh(&second, None).await.tokens();
    a.me(&third).await.done();
}

async fn one_hundred_refreshes_at_two_processes_give_one_successor(database: Database) {
    one_hundred_refreshes(database, Some(KEY)).await;
}

/// With the machine's own clock: a request whose time was read before the rotation's is within the leeway, too.
async fn one_hundred_refreshes_at_two_processes_without_a_key_give_one_successor(database: Database) {
    one_hundred_refreshes(database, None).await;
}

async fn one_hundred_refreshes(database: Database, key: Option<&str>) {
    let db = database_with_ada(database);
    let long = [("REFRESH_LEEWAY", "300")];
    let (a, b) = (Process::start_with(db.url(), &long), Process::start_with(db.url(), &long));
    let first = a.login(ADA).await;
    let attempts = (0..100).map(|number| if number % 2 == 0 { &a } else { &b }.refresh(&first, key));
    let responses = futures_util::future::join_all(attempts).await;

    let tokens: Vec<_> = responses.into_iter().map(|response| response.tokens().refresh).collect();
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(db.number("SELECT generation FROM sessions"), 2);
}

async fn a_process_started_after_a_revocation_refuses_from_its_first_request(database: Database) {
    let db = database_with_ada(database);
    let a = Process::start(db.url());
    let tokens = a.login(ADA).await;
    a.logout(&tokens).await.done();
    a.kill();

    let b = Process::start(db.url());
    let verify = b.request(Method::POST, "/api/auth/verify/").json(&serde_json::json!({"token": tokens.access}));
    send(verify).await.unauthorized(Reason::SessionRevoked);
}

/// Sends a refresh and does not wait for the response.
async fn send_refresh(process: &Process, tokens: &TokenResponse) -> TcpStream {
    let body = serde_json::to_string(&RefreshRequest { refresh: tokens.refresh.clone() }).unwrap();
    let request = format!(
        "POST /api/auth/refresh/ HTTP/1.1\r\nHost: api\r\nContent-Type: application/json\r\nIdempotency-Key: {KEY}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(process.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

async fn wait_for_rotation(db: &TestDb) {
    let sql = "SELECT generation FROM sessions";
    eventually("the rotation is committed", async || (db.number(sql) == 2).then_some(())).await;
}

async fn a_client_that_disconnected_gets_its_response_with_the_key(database: Database) {
    let db = database_with_ada(database);
    let api = Process::start_with(db.url(), &[("REFRESH_LEEWAY", "0")]);
    let first = api.login(ADA).await;
    drop(send_refresh(&api, &first).await);
    // The client cannot know whether the refresh succeeded before the connection broke, and need not.
    let second = api.refresh(&first, Some(KEY)).await.tokens();

    assert_eq!(db.number("SELECT generation FROM sessions"), 2);
    api.refresh(&second, None).await.tokens();
}

async fn a_process_killed_after_the_commit_loses_only_the_response(database: Database) {
    let db = database_with_ada(database);
    let strict = [("REFRESH_LEEWAY", "0")];
    let api = Process::start_with(db.url(), &strict);
    let first = api.login(ADA).await;
    let unread_response = send_refresh(&api, &first).await;
    wait_for_rotation(&db).await;
    api.kill();
    drop(unread_response);

    let api = Process::start_with(db.url(), &strict);
    let second = api.refresh(&first, Some(KEY)).await.tokens();
    assert_eq!(forge::claims(&second.refresh)["gen"], 2);
    assert_eq!(forge::claims(&second.refresh)["jti"], db.value("SELECT jti FROM sessions").unwrap());
    api.me(&second).await.done();
    api.refresh(&second, None).await.tokens();
}

#[actix_web::test]
async fn a_process_killed_before_it_learns_of_its_commit_loses_only_the_response() {
    let db = database_with_ada(Database::Postgres);
    let proxy = Proxy::before(db.server_address());
    let strict = [("REFRESH_LEEWAY", "0")];
    let api = Process::start_with(&db.url_through(proxy.address()), &strict);
    let first = api.login(ADA).await;
    proxy.drop_responses_to("UPDATE \"sessions\"");
    let unread_response = send_refresh(&api, &first).await;
    wait_for_rotation(&db).await;
    api.kill();
    drop(unread_response);

    let api = Process::start_with(db.url(), &strict);
    let second = api.refresh(&first, Some(KEY)).await.tokens();
    assert_eq!(forge::claims(&second.refresh)["jti"], db.value("SELECT jti FROM sessions").unwrap());
    api.refresh(&second, None).await.tokens();
}

async fn sigterm_finishes_requests_in_flight_and_exits_cleanly(database: Database) {
    let db = database_with_ada(database);
    // Expensive hashing, so that the sign-ins are in flight for a while.
    let mut api = Process::start_with(db.url(), &[("BCRYPT_COST", "10")]);
    let tokens = api.login(ADA).await;
    let before = db.number("SELECT count(*) FROM auth_events WHERE kind = 'login_failed'");
    let attempts = futures_util::future::join_all((0..8).map(|_| async {
        let wrong = serde_json::json!({"email": ADA, "password": "not the right one"});
        let response = send(api.request(Method::POST, "/api/auth/login/").json(&wrong)).await;
        response.unauthorized(Reason::CredentialsWrong);
    }));
    // The first response shows that the others have arrived; then the signal is sent.
    let in_flight = async {
        eventually("a sign-in has been recorded", async || {
            let now = db.number("SELECT count(*) FROM auth_events WHERE kind = 'login_failed'");
            (now > before).then_some(())
        })
        .await;
        api.terminate();
    };
    tokio::join!(attempts, in_flight);

    assert!(api.exit_status().await.success());
    assert_eq!(db.number("SELECT count(*) FROM auth_events WHERE kind = 'login_failed'"), before + 8);
    let api = Process::start(db.url());
    api.refresh(&tokens, None).await.tokens();
}

async fn two_processes_can_migrate_one_empty_database_at_once(database: Database) {
    let db = TestDb::empty(database);
    let start = || {
        let url = db.url().to_owned();
        tokio::task::spawn_blocking(move || Process::start(&url))
    };
    let (a, b) = tokio::join!(start(), start());
    for process in [a.unwrap(), b.unwrap()] {
        send(process.request(Method::GET, "/readyz")).await.done();
    }
    assert_eq!(db.tables(), TestDb::of_the_program(database).tables());
}
