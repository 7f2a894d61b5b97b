//! Each caller's share of common resources: request budgets, turns in queues, connections, memory.

use crate::support::pictures::{photo, png};
use crate::support::{
    Database, PASSWORD, TestApp, TestResponse, bounds, eventually, hold, hold_hashing, on_both_databases, queue_length,
    send,
};
use api::gate::{Requester, RequesterId, Resource, on_behalf_of};
use api::http::RequestBudgets;
use api::service::ClientInfo;
use api::service::limits::{Budget, Network};
use auth_types::Reason;
use auth_types::requests::RegisterRequest;
use auth_types::responses::TokenResponse;
use chrono::Duration;
use futures_util::StreamExt;
use reqwest::Method;
use std::net::{IpAddr, Ipv4Addr};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// Connections in the pool of a test's program, and callers that may wait for each of them.
const POOL_SIZE: u32 = 4;
const WAITING_PER_CONNECTION: u32 = 64;

on_both_databases![
    a_client_without_a_token_has_six_hundred_requests_on_every_route_that_touches_the_database,
    a_session_has_six_hundred_requests_and_its_client_many_more,
    a_new_password_is_checked_in_the_hashing_pool_only,
    an_owner_signs_in_while_one_machine_fills_the_hashing_queue,
    an_owner_refreshes_while_anonymous_clients_wait_for_all_connections,
    a_logout_of_an_ended_session_writes_nothing,
    a_password_can_be_changed_ten_times_an_hour,
];

const ADA: &str = "ada@example.com";
const HOME: &str = "198.51.100.1";
const ANONYMOUS: &str = "203.0.113.9";
/// Estimating the strength of the whole password would take a second.
const COSTLY_PASSWORD: &str =
    "[626(719(3871<9<++&4{4+05&|($9&!<!4!!&<[4|196&&269$1@1<@0|8(<1$7![9$48&%%[6@$53(8|+@%({+$!||181&8<|+";

async fn start(database: Database) -> TestApp {
    TestApp::builder(database).user(ADA).limited().start().await
}

/// Spends one address's budget.
async fn spend(app: &TestApp, budget: Budget, address: &str) {
    let network = Some(Network::from(address.parse::<IpAddr>().unwrap()));
    let client = ClientInfo { network, ..ClientInfo::default() };
    while app.services().limits.charges(&client).charge_client(budget).await.is_ok() {}
}

/// A request for a route of the table, from an address.
async fn request_route(app: &TestApp, route: &str, address: &str) -> TestResponse {
    let (method, path) = route.split_once(' ').unwrap();
    let path = path.replace("{id}", "x").replace("{key}", "x");
    send(app.request(method.parse().unwrap(), &path).header("X-Forwarded-For", address)).await
}

async fn a_client_without_a_token_has_six_hundred_requests_on_every_route_that_touches_the_database(
    database: Database,
) {
    let app = start(database).await;
    spend(&app, Budget::RequestsUnauthenticated, ANONYMOUS).await;
    for (route, bounds) in bounds() {
        let refused = request_route(&app, &route, ANONYMOUS).await.status == 429;
        assert_eq!(refused, bounds.requests == RequestBudgets::Caller, "{route}");
        assert_ne!(request_route(&app, &route, HOME).await.status, 429, "{route} from another address");
    }
    spend(&app, Budget::RequestsClient, ANONYMOUS).await;
    for (route, bounds) in bounds() {
        let refused = request_route(&app, &route, ANONYMOUS).await.status == 429;
        assert_eq!(refused, bounds.requests != RequestBudgets::Uncounted, "{route}");
    }
}

async fn a_session_has_six_hundred_requests_and_its_client_many_more(database: Database) {
    let app = start(database).await;
    let (tokens, other) = (app.login(ADA).await, app.login(ADA).await);
    let mut last = app.me(&tokens).await;
    for _ in 1..600 {
        last = app.me(&tokens).await;
        last.has_status(200);
    }
    assert!(last.header("ratelimit").contains(r#""requests-session";r=0"#), "{}", last.header("ratelimit"));
    app.me(&tokens).await.throttled();
    app.logout(&tokens.refresh).await.throttled();
    app.me(&other).await.done();
    app.clock().advance(Duration::seconds(61));
    app.me(&tokens).await.done();
}

async fn sign_up(app: &TestApp, email: &str, password: &str) -> TestResponse {
    let request = RegisterRequest { email: email.into(), password: password.into(), ..Default::default() };
    send(app.request(Method::POST, "/api/auth/register/").header("X-Forwarded-For", ANONYMOUS).json(&request)).await
}

/// While the pool is full, requests that need it are refused: a request that is served did not use it.
async fn a_new_password_is_checked_in_the_hashing_pool_only(database: Database) {
    let app = start(database).await;
    let tokens = app.login(ADA).await;
    let held = hold_hashing(&app, queue_length()).await;
    sign_up(&app, "eve@example.com", "short").await.invalid_fields(&["password"]);
    sign_up(&app, "eve@example.com", COSTLY_PASSWORD).await.problem_of(503, Reason::Unavailable);
    sign_up(&app, "no address", COSTLY_PASSWORD).await.problem_of(503, Reason::Unavailable);
    let change = serde_json::json!({"current_password": PASSWORD, "new_password": COSTLY_PASSWORD});
    let change = app.request_as(&tokens, Method::POST, "/api/auth/password/change/").json(&change);
    send(change).await.problem_of(503, Reason::Unavailable);
    drop(held);
    sign_up(&app, "no address", "password1").await.invalid_fields(&["email", "password"]);
    // A request that found the pool full costs no budget.
    for _ in 2..20 {
        sign_up(&app, "eve@example.com", "password1").await.invalid_fields(&["password"]);
    }
    sign_up(&app, "eve@example.com", PASSWORD).await.throttled();
}

async fn an_owner_signs_in_while_one_machine_fills_the_hashing_queue(database: Database) {
    let app = start(database).await;
    app.sign_in_from(HOME, ADA, PASSWORD).await.tokens();
    let held = hold_hashing(&app, 0).await;
    let flood = (0..queue_length()).map(|number| {
        let (app, name) = (&app, format!("user{number}@example.com"));
        async move { app.sign_in_from(ANONYMOUS, &name, "not the right one").await.status.as_u16() }
    });
    let waits = || app.services().hashing.load().0;
    let owner = async {
        eventually("the queue is full", async || (waits() == queue_length()).then_some(())).await;
        let owner = app.sign_in_from(HOME, ADA, PASSWORD);
        let newcomer = app.sign_in_from("192.0.2.7", "eve@example.com", "not the right one");
        let release = async {
            let refused = || app.counter("hashing_refused") == 2;
            eventually("two of the flood were refused", async || refused().then_some(())).await;
            drop(held);
        };
        tokio::join!(owner, newcomer, release)
    };
    let (flood, (owner, newcomer, ())) = tokio::join!(futures_util::future::join_all(flood), owner);
    owner.tokens();
    newcomer.unauthorized(Reason::CredentialsWrong);
    assert_eq!(flood.iter().filter(|status| **status == 503).count(), 2, "{flood:?}");
}

async fn an_owner_refreshes_while_anonymous_clients_wait_for_all_connections(database: Database) {
    let builder = TestApp::builder(database).user(ADA).limited();
    let app = builder.timeouts(|timeouts| timeouts.checkout = std::time::Duration::from_mins(1)).start().await;
    let tokens = app.login(ADA).await;
    // Every connection is in use, and the queue is full of anonymous clients.
    let (release_all, mut held) = tokio::sync::broadcast::channel::<()>(1);
    drop(held.try_recv());
    let work = |number: u32, requester: Requester| {
        let (store, mut until) = (app.services().store.clone(), release_all.subscribe());
        let occupy = move |_: &mut _| {
            let _ = until.blocking_recv();
            Ok(())
        };
        on_behalf_of(requester, async move { (number, store.run(occupy).await.is_ok()) })
    };
    let anonymous =
        |number| work(number, Requester::anonymous(RequesterId::Client(Ipv4Addr::from_bits(number).into())));
    let all = futures_util::future::join_all((1..=POOL_SIZE + POOL_SIZE * WAITING_PER_CONNECTION).map(anonymous));
    let owner = async {
        let queued = (POOL_SIZE * WAITING_PER_CONNECTION) as usize;
        let full = || app.services().store.load() == (queued, POOL_SIZE as usize);
        eventually("all connections are used", async || full().then_some(())).await;
        let refresh = app.refresh(&tokens);
        let release = async {
            let refused = || app.counter("database_refused") == 1;
            eventually("one of them was refused", async || refused().then_some(())).await;
            drop(release_all);
        };
        tokio::join!(refresh, release).0
    };
    let (clients, refreshed) = tokio::join!(all, owner);
    refreshed.tokens();
    assert_eq!(clients.iter().filter(|(_, served)| !served).count(), 1);
}

async fn a_logout_of_an_ended_session_writes_nothing(database: Database) {
    let app = start(database).await;
    let tokens = app.login(ADA).await;
    app.logout(&tokens).await.done();
    let before = app.db().content();
    for _ in 0..3 {
        app.logout(&tokens).await.done();
    }
    assert_eq!(app.db().content(), before);
}

async fn a_password_can_be_changed_ten_times_an_hour(database: Database) {
    let app = start(database).await;
    let mut tokens = app.login(ADA).await;
    let change = async |tokens: &TokenResponse, new: &str| {
        let body = serde_json::json!({"current_password": PASSWORD, "new_password": new});
        send(app.request_as(tokens, Method::POST, "/api/auth/password/change/").json(&body)).await
    };
    // A change that fails before the password is verified has another budget.
    change(&tokens, "short").await.invalid_fields(&["new_password"]);
    for _ in 0..10 {
        tokens = change(&tokens, PASSWORD).await.tokens();
    }
    assert_eq!(change(&tokens, PASSWORD).await.throttled(), 3600);
    app.clock().advance(Duration::hours(1));
    change(&app.login(ADA).await, PASSWORD).await.tokens();
}

/// A body of which all but the last byte is sent.
async fn slow_upload(app: &TestApp, tokens: &TokenResponse) -> TcpStream {
    let mut stream = TcpStream::connect(app.address()).await.unwrap();
    let head = format!(
        "PUT /api/auth/me/avatar/ HTTP/1.1\r\nHost: api\r\nContent-Type: image/png\r\nAuthorization: Bearer {}\r\n\
         Content-Length: 2000\r\n\r\n",
        tokens.access
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&[0; 1999]).await.unwrap();
    stream
}

#[actix_web::test]
async fn slow_uploads_hold_no_slot_for_pictures() {
    let app = TestApp::builder(Database::Sqlite).user(ADA).user("eve@example.com").start().await;
    let (eve, ada) = (app.login("eve@example.com").await, app.login(ADA).await);
    let mut slow = Vec::new();
    for _ in 0..17 {
        slow.push(slow_upload(&app, &eve).await);
    }
    let picture = app.request_as(&ada, Method::PUT, "/api/auth/me/avatar/").header("Content-Type", "image/png");
    send(picture.body(png(&photo(40, 40)))).await.has_status(200);
    assert_eq!(app.services().pictures.load(), (0, 0));
}

#[actix_web::test]
async fn one_account_does_not_fill_the_queue_for_pictures() {
    let app = TestApp::builder(Database::Sqlite).user(ADA).user("eve@example.com").start().await;
    let (eve, ada) = (app.login("eve@example.com").await, app.login(ADA).await);
    let held = hold(&app.services().pictures, 1, 0).await;
    let put = async |tokens: &TokenResponse| {
        let picture = app.request_as(tokens, Method::PUT, "/api/auth/me/avatar/").header("Content-Type", "image/png");
        send(picture.body(png(&photo(40, 40)))).await.status.as_u16()
    };
    let flood = futures_util::future::join_all((0..16).map(|_| put(&eve)));
    let waits = || app.services().pictures.load().0;
    let owner = async {
        eventually("the queue is full", async || (waits() == 16).then_some(())).await;
        let release = async {
            let refused = || app.counter("pictures_refused") == 1;
            eventually("one of the flood was refused", async || refused().then_some(())).await;
            drop(held);
        };
        tokio::join!(put(&ada), release).0
    };
    let (flood, owner) = tokio::join!(flood, owner);
    assert_eq!(owner, 200);
    assert_eq!(flood.iter().filter(|status| **status == 503).count(), 1, "{flood:?}");
}

#[actix_web::test]
async fn readiness_checks_share_one_database_check_a_second() {
    let app = TestApp::builder(Database::Sqlite).limited().start().await;
    let waits = || app.metric("latchkey_database_wait_seconds_count");
    let before = waits();
    let responses = futures_util::future::join_all((0..200).map(|_| app.get("/readyz"))).await;
    assert_eq!(responses.len(), 200);
    let checks = waits() - before;
    assert!((1..100).contains(&checks), "{checks} times");
}

async fn connect_from(app: &TestApp, address: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{address}:0").parse().unwrap()).unwrap();
    socket.connect(app.address()).await.unwrap()
}

/// Whether the API responds on this connection.
async fn is_served(stream: &mut TcpStream) -> bool {
    if stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: api\r\n\r\n").await.is_err() {
        return false;
    }
    let mut start = [0; 12];
    stream.read_exact(&mut start).await.is_ok_and(|_| &start == b"HTTP/1.1 200")
}

#[cfg(target_os = "linux")] // where all of 127.0.0.0/8 is this machine
#[actix_web::test]
async fn one_address_has_an_eighth_of_the_connections() {
    let app = TestApp::builder(Database::Sqlite).connections(64).start().await;
    let mut of_one = Vec::new();
    for _ in 0..8 {
        let mut stream = connect_from(&app, "127.0.0.2").await;
        assert!(is_served(&mut stream).await);
        of_one.push(stream);
    }
    assert!(!is_served(&mut connect_from(&app, "127.0.0.2").await).await);
    assert!(is_served(&mut connect_from(&app, "127.0.0.3").await).await);
    of_one.truncate(2);
    eventually("a connection is free again", async || {
        is_served(&mut connect_from(&app, "127.0.0.2").await).await.then_some(())
    })
    .await;
}

/// A request with the first byte of its body, for a client behind the proxy.
async fn begin_body(app: &TestApp, client: &str) -> TcpStream {
    let mut stream = TcpStream::connect(app.address()).await.unwrap();
    let head = format!(
        "POST /api/auth/login/ HTTP/1.1\r\nHost: api\r\nX-Forwarded-For: {client}\r\n\
         Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{{"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

async fn status(stream: &mut TcpStream) -> String {
    let mut start = [0; 12];
    stream.read_exact(&mut start).await.unwrap();
    String::from_utf8_lossy(&start[9..]).into_owned()
}

#[actix_web::test]
async fn behind_a_proxy_one_client_has_an_eighth_of_the_bodies_in_transit() {
    let builder = TestApp::builder(Database::Sqlite).user(ADA).limited().connections(64).timeouts(|timeouts| {
        timeouts.contended = std::time::Duration::from_millis(100);
        timeouts.body = std::time::Duration::from_mins(2);
    });
    let app = builder.start().await;
    let mut of_one = futures_util::stream::FuturesUnordered::new();
    for _ in 0..9 {
        let mut stream = begin_body(&app, ANONYMOUS).await;
        of_one.push(async move { status(&mut stream).await });
    }
    app.sign_in_from(HOME, ADA, PASSWORD).await.tokens();
    // One exceeds the share; then the others get the short time limit until enough have ended.
    let mut statuses = Vec::new();
    for _ in 0..5 {
        let next = tokio::time::timeout(std::time::Duration::from_secs(30), of_one.next());
        statuses.push(next.await.unwrap().unwrap());
    }
    assert_eq!(statuses.iter().filter(|status| *status == "503").count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| *status == "408").count(), 4, "{statuses:?}");
    assert_eq!(app.counter("bodies_refused"), 1);
    app.sign_in_from(ANONYMOUS, ADA, PASSWORD).await.tokens();
}

/// It holds nothing while it waits for its client, because it does not wait.
#[actix_web::test]
async fn a_body_that_comes_with_its_head_takes_no_part_of_the_bodies_in_transit() {
    let minutes = std::time::Duration::from_mins(2);
    let builder = TestApp::builder(Database::Sqlite).user(ADA).limited().connections(64).timeouts(|timeouts| {
        (timeouts.contended, timeouts.body) = (minutes, minutes);
    });
    let app = builder.start().await;
    let mut unfinished = Vec::new();
    for _ in 0..9 {
        unfinished.push(begin_body(&app, ANONYMOUS).await);
    }
    eventually("the share is used up", async || (app.counter("bodies_refused") == 1).then_some(())).await;
    app.sign_in_from(ANONYMOUS, ADA, PASSWORD).await.tokens();
    assert_eq!(app.counter("bodies_refused"), 1);
}

#[test]
fn every_route_with_a_shared_resource_takes_a_budget_first() {
    for (route, bounds) in bounds() {
        let counted = bounds.requests != RequestBudgets::Uncounted;
        assert!(counted || bounds.resources.is_empty() && bounds.budgets.is_empty(), "{route}");
    }
}

/// The database is also why a route stays closed until the process has started.
#[test]
fn every_route_that_needs_a_pool_needs_the_database() {
    for (route, bounds) in bounds() {
        let needs_pool =
            bounds.resources.contains(&Resource::Hashing) || bounds.resources.contains(&Resource::Pictures);
        assert!(!needs_pool || bounds.resources.contains(&Resource::Database), "{route}");
    }
}
