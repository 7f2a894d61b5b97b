//! Limits that several processes share through Redis, and what happens while it is unavailable.

use crate::support::{
    Database, OWN_ADDRESS, PASSWORD, Process, RedisServer, TestApp, TestDb, TestResponse, create_user, eventually, send,
};
use api::clock::Clock;
use api::service::ClientInfo;
use api::service::limits::Budget;
use auth_types::requests::LoginRequest;
use auth_types::{Reason, UserId};
use chrono::Duration;
use reqwest::Method;
use std::sync::Arc;

const ADA: &str = "ada@example.com";
const WRONG: &str = "violet harbor lantern 43";
const UNKNOWN_NETWORK: &str = "203.0.113.9";

/// Two processes on one database, one clock and one Redis.
async fn two_processes(redis_url: &str) -> (TestApp, TestApp) {
    let db = Arc::new(TestDb::migrated(Database::Sqlite));
    let builder =
        || TestApp::builder_on(Arc::clone(&db)).limited().set("REDIS_URL", redis_url).set("METRICS_TOKEN", "t");
    let a = builder().user(ADA).start().await;
    let b = builder().clock(a.clock()).start().await;
    (a, b)
}

async fn fail(app: &TestApp, times: u8) {
    for number in 0..times {
        app.sign_in_from(&format!("203.0.113.{number}"), ADA, WRONG).await.unauthorized(Reason::CredentialsWrong);
    }
}

async fn metric(app: &TestApp, name: &str) -> u64 {
    let text = send(app.request(Method::GET, "/metrics").bearer_auth("t")).await.text();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("latchkey_{name} ")));
    line.unwrap_or_else(|| panic!("{name} in {text}")).parse().unwrap()
}

#[actix_web::test]
async fn two_processes_share_their_counts() {
    let redis = RedisServer::start();
    let (a, b) = two_processes(&redis.url()).await;
    fail(&a, 5).await;
    // What one process refunds counts for the other as well.
    a.sign_in_from(UNKNOWN_NETWORK, ADA, PASSWORD).await.tokens();
    fail(&b, 5).await;
    a.clock().advance(Duration::minutes(1));
    for app in [&a, &b] {
        assert_eq!(app.sign_in_from("198.51.100.1", ADA, PASSWORD).await.throttled(), 840);
        assert_eq!(metric(app, "limits_redis_up").await, 1);
        assert_eq!(metric(app, "limits_fallbacks_total").await, 0);
    }
    b.sign_in_from(UNKNOWN_NETWORK, ADA, PASSWORD).await.tokens();
    a.clock().advance(Duration::minutes(14));
    a.sign_in_from("198.51.100.1", ADA, PASSWORD).await.tokens();
}

/// An export that runs at one process refuses another one of the account at every process, until it ends or its process
/// stops renewing it.
#[actix_web::test]
async fn one_export_of_an_account_runs_at_a_time_across_processes() {
    let redis = RedisServer::start();
    let (a, b) = two_processes(&redis.url()).await;
    a.db().add_events(Some(UserId(1)), a.clock().now(), 20_000);
    let tokens = a.login(ADA).await;
    let export = |app: &TestApp| app.request_as(&tokens, Method::GET, "/api/auth/me/export/").send();
    let mut first = export(&a).await.unwrap();
    assert_eq!(first.status(), 200);
    let second = TestResponse::of(export(&b).await.unwrap()).await;
    second.problem(429);
    let wait: u32 = second.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");

    while first.chunk().await.unwrap().is_some() {}
    assert_eq!(export(&b).await.unwrap().status(), 200);
}

/// An attempt that the shared budget refuses does not count in the process that asked.
#[actix_web::test]
async fn a_refused_attempt_costs_nothing_at_any_process() {
    let redis = RedisServer::start();
    let (a, b) = two_processes(&redis.url()).await;
    fail(&a, 10).await;
    a.clock().advance(Duration::minutes(5));
    for _ in 0..12 {
        b.sign_in_from("198.51.100.1", ADA, WRONG).await.throttled();
    }
    a.clock().advance(Duration::minutes(10));
    b.sign_in_from("198.51.100.1", ADA, PASSWORD).await.tokens();
}

#[actix_web::test]
async fn concurrent_guesses_at_two_processes_are_compared_only_up_to_the_budget() {
    let redis = RedisServer::start();
    let (a, b) = two_processes(&redis.url()).await;
    let addresses: Vec<_> = (0..40).map(|number| format!("203.0.113.{number}")).collect();
    let at = |number: usize| if number.is_multiple_of(2) { &a } else { &b };
    let guesses = addresses.iter().enumerate().map(|(number, address)| at(number).sign_in_from(address, ADA, WRONG));
    let responses = futures_util::future::join_all(guesses).await;
    assert_eq!(responses.iter().filter(|response| response.status == 401).count(), 10);
    assert_eq!(responses.iter().filter(|response| response.status == 429).count(), 30);
}

#[actix_web::test]
async fn a_large_budget_is_shared_as_well() {
    let redis = RedisServer::start();
    let (a, b) = two_processes(&redis.url()).await;
    let address: std::net::IpAddr = OWN_ADDRESS.parse().unwrap();
    let client = || api::service::ClientInfo { network: Some(address.into()), ..Default::default() };
    let tokens = a.login(ADA).await;
    for _ in 0..Budget::RequestsClient.rule().quota / 2 {
        for app in [&a, &b] {
            // The sign-in was one of them already, so the last one is refused.
            let _ = app.services().limits.charges(&client()).charge_client(Budget::RequestsClient).await;
        }
    }
    a.verify(&tokens.access).await.throttled();
    b.refresh(&tokens).await.throttled();
    a.clock().advance(Duration::seconds(62));
    b.refresh(&tokens).await.tokens();
}

/// With Redis and without: the wait is the true one, and the same.
#[actix_web::test]
async fn a_budget_spent_by_a_clock_that_was_ahead_is_free_a_window_after_it_is_right() {
    let redis = RedisServer::start();
    for budget in [Budget::FailedSignInUnknownNetwork, Budget::RequestsUnauthenticated] {
        let (a, b) = two_processes(&redis.url()).await;
        let alone = TestApp::builder(Database::Sqlite).limited().clock(a.clock()).start().await;
        let take =
            async |app: &TestApp| app.services().limits.charges(&ClientInfo::default()).charge(budget, ADA).await;
        let window = budget.rule().window;
        let ahead = window - Duration::seconds(30);
        a.clock().advance(ahead);
        for _ in 0..budget.rule().quota {
            for app in [&a, &alone] {
                take(app).await.unwrap();
            }
        }
        a.clock().advance(-ahead);
        // The first one has counted nothing of it itself.
        let waits = [take(&b).await, take(&a).await, take(&alone).await];
        let wait = i64::from(waits[0].unwrap_err().retry_after_seconds);
        assert_eq!(waits, [waits[0]; 3]);
        assert!((window.num_seconds()..=window.num_seconds() * 61 / 60).contains(&wait), "{wait}");
        a.clock().advance(Duration::seconds(wait - 1));
        for app in [&b, &a, &alone] {
            assert_eq!(take(app).await.unwrap_err().retry_after_seconds, 1);
        }
        a.clock().advance(Duration::seconds(1));
        for app in [&b, &alone] {
            take(app).await.unwrap();
        }
    }
}

#[actix_web::test]
async fn without_redis_each_process_limits_by_itself_and_shares_again_when_redis_is_back() {
    let mut redis = RedisServer::start();
    let (a, b) = two_processes(&redis.url()).await;
    fail(&a, 10).await;
    b.sign_in_from(UNKNOWN_NETWORK, ADA, PASSWORD).await.throttled();

    redis.stop();
    a.sign_in_from(UNKNOWN_NETWORK, ADA, PASSWORD).await.throttled();
    fail(&b, 10).await; // its own ten: it knows of no others
    b.sign_in_from(UNKNOWN_NETWORK, ADA, PASSWORD).await.throttled();
    assert_eq!(metric(&b, "limits_redis_up").await, 0);
    assert!(metric(&b, "limits_fallbacks_total").await >= 10);
    assert!(!b.services().connect_to_redis().await);

    redis.start_again();
    a.clock().advance(Duration::minutes(15));
    for app in [&a, &b] {
        assert!(app.services().connect_to_redis().await);
    }
    fail(&b, 10).await;
    a.sign_in_from(UNKNOWN_NETWORK, ADA, PASSWORD).await.throttled();
    assert_eq!(metric(&a, "limits_redis_up").await, 1);
}

/// Redis has lost everything; a process still knows the attempts that it has counted itself.
#[actix_web::test]
async fn a_redis_that_comes_back_empty_does_not_reset_the_limits() {
    let mut redis = RedisServer::start();
    let (a, _b) = two_processes(&redis.url()).await;
    fail(&a, 10).await;
    redis.stop();
    redis.start_again();
    a.sign_in_from(UNKNOWN_NETWORK, ADA, PASSWORD).await.throttled();
    assert!(a.services().connect_to_redis().await);
    a.sign_in_from(UNKNOWN_NETWORK, ADA, PASSWORD).await.throttled();
}

#[actix_web::test]
async fn a_redis_that_does_not_respond_delays_no_request() {
    let redis = RedisServer::start();
    let (a, _b) = two_processes(&redis.url()).await;
    redis.freeze();
    fail(&a, 10).await;
    a.sign_in_from(UNKNOWN_NETWORK, ADA, PASSWORD).await.throttled();
    assert_eq!(metric(&a, "limits_redis_up").await, 0);
}

#[actix_web::test]
async fn entries_in_redis_name_no_one_and_expire() {
    let redis = RedisServer::start();
    let (a, _b) = two_processes(&redis.url()).await;
    a.sign_in_from(UNKNOWN_NETWORK, ADA, WRONG).await.unauthorized(Reason::CredentialsWrong);
    let keys = redis.command("KEYS *");
    let keys: Vec<_> = keys.lines().filter(|line| line.starts_with("latchkey:")).collect();
    assert_eq!(keys.len(), 5, "{keys:?}: client three times, name, and name for the day");
    let forever = keys.iter().filter(|key| redis.command(&format!("PTTL {key}")).starts_with(":-"));
    assert_eq!(forever.count(), 0);
    let content: String = keys.iter().map(|key| redis.command(&format!("HGETALL {key}"))).collect();
    for private in ["ada", "example", UNKNOWN_NETWORK] {
        assert!(
            !keys.iter().any(|key| key.contains(private)) && !content.contains(private),
            "{private}: {keys:?} {content}"
        );
    }
    a.sign_in_from("203.0.113.10", ADA, PASSWORD).await.tokens();
    let left = redis.command("KEYS *");
    assert_eq!(left.matches("latchkey:").count(), 9, "a refund leaves no entry: {left}");
}

/// Neither a Redis without TLS nor one that refuses connections keeps the API from serving.
#[actix_web::test]
async fn an_api_without_its_redis_starts_and_limits() {
    let redis = RedisServer::start();
    let tls = redis.url().replace("redis://", "rediss://");
    for url in [tls.as_str(), "redis://127.0.0.1:1"] {
        let app = TestApp::builder(Database::Sqlite).user(ADA).limited().set("REDIS_URL", url).start().await;
        fail(&app, 10).await;
        app.sign_in_from(UNKNOWN_NETWORK, ADA, WRONG).await.throttled();
    }
}

/// The real program: one line when Redis fails and one when it is back, and it reconnects by itself.
#[actix_web::test]
async fn an_outage_is_one_line_in_the_log_and_its_end_another() {
    let mut redis = RedisServer::start();
    let db = TestDb::migrated(Database::Sqlite);
    create_user(&db, ADA);
    let process = Process::start_with(db.url(), &[("RATE_LIMITS", "on"), ("REDIS_URL", &redis.url())]);
    let count_of = |part: &str| process.log().iter().filter(|line| line.contains(part)).count();
    eventually("Redis is used", async || (count_of("limits.redis: connected") == 1).then_some(())).await;
    redis.stop();
    // A listener on Redis's port sees that the program tries to connect.
    let stand_in = tokio::net::TcpListener::bind(redis.address()).await.unwrap();
    let request = LoginRequest { email: Some(ADA.to_owned()), username: None, password: WRONG.to_owned() };
    let guess = || send(process.request(Method::POST, "/api/auth/login/").json(&request));
    for response in futures_util::future::join_all([guess(), guess(), guess(), guess()]).await {
        response.unauthorized(Reason::CredentialsWrong);
    }
    drop(stand_in.accept().await.unwrap());
    drop(stand_in);
    redis.start_again();
    eventually("Redis is used again", async || (count_of("limits.redis: connected") == 2).then_some(())).await;
    assert_eq!(count_of("limits.redis: not available"), 1);
}
