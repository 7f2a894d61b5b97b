//! Refusals under load are delayed, so that floods slow down; other clients are not delayed.

use crate::support::{Database, PASSWORD, TestApp, TestResponse, hold_hashing, queue_length};
use auth_types::Reason;
use futures_util::FutureExt;
use futures_util::future::{Either, select};
use std::pin::pin;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";
/// Failed sign-ins of one name, after which the next is refused without a comparison.
const FAILURES: usize = 10;
/// Longer than any test waits.
const NEVER: Duration = Duration::from_hours(1);

/// An API at which one name has used up its failures.
async fn start(refusal: Duration, connections: usize) -> TestApp {
    let builder = TestApp::builder(Database::Sqlite).user(BOB).limited().connections(connections);
    let app = builder.timeouts(|timeouts| timeouts.rejection = refusal).start().await;
    for _ in 0..FAILURES {
        guess(&app).await.problem_of(401, Reason::CredentialsWrong);
    }
    app
}

async fn guess(app: &TestApp) -> TestResponse {
    app.sign_in(ADA, "not the password 17").await
}

#[actix_web::test]
async fn only_the_refused_client_waits() {
    let app = start(NEVER, 1024).await;
    let mut refused = pin!(guess(&app).fuse());
    for _ in 0..20 {
        let other = pin!(app.sign_in_from("198.51.100.7", BOB, PASSWORD));
        match select(&mut refused, other).await {
            Either::Left((response, _)) => panic!("{response:?}"),
            Either::Right((response, _)) => response.done(),
        }
    }
}

#[actix_web::test]
async fn the_refusal_of_a_full_queue_is_delayed_too() {
    let builder = TestApp::builder(Database::Sqlite).user(BOB).timeouts(|timeouts| timeouts.rejection = NEVER);
    let app = builder.start().await;
    let tokens = app.login(BOB).await;
    let _held = hold_hashing(&app, queue_length()).await;
    let mut refused = pin!(app.sign_in(BOB, PASSWORD).fuse());
    for _ in 0..20 {
        match select(&mut refused, pin!(app.me(&tokens))).await {
            Either::Left((response, _)) => panic!("{response:?}"),
            Either::Right((response, _)) => response.done(),
        }
    }
}

#[actix_web::test]
async fn while_connections_are_scarce_a_refusal_is_not_delayed() {
    const MAX: usize = 8;
    let app = start(NEVER, MAX).await;
    // Together with the guesser's connection, three quarters: beyond that, connections are closed to make room.
    let mut open = Vec::new();
    while (open.len() + 1) * 4 < MAX * 3 {
        let mut stream = TcpStream::connect(app.address()).await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: api\r\n\r\n").await.unwrap();
        // A connection counts once it is served.
        assert_ne!(stream.read(&mut [0; 1024]).await.unwrap(), 0);
        open.push(stream);
    }
    guess(&app).await.problem_of(429, Reason::RateLimited);
}
