//! PostgreSQL that crashes, stalls, has no connection left or loses one in the middle: 503 with `Retry-After`, never a 401
//! that would make a client discard its tokens, and nothing is lost.

use crate::support::{Cluster, Database, PASSWORD, Proxy, TestApp, TestDb, TestResponse, eventually, migrate, send};
use api::config::{DatabaseUrl, Timeouts};
use api::store::AnyConnection;
use auth_types::Reason;
use auth_types::requests::RegisterRequest;
use auth_types::responses::TokenResponse;
use diesel::connection::SimpleConnection;
use reqwest::Method;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const ADA: &str = "ada@example.com";
const EVE: &str = "eve@example.com";
const KEY: &str = "attempt-1";
const SHORT: Duration = Duration::from_millis(300);

fn short_timeouts(timeouts: &mut Timeouts) {
    (timeouts.checkout, timeouts.database) = (4 * SHORT, SHORT);
}

/// A PostgreSQL behind a proxy, and a signed-in user.
async fn behind_a_proxy(pool: &str) -> (TestApp, Proxy, TokenResponse) {
    let db = Arc::new(TestDb::migrated(Database::Postgres));
    let proxy = Proxy::before(db.server_address());
    let app = TestApp::builder_on(Arc::clone(&db))
        .set("DATABASE_URL", db.url_through(proxy.address()))
        .set("DATABASE_POOL_SIZE", pool)
        .timeouts(short_timeouts)
        .user(ADA)
        .start()
        .await;
    let tokens = app.login(ADA).await;
    (app, proxy, tokens)
}

async fn endpoints_without_a_database_respond(app: &TestApp, tokens: &TokenResponse) {
    app.get("/healthz").await.done();
    app.get("/api/auth/config/").await.done();
    app.verify(&tokens.access).await.done();
}

/// As a retry would fail again, it must not look like an outage.
#[actix_web::test]
async fn a_value_that_the_database_cannot_store_is_a_500() {
    let db = Arc::new(TestDb::migrated(Database::Postgres));
    db.execute("ALTER TABLE users ALTER COLUMN email TYPE varchar(20)");
    db.set_encoding("LATIN1");
    let app = TestApp::builder_on(db).start().await;
    let ada = RegisterRequest { email: ADA.to_owned(), password: PASSWORD.to_owned(), ..Default::default() };
    let named = RegisterRequest { display_name: Some("ガ".to_owned()), ..ada.clone() };
    app.register(&named).await.problem_of(500, Reason::Internal);
    app.register(&ada).await.created();
    let long = RegisterRequest { email: "ada.lovelace@example.com".to_owned(), ..ada };
    app.register(&long).await.problem_of(500, Reason::Internal);
}

#[actix_web::test]
async fn a_database_that_stalls_is_a_503_and_loses_nothing() {
    let (app, proxy, first) = behind_a_proxy("2").await;
    proxy.stall();
    let asked = futures_util::future::join_all((0..10).map(|_| app.refresh_with_key(&first, KEY)));
    let (responses, ()) = tokio::join!(asked, endpoints_without_a_database_respond(&app, &first));
    for response in responses {
        response.problem_of(503, Reason::Unavailable);
    }
    app.me(&first).await.problem_of(503, Reason::Unavailable);
    app.sign_in(ADA, PASSWORD).await.problem_of(503, Reason::Unavailable);
    endpoints_without_a_database_respond(&app, &first).await;

    proxy.resume();
    let second = eventually("the database responds again", async || {
        let response = app.refresh_with_key(&first, KEY).await;
        response.status.is_success().then(|| response.tokens())
    });
    let second = second.await;
    assert_eq!(app.db().number("SELECT generation FROM sessions"), 2, "ten attempts and one rotation");
    app.refresh(&second).await.tokens();
}

/// Holds a lock that every refresh needs.
struct SessionsLock(AnyConnection);

impl SessionsLock {
    fn acquire(db: &TestDb) -> Self {
        let mut lock = Self(db.connect());
        lock.run("BEGIN; LOCK TABLE sessions IN EXCLUSIVE MODE");
        lock
    }

    fn run(&mut self, sql: &str) {
        let AnyConnection::Postgres(postgres) = &mut self.0 else { panic!("not PostgreSQL") };
        postgres.batch_execute(sql).unwrap();
    }
}

#[actix_web::test]
async fn a_statement_that_waits_too_long_for_a_lock_is_a_503() {
    let db = Arc::new(TestDb::migrated(Database::Postgres));
    let app = TestApp::builder_on(Arc::clone(&db)).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    let mut lock = SessionsLock::acquire(&db);
    // Five seconds: PostgreSQL's own timeout, which ends the statement with an error.
    let (refresh, ()) = tokio::join!(app.refresh_with_key(&tokens, KEY), async {
        app.me(&tokens).await.done(); // readers do not wait for a writer
    });
    refresh.problem_of(503, Reason::Unavailable);
    lock.run("ROLLBACK");
    app.refresh_with_key(&tokens, KEY).await.tokens();
    assert_eq!(db.number("SELECT generation FROM sessions"), 2);
}

#[actix_web::test]
async fn a_pool_without_a_free_connection_is_a_503() {
    let db = Arc::new(TestDb::migrated(Database::Postgres));
    // Two accounts at two addresses: an account uses at most half of the connections, and so does a client.
    let builder = TestApp::builder_on(Arc::clone(&db)).set("DATABASE_POOL_SIZE", "2").set("TRUSTED_PROXY_HOPS", "1");
    let builder = builder.user(ADA).user(EVE);
    // One address may have an eighth of the connections, and this one has 300.
    let app = &builder.connections(4096).timeouts(|timeouts| timeouts.checkout = SHORT).start().await;
    let (tokens, eves) = (&app.login(ADA).await, &app.login(EVE).await);
    let mut lock = SessionsLock::acquire(&db);
    let refresh = |(address, tokens): (&'static str, &TokenResponse)| {
        let request = app.request(Method::POST, "/api/auth/refresh/").header("X-Forwarded-For", address);
        send(request.header("Idempotency-Key", KEY).json(&json!({"refresh": tokens.refresh})))
    };
    let stuck = futures_util::future::join_all([("192.0.2.1", tokens), ("198.51.100.1", eves)].map(refresh));
    let others = async {
        eventually("both connections wait for the lock", async || {
            let waiting =
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
            (db.number(waiting) == 2).then_some(())
        })
        .await;
        // Far more than may wait: most are refused at once, the rest when their wait times out.
        let flood = futures_util::future::join_all((0..300).map(|_| app.me(tokens)));
        for response in flood.await {
            response.problem_of(503, Reason::Unavailable);
        }
        endpoints_without_a_database_respond(app, tokens).await;
        lock.run("ROLLBACK");
    };
    let (responses, ()) = tokio::join!(stuck, others);
    for response in responses {
        response.tokens();
    }
    app.me(tokens).await.done();
}

/// Forces all clients to reconnect.
fn end_connections(db: &TestDb, user: &str) {
    db.execute(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{user}'"));
}

#[actix_web::test]
async fn a_server_without_connections_left_is_a_503_until_it_has_some() {
    let db = Arc::new(TestDb::migrated(Database::Postgres));
    let role = format!("role_{}", url::Url::parse(db.url()).unwrap().path().trim_start_matches('/'));
    db.execute(&format!("CREATE ROLE {role} LOGIN"));
    db.execute(&format!("GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}"));
    db.execute(&format!("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {role}"));
    let mut url = url::Url::parse(db.url()).unwrap();
    url.set_username(&role).unwrap();
    let app = TestApp::builder_on(Arc::clone(&db)).set("DATABASE_URL", url).user(ADA).start().await;
    let tokens = app.login(ADA).await;

    // Fewer than the size of the pool: every request still succeeds.
    db.execute(&format!("ALTER ROLE {role} CONNECTION LIMIT 2"));
    end_connections(&db, &role);
    eventually("it works with two", async || app.me(&tokens).await.status.is_success().then_some(())).await;
    for response in futures_util::future::join_all((0..40).map(|_| app.me(&tokens))).await {
        response.done();
    }
    // None at all.
    db.execute(&format!("ALTER ROLE {role} CONNECTION LIMIT 0"));
    end_connections(&db, &role);
    app.refresh(&tokens).await.problem_of(503, Reason::Unavailable);
    endpoints_without_a_database_respond(&app, &tokens).await;

    db.execute(&format!("ALTER ROLE {role} CONNECTION LIMIT -1"));
    eventually("it works again", async || app.me(&tokens).await.status.is_success().then_some(())).await;
    app.refresh(&tokens).await.tokens();
    drop(app);
    db.execute(&format!("DROP OWNED BY {role}"));
    db.execute(&format!("DROP ROLE {role}"));
}

#[actix_web::test]
async fn a_database_that_became_read_only_is_a_503_and_reads_go_on() {
    let db = Arc::new(TestDb::migrated(Database::Postgres));
    let app = TestApp::builder_on(Arc::clone(&db)).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    let name = url::Url::parse(db.url()).unwrap().path().trim_start_matches('/').to_owned();
    let mut administrator = db.connect();
    let AnyConnection::Postgres(postgres) = &mut administrator else { panic!("not PostgreSQL") };
    let end_others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";

    postgres
        .batch_execute(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on; {end_others}"))
        .unwrap();
    eventually("reads go on", async || app.me(&tokens).await.status.is_success().then_some(())).await;
    app.refresh_with_key(&tokens, KEY).await.problem_of(503, Reason::Unavailable);
    app.sign_in(ADA, PASSWORD).await.problem_of(503, Reason::Unavailable);
    app.logout(&tokens).await.problem_of(503, Reason::Unavailable);
    app.me(&tokens).await.done();

    postgres
        .batch_execute(&format!("ALTER DATABASE {name} RESET default_transaction_read_only; {end_others}"))
        .unwrap();
    eventually("writes go on", async || app.refresh_with_key(&tokens, KEY).await.status.is_success().then_some(()))
        .await;
}

#[actix_web::test]
async fn a_rotation_whose_commit_was_not_confirmed_is_repeated_with_the_key() {
    let (app, proxy, first) = behind_a_proxy("4").await;
    proxy.cut_after("UPDATE \"sessions\"");
    app.refresh_with_key(&first, KEY).await.problem_of(503, Reason::Unavailable);
    assert_eq!(app.db().number("SELECT generation FROM sessions"), 2, "it was committed");

    let second = app.refresh_with_key(&first, KEY).await.tokens();
    assert_eq!(app.db().number("SELECT generation FROM sessions"), 2, "and is not done twice");
    app.refresh(&second).await.tokens();
}

#[actix_web::test]
async fn a_sign_up_whose_commit_was_not_confirmed_exists() {
    let (app, proxy, _) = behind_a_proxy("4").await;
    let email = "grace@example.com".to_owned();
    let request = RegisterRequest { email, password: PASSWORD.to_owned(), ..Default::default() };
    proxy.cut_after("COMMIT");
    app.register(&request).await.problem_of(503, Reason::Unavailable);
    app.register(&request).await.problem_of(409, Reason::EmailTaken);
    app.login("grace@example.com").await;
}

#[actix_web::test]
async fn a_sign_out_whose_commit_was_not_confirmed_is_effective() {
    let (app, proxy, tokens) = behind_a_proxy("4").await;
    proxy.cut_after("COMMIT");
    app.logout(&tokens).await.problem_of(503, Reason::Unavailable);
    // The process that got no confirmation learns of it by polling, as every other process does.
    app.poll_revocations().await;
    app.verify(&tokens.access).await.unauthorized(Reason::SessionRevoked);
    app.logout(&tokens).await.done();
}

/// A client that never gives up: it repeats the same key until it succeeds. Once `ended` is set, it returns its tokens and
/// the number of its exchanges.
async fn refresh_until_ended(app: &TestApp, mut tokens: TokenResponse, ended: &AtomicBool) -> (TokenResponse, usize) {
    let request = |tokens: &TokenResponse| app.request_as(tokens, Method::GET, "/api/auth/me/");
    let mut exchanges = 0;
    while !ended.load(Ordering::SeqCst) {
        let response = app.refresh_with_key(&tokens, &format!("attempt-{exchanges}")).await;
        if response.status.is_success() {
            (tokens, exchanges) = (response.tokens(), exchanges + 1);
        } else {
            response.problem_of(503, Reason::Unavailable);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let me: TestResponse = send(request(&tokens)).await;
        assert!(me.status.is_success() || me.status == 503, "{} {}", me.status, me.text());
    }
    (tokens, exchanges)
}

#[actix_web::test]
async fn a_server_that_crashes_under_load_loses_no_session() {
    const CLIENTS: usize = 4;
    let mut cluster = Cluster::started();
    migrate(&DatabaseUrl::Postgres(cluster.url().into())).unwrap();
    // Only for the builder: this test's database is the cluster's.
    let mut builder = TestApp::builder(Database::Sqlite).set("DATABASE_URL", cluster.url()).timeouts(short_timeouts);
    for number in 0..CLIENTS {
        builder = builder.user(&format!("user{number}@example.com"));
    }
    let app = &builder.start().await;
    let ended = &AtomicBool::new(false);
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        let tokens = app.login(&format!("user{number}@example.com")).await;
        clients.push(refresh_until_ended(app, tokens, ended));
    }
    let clients = futures_util::future::join_all(clients);
    let works = async |what: &str| {
        eventually(what, async || app.sign_in("user0@example.com", PASSWORD).await.status.is_success().then_some(()))
            .await;
    };
    let crashes = async {
        for _ in 0..3 {
            works("it works before the crash").await;
            cluster = tokio::task::spawn_blocking(move || {
                cluster.crash();
                cluster
            })
            .await
            .unwrap();
            eventually("the crash is noticed", async || {
                (app.sign_in("user0@example.com", PASSWORD).await.status == 503).then_some(())
            })
            .await;
            probes_respond_during_an_outage(app).await;
            cluster = tokio::task::spawn_blocking(move || {
                cluster.start();
                cluster
            })
            .await
            .unwrap();
        }
        works("it works after the last crash").await;
        ended.store(true, Ordering::SeqCst);
        cluster
    };
    let (results, _cluster) = tokio::join!(clients, crashes);
    // A connection that was not used since the crash may cost one more 503.
    for (tokens, exchanges) in results {
        assert!(exchanges > 0);
        eventually("the caller is shown", async || app.me(&tokens).await.status.is_success().then_some(())).await;
        let last = async || app.refresh_with_key(&tokens, "the last attempt").await;
        eventually("the session lives", async || last().await.status.is_success().then_some(())).await;
    }
}

async fn probes_respond_during_an_outage(app: &TestApp) {
    app.get("/healthz").await.done();
    app.get("/readyz").await.has_status(503);
}
