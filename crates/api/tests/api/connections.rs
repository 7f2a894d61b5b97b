//! Which failures close a database connection: only those of the connection itself. A cancelled statement, a deadlock and a
//! busy file fail one request; the connection is then outside a transaction, and serves the next request.

use crate::support::{Database, PASSWORD, TestApp, TestDb, eventually, execute, on_both_databases, send};
use api::store::{AnyConnection, StoreError};
use auth_types::Reason;
use auth_types::responses::TokenResponse;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer};
use reqwest::Method;
use serde_json::json;
use std::sync::Arc;

on_both_databases![
    a_connection_whose_statement_was_refused_is_used_again,
    a_failed_transaction_writes_nothing_and_keeps_its_connection
];

const ADA: &str = "ada@example.com";
const WAITING: &str =
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";

/// An API with one connection, and a signed-in user.
async fn with_one_connection(database: Database) -> (TestApp, TokenResponse) {
    let app = TestApp::builder(database).set("DATABASE_POOL_SIZE", "1").user(ADA).start().await;
    let tokens = app.login(ADA).await;
    (app, tokens)
}

/// What identifies the connection that writes: PostgreSQL's process, or on SQLite a setting that no other connection has.
async fn mark(app: &TestApp) -> i64 {
    #[derive(QueryableByName)]
    struct Process {
        #[diesel(sql_type = Integer)]
        pid: i32,
    }
    #[derive(QueryableByName)]
    struct CacheSize {
        #[diesel(sql_type = BigInt)]
        cache_size: i64,
    }
    let mark = app.services().store.write(|connection| match connection {
        AnyConnection::Postgres(postgres) => {
            diesel::sql_query("SELECT pg_backend_pid() AS pid").get_result(postgres).map(|row: Process| row.pid.into())
        }
        AnyConnection::Sqlite(sqlite) => {
            diesel::sql_query("PRAGMA cache_size").get_result(sqlite).map(|row: CacheSize| row.cache_size)
        }
    });
    mark.await.unwrap()
}

async fn set_mark(app: &TestApp) -> i64 {
    if app.db().database() == Database::Sqlite {
        let set = app.services().store.write(|connection| {
            execute(connection, "PRAGMA cache_size = 4711");
            Ok(())
        });
        set.await.unwrap();
    }
    mark(app).await
}

async fn until_one_waits(db: &TestDb) {
    eventually("a statement waits for a lock", async || (db.number(WAITING) == 1).then_some(())).await;
}

async fn a_connection_whose_statement_was_refused_is_used_again(database: Database) {
    let (app, tokens) = with_one_connection(database).await;
    let mark_before = set_mark(&app).await;
    let failing = app.services().store.run(|connection| match connection {
        AnyConnection::Postgres(postgres) => postgres.batch_execute("SELECT pg_sleep(0), 1 / 0"),
        AnyConnection::Sqlite(sqlite) => sqlite.batch_execute("INSERT INTO users (id) VALUES (NULL)"),
    });
    failing.await.unwrap_err();
    app.me(&tokens).await.done();
    if database == Database::Postgres {
        assert_eq!(mark(&app).await, mark_before);
    }
}

/// PostgreSQL would treat the `COMMIT` of a failed transaction as a `ROLLBACK`, and report success.
async fn a_failed_transaction_writes_nothing_and_keeps_its_connection(database: Database) {
    let (app, tokens) = with_one_connection(database).await;
    let mark_before = set_mark(&app).await;
    let before = app.db().content();
    let failed: Result<(), StoreError> = app
        .services()
        .store
        .write(|connection| {
            execute(connection, "DELETE FROM sessions");
            let taken = "INSERT INTO users SELECT * FROM users";
            match connection {
                AnyConnection::Postgres(postgres) => drop(postgres.batch_execute(taken)),
                AnyConnection::Sqlite(sqlite) => sqlite.batch_execute(taken)?,
            }
            Ok(())
        })
        .await;
    failed.unwrap_err();
    assert_eq!(app.db().content(), before);
    assert_eq!(mark(&app).await, mark_before);
    app.refresh(&tokens).await.tokens();
}

#[actix_web::test]
async fn a_write_outside_a_transaction_is_refused_on_sqlite() {
    let (app, tokens) = with_one_connection(Database::Sqlite).await;
    let before = app.db().content();
    let touch = "UPDATE users SET display_name = 'x' RETURNING id";
    let attempt = |sql: &'static str| {
        app.services().store.run(move |connection| {
            let AnyConnection::Sqlite(sqlite) = connection else { panic!("not SQLite") };
            sqlite.batch_execute(sql)
        })
    };
    attempt(touch).await.unwrap_err();
    // Also after a transaction, whether it was committed or not.
    app.refresh(&tokens).await.tokens();
    let after_commit = app.db().content();
    assert_ne!(after_commit, before);
    attempt(touch).await.unwrap_err();
    let rolled_back: Result<(), StoreError> =
        app.services().store.write(|_| Err(diesel::result::Error::RollbackTransaction)).await;
    rolled_back.unwrap_err();
    attempt(touch).await.unwrap_err();
    assert_eq!(app.db().content(), after_commit);
}

#[actix_web::test]
async fn a_cancelled_statement_keeps_its_connection() {
    let (app, tokens) = with_one_connection(Database::Postgres).await;
    let mark_before = set_mark(&app).await;
    for _ in 0..2 {
        let mut holder = app.db().connect();
        execute(&mut holder, "SET idle_in_transaction_session_timeout = 0");
        execute(&mut holder, "BEGIN");
        execute(&mut holder, "LOCK TABLE sessions IN EXCLUSIVE MODE");
        let (refresh, ()) = tokio::join!(app.refresh_with_key(&tokens, "attempt-1"), async {
            until_one_waits(app.db()).await;
            app.db().execute(&format!("SELECT pg_cancel_backend({mark_before})"));
        });
        refresh.problem_of(503, Reason::Unavailable);
    }
    app.me(&tokens).await.done();
    assert_eq!(mark(&app).await, mark_before);
    app.refresh_with_key(&tokens, "attempt-1").await.tokens();
}

#[actix_web::test]
async fn a_cancelled_statement_costs_no_other_connection() {
    let db = Arc::new(TestDb::migrated(Database::Postgres));
    let app = TestApp::builder_on(Arc::clone(&db)).user(ADA).start().await;
    let tokens = &app.login(ADA).await;
    futures_util::future::join_all((0..16).map(|_| app.me(tokens)))
        .await
        .into_iter()
        .for_each(crate::support::TestResponse::done);
    let mut holder = db.connect();
    execute(&mut holder, "SET idle_in_transaction_session_timeout = 0");
    execute(&mut holder, "BEGIN");
    execute(&mut holder, "LOCK TABLE sessions IN EXCLUSIVE MODE");
    let pids = || {
        db.texts("SELECT CAST(pid AS text) AS value FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
    };
    let (refresh, before) = tokio::join!(app.refresh(tokens), async {
        until_one_waits(&db).await;
        let before = pids();
        app.me(tokens).await.done();
        db.execute("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()");
        before
    });
    refresh.problem_of(503, Reason::Unavailable);
    execute(&mut holder, "ROLLBACK");
    futures_util::future::join_all((0..16).map(|_| app.me(tokens)))
        .await
        .into_iter()
        .for_each(crate::support::TestResponse::done);
    app.refresh(tokens).await.tokens();
    let after = pids();
    assert!(before.iter().all(|pid| after.contains(pid)), "{before:?} became {after:?}");
}

#[actix_web::test]
async fn a_deadlock_keeps_its_connection() {
    let db = Arc::new(TestDb::migrated(Database::Postgres));
    let name = url::Url::parse(db.url()).unwrap().path().trim_start_matches('/').to_owned();
    // The API's transaction looks for a deadlock first, and is therefore the one that is aborted.
    db.execute(&format!("ALTER DATABASE {name} SET deadlock_timeout = '3s'"));
    let app = TestApp::builder_on(Arc::clone(&db)).set("DATABASE_POOL_SIZE", "1").user(ADA).start().await;
    let tokens = app.login(ADA).await;
    let mark_before = set_mark(&app).await;

    let mut holder = db.connect();
    execute(&mut holder, "SET deadlock_timeout = '1min'");
    execute(&mut holder, "SET statement_timeout = 0");
    execute(&mut holder, "SET idle_in_transaction_session_timeout = 0");
    execute(&mut holder, "BEGIN");
    execute(&mut holder, "SELECT 1 FROM sessions FOR UPDATE");
    let change = json!({"current_password": PASSWORD, "new_password": "amber glacier whistle 58"});
    let request = || app.request_as(&tokens, Method::POST, "/api/auth/password/change/").json(&change);
    let (changed, mut holder) = tokio::join!(send(request()), async {
        // The API has locked the user's row and waits for the session's; the holder of that now asks for the user's.
        until_one_waits(&db).await;
        let wanted = tokio::task::spawn_blocking(move || {
            execute(&mut holder, "UPDATE users SET display_name = display_name");
            holder
        });
        wanted.await.unwrap()
    });
    changed.problem_of(503, Reason::Unavailable);
    execute(&mut holder, "ROLLBACK");
    drop(holder);
    eventually("the server has counted the deadlock", async || {
        (db.number("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") == 1).then_some(())
    })
    .await;
    assert_eq!(mark(&app).await, mark_before);
    send(request()).await.done();
}

#[actix_web::test]
async fn a_busy_file_keeps_its_connection_and_readers_go_on() {
    let app = TestApp::builder(Database::Sqlite).user(ADA).start().await;
    let tokens = &app.login(ADA).await;
    let AnyConnection::Sqlite(mut holder) = app.db().connect() else { panic!("not SQLite") };
    holder.batch_execute("BEGIN IMMEDIATE").unwrap();
    // Five seconds: SQLite's own timeout.
    let (refresh, ()) = tokio::join!(app.refresh_with_key(tokens, "attempt-1"), async {
        app.me(tokens).await.done();
    });
    refresh.problem_of(503, Reason::Unavailable);
    app.me(tokens).await.done();
    holder.batch_execute("ROLLBACK").unwrap();
    app.refresh_with_key(tokens, "attempt-1").await.tokens();
}

#[actix_web::test]
async fn a_busy_file_costs_no_connection() {
    let (app, tokens) = with_one_connection(Database::Sqlite).await;
    let mark_before = set_mark(&app).await;
    let AnyConnection::Sqlite(mut holder) = app.db().connect() else { panic!("not SQLite") };
    holder.batch_execute("BEGIN IMMEDIATE").unwrap();
    app.refresh_with_key(&tokens, "attempt-1").await.problem_of(503, Reason::Unavailable);
    holder.batch_execute("ROLLBACK").unwrap();
    app.refresh_with_key(&tokens, "attempt-1").await.tokens();
    assert_eq!(mark(&app).await, mark_before);
}

#[actix_web::test]
async fn a_prepared_statement_that_the_server_has_lost_is_prepared_again() {
    let (app, tokens) = with_one_connection(Database::Postgres).await;
    app.me(&tokens).await.done();
    let mark_before = set_mark(&app).await;
    let lose = app.services().store.run(|connection| {
        execute(connection, "DISCARD ALL");
        Ok(())
    });
    lose.await.unwrap();
    app.me(&tokens).await.problem_of(503, Reason::Unavailable);
    app.me(&tokens).await.done();
    assert_eq!(mark(&app).await, mark_before);
}
