//! More concurrent sign-ins than the hashing threads can serve.

use crate::support::{Database, PASSWORD, TestApp, eventually, hold_hashing, on_both_databases, queue_length};
use api::gate::GateMetrics;
use api::gate::{Busy, GateCapacity, Resource};
use api::service::pool::WorkPool;
use auth_types::Reason;
use futures_util::FutureExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

on_both_databases![
    requests_without_hashing_are_served_while_all_hashing_threads_are_busy,
    clients_that_disconnect_free_their_slots_in_the_queue,
    a_password_of_a_megabyte_is_refused_before_it_is_hashed,
];

const ADA: &str = "ada@example.com";

async fn start(database: Database) -> TestApp {
    TestApp::builder(database).user(ADA).start().await
}

async fn requests_without_hashing_are_served_while_all_hashing_threads_are_busy(database: Database) {
    let app = start(database).await;
    let tokens = app.login(ADA).await;
    let held = hold_hashing(&app, queue_length()).await;

    for _ in 0..20 {
        let refused = app.sign_in(ADA, PASSWORD).await;
        assert!(!refused.header("retry-after").is_empty());
        refused.problem_of(503, Reason::Unavailable);
        app.me(&tokens).await.done();
        app.get("/healthz").await.done();
    }
    app.refresh(&tokens).await.tokens();
    drop(held);
    app.login(ADA).await;
}

/// Sends a sign-in and does not wait for the response.
async fn send_sign_in(app: &TestApp) -> TcpStream {
    let body = serde_json::json!({"email": ADA, "password": PASSWORD}).to_string();
    let head = "POST /api/auth/login/ HTTP/1.1\r\nHost: api\r\nContent-Type: application/json\r\nContent-Length:";
    let mut stream = TcpStream::connect(app.address()).await.unwrap();
    stream.write_all(format!("{head} {}\r\n\r\n{body}", body.len()).as_bytes()).await.unwrap();
    stream
}

async fn clients_that_disconnect_free_their_slots_in_the_queue(database: Database) {
    let app = start(database).await;
    let held = hold_hashing(&app, 0).await;
    let mut waiting = Vec::new();
    for _ in 0..queue_length() {
        waiting.push(send_sign_in(&app).await);
    }
    let waits = || app.services().hashing.load().0;
    eventually("the queue is full", async || (waits() == queue_length()).then_some(())).await;

    drop(waiting);
    eventually("the queue is empty", async || (waits() == 0).then_some(())).await;
    let release = async {
        eventually("the next sign-in waits", async || (waits() == 1).then_some(())).await;
        drop(held);
    };
    let (response, ()) = tokio::join!(app.sign_in(ADA, PASSWORD), release);
    response.tokens();
    // No client that disconnected was signed in.
    assert_eq!(app.db().number("SELECT count(*) FROM sessions"), 1);
}

async fn a_password_of_a_megabyte_is_refused_before_it_is_hashed(database: Database) {
    let app = start(database).await;
    let _held = hold_hashing(&app, queue_length()).await;
    // Each would be a 503 if it got as far as the hashing queue.
    app.sign_in(ADA, &"x".repeat(1024 * 1024)).await.problem_of(413, Reason::BodyTooLarge);
    app.sign_in(ADA, &"x".repeat(60 * 1024)).await.invalid_fields(&["password"]);
    app.sign_in(ADA, &"x".repeat(257)).await.invalid_fields(&["password"]);
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events"), 0);
}

#[actix_web::test]
async fn a_job_whose_caller_was_dropped_is_not_run() {
    let pool = WorkPool::with_threads(Resource::Hashing, GateCapacity::of(1, 2), GateMetrics::default()).unwrap();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let (started, mut starts) = tokio::sync::mpsc::unbounded_channel();
    let mut first = Box::pin(pool.run(move || started.send(()).is_ok() && wait.recv().is_ok()));
    assert!((&mut first).now_or_never().is_none());
    starts.recv().await.unwrap();

    let run = Arc::new(AtomicU32::new(0));
    let job = || {
        let run = Arc::clone(&run);
        move || run.fetch_add(1, Ordering::SeqCst)
    };
    assert!(pool.run(job()).now_or_never().is_none()); // dropped at once
    assert!(pool.run(job()).now_or_never().is_none());
    let mut kept = Box::pin(pool.run(job()));
    assert!((&mut kept).now_or_never().is_none());

    go.send(()).unwrap();
    assert_eq!(first.await, Ok(true));
    assert_eq!(kept.await, Ok(0));
    assert_eq!(run.load(Ordering::SeqCst), 1);
}

#[actix_web::test]
async fn a_job_that_panics_does_not_end_its_thread() {
    let pool = WorkPool::with_threads(Resource::Hashing, GateCapacity::of(1, 4), GateMetrics::default()).unwrap();
    for _ in 0..3 {
        assert_eq!(pool.run(|| panic!("on purpose")).await, Err::<(), _>(Busy));
    }
    assert_eq!(pool.run(|| 7).await, Ok(7));
}
