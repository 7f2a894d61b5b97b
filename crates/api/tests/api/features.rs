//! What a feature gets: administrators, tables that are exported and pruned, refusals, jobs and routes.

use crate::support::{Database, TestApp, TestDb, TestResponse, on_both_databases, send};
use actix_web::web::{Data, Json};
use api::app::{App, Feature, Product};
use api::clock::Clock;
use api::prelude::{Admin, Endpoint, Error, Problem, Resource, SchemaChange, Script, Services, Table, by_caller};
use api::service::upkeep::prune::prune;
use api::service::upkeep::start::start;
use auth_types::events::EventsResponse;
use auth_types::responses::TokenResponse;
use auth_types::{Reason, Role};
use chrono::Duration;
use diesel::prelude::*;
use reqwest::Method;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

on_both_databases![
    the_row_of_the_user_decides_who_is_an_administrator,
    rows_of_every_kind_of_table_are_exported_and_deleted_as_declared,
    a_declared_table_that_no_migration_creates_ends_the_start,
    a_refusal_by_a_feature_has_its_own_name_and_message,
    of_two_changes_of_one_version_the_second_is_refused,
    a_unique_text_ignores_case_on_both_databases,
    a_repeated_request_returns_what_the_first_has_made,
    a_test_can_run_a_job_at_any_moment,
    a_path_without_a_parameter_takes_precedence_over_one_with_it,
    a_caller_who_is_not_an_administrator_learns_nothing_about_the_body,
    an_action_of_an_administrator_shows_the_owner_no_client,
    a_job_of_a_feature_continues_after_errors_and_panics,
];

const ADA: &str = "ada@example.com";

pub mod boards {
    diesel::table! {
        use api::prelude::types::*;
        boards (id) { id -> Int8, user_id -> Int8, title -> Text, key -> Text, made_at -> Timestamptz, is_open -> Bool, mark -> Nullable<Bytea> }
    }
    diesel::table! {
        use api::prelude::types::*;
        pins (id) { id -> Uuid, board_id -> Int8, text -> Text }
    }
    diesel::allow_tables_to_appear_in_same_query!(boards, pins);
    diesel::table! {
        use api::prelude::types::*;
        sessions (id) { id -> Int8, user_id -> Int8 }
    }
}
use boards::{boards as board_table, pins as pin_table};

async fn count_users(services: Data<Services>, Admin(admin): Admin) -> Result<Json<Value>, Problem> {
    let emails = admin.read::<_, Infallible>(&services, |_, user| Ok(user.email)).await?;
    Ok(Json(json!({"asked_by": emails})))
}

/// Takes the role away after the extractor has checked it: the transaction has to check again.
async fn demote_then_act(services: Data<Services>, Admin(admin): Admin) -> Result<Json<Value>, Problem> {
    let id = admin.user().id;
    let demoted = services.store.write(move |connection| {
        let statement = format!("UPDATE users SET role = 'user' WHERE id = {id}");
        Ok(crate::support::execute(connection, &statement))
    });
    demoted.await.map_err(Error::<Infallible>::from)?;
    admin.write::<_, Infallible>(&services, |_, _, _| Ok(Ok(()))).await?;
    Ok(Json(json!("acted")))
}

fn administration() -> Feature {
    Feature::new("administration").endpoints(|| {
        let bounds = by_caller(&[Resource::Database]);
        vec![
            Endpoint::get("/api/counts/", bounds, count_users)
                .about("countUsers", "Count")
                .for_administrators()
                .gives::<Value>(200),
            Endpoint::post("/api/counts/", bounds, demote_then_act)
                .about("demote", "Demote")
                .for_administrators()
                .gives::<Value>(200),
        ]
    })
}

async fn the_row_of_the_user_decides_who_is_an_administrator(database: Database) {
    const ROOT: &str = "root@example.com";
    let app = TestApp::builder(database).feature(administration()).user(ADA).account(ROOT, None, Role::Admin);
    let app = app.start().await;
    let (ada, root) = (app.login(ADA).await, app.login(ROOT).await);
    let ask = async |tokens| send(app.request_as(tokens, Method::GET, "/api/counts/")).await;
    let counts: Value = ask(&root).await.json();
    assert_eq!(counts, json!({"asked_by": ROOT}));
    let refused = ask(&ada).await.problem(403);
    assert_eq!((refused.code, refused.reason), (auth_types::ProblemCode::PermissionDenied, Reason::PermissionDenied));
    app.get("/api/counts/").await.unauthorized(Reason::CredentialsMissing);

    // The tokens still hold the old roles; the row decides.
    app.db().execute(&format!("UPDATE users SET role = 'user' WHERE email = '{ROOT}'"));
    ask(&root).await.problem(403);
    app.db().execute(&format!("UPDATE users SET role = 'admin' WHERE email = '{ADA}'"));
    ask(&ada).await.has_status(200);
    send(app.request_as(&ada, Method::POST, "/api/counts/")).await.problem(403);
    app.db().execute("UPDATE users SET role = 'admin', is_active = false");
    ask(&ada).await.unauthorized(Reason::UserInactive);
}

fn boards() -> Feature {
    const SQLITE: Script = Script {
        up: "CREATE TABLE boards (id integer PRIMARY KEY, user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
                title text NOT NULL, key text NOT NULL, made_at text NOT NULL, is_open boolean NOT NULL, mark blob);
             CREATE TABLE pins (id text PRIMARY KEY, board_id integer NOT NULL REFERENCES boards (id) ON DELETE CASCADE, text text NOT NULL);",
        down: "DROP TABLE pins; DROP TABLE boards;",
    };
    const POSTGRES: Script = Script {
        up: "CREATE TABLE boards (id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
                title text NOT NULL, key text NOT NULL, made_at timestamptz NOT NULL, is_open boolean NOT NULL, mark bytea);
             CREATE TABLE pins (id uuid PRIMARY KEY, board_id bigint NOT NULL REFERENCES boards (id) ON DELETE CASCADE, text text NOT NULL);",
        down: SQLITE.down,
    };
    const CHANGES: &[SchemaChange] = &[SchemaChange { name: "0001_create_boards", postgres: POSTGRES, sqlite: SQLITE }];
    let pins = Table::dependent("pins", pin_table::table, |connection, subject, after: Option<String>, most| {
        let rows: Vec<(i64, String)> = pin_table::table
            .inner_join(board_table::table.on(board_table::id.eq(pin_table::board_id)))
            .filter(board_table::user_id.eq(subject.user.id.0))
            .filter(pin_table::text.gt(after.unwrap_or_default()))
            .order(pin_table::text)
            .select((pin_table::board_id, pin_table::text))
            .limit(most)
            .load(connection)?;
        Ok(rows.into_iter().map(|(board, text)| (text.clone(), json!({"board_id": board, "text": text}))).collect())
    });
    let boards = Table::personal("boards", board_table::table, board_table::user_id).hiding(board_table::key).pruned(
        |connection, due, batch| {
            let over =
                board_table::table.filter(board_table::made_at.lt(api::prelude::At(due.now - Duration::days(30))));
            let over: Vec<i64> = over.select(board_table::id).limit(batch).load(connection)?;
            diesel::delete(board_table::table.filter(board_table::id.eq_any(over))).execute(connection)
        },
    );
    Feature::new("boards").migrations(CHANGES).tables([boards, pins])
}

async fn rows_of_every_kind_of_table_are_exported_and_deleted_as_declared(database: Database) {
    let app = TestApp::builder(database).feature(boards()).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    let (yes, mark) = match database {
        Database::Sqlite => ("1", "x'00ff'"),
        Database::Postgres => ("true", "'\\x00ff'"),
    };
    let owner = tokens.user.id;
    let at = app.clock().now().format("%Y-%m-%d %H:%M:%S.%6f");
    app.db().execute(&format!(
        "INSERT INTO boards (id, user_id, title, key, made_at, is_open, mark) VALUES (7, {owner}, 'mine', 'secret', '{at}', {yes}, {mark})"
    ));
    app.db()
        .execute("INSERT INTO pins (id, board_id, text) VALUES ('0198c8f0-0000-7000-8000-000000000001', 7, 'a pin')");
    let export = send(app.request_as(&tokens, Method::GET, "/api/auth/me/export/")).await;
    assert!(!export.text().contains("secret"), "{}", export.text());
    let export: Value = export.json();
    let made_at = app.clock().now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    let board =
        json!({"id": 7, "user_id": owner.0, "title": "mine", "made_at": made_at, "is_open": true, "mark": "00ff"});
    assert_eq!(export["boards"], json!([board]));
    assert_eq!(export["pins"], json!([{"board_id": 7, "text": "a pin"}]));

    prune(app.services()).await.unwrap();
    assert_eq!(app.db().number("SELECT count(*) FROM pins"), 1);
    app.clock().advance(Duration::days(31));
    prune(app.services()).await.unwrap();
    assert_eq!(app.db().number("SELECT count(*) FROM boards"), 0);
    assert_eq!(app.db().number("SELECT count(*) FROM pins"), 0, "the database deletes them with their boards");
}

const POLLS: &str = "/api/fixture-polls/";

/// Creates a poll.
async fn ask(app: &TestApp, tokens: &TokenResponse, question: &str) -> TestResponse {
    let poll = json!({
        "question": question, "choices": ["yes", "no"], "most": 1, "quorum": 0.5, "is_open": true, "kind": "secret", "colours": {},
        "opens_at": "09:30"
    });
    send(app.request_as(tokens, Method::POST, POLLS).json(&poll)).await
}

fn id_of(created: &TestResponse) -> i64 {
    created.json::<Value>()["id"].as_i64().unwrap_or_else(|| panic!("{}", created.text()))
}

async fn a_refusal_by_a_feature_has_its_own_name_and_message(database: Database) {
    let app = TestApp::builder(database).with_features().user(ADA).start().await;
    let tokens = app.login(ADA).await;
    let close = async |poll| send(app.request_as(&tokens, Method::POST, &format!("{POLLS}{poll}/closing/"))).await;
    let poll = id_of(&ask(&app, &tokens, "Tea?").await);
    close(poll).await.has_status(204);
    let refused = close(poll).await.problem_of(409, Reason::FeatureRefused);
    assert_eq!(
        (refused.feature.as_deref(), refused.detail.as_str()),
        (Some("fixture_polls.closed"), "This poll is closed already.")
    );
    assert!(!close(poll + 1).await.problem(404).detail.is_empty());
    // A unique value, also when two requests race.
    let both = tokio::join!(ask(&app, &tokens, "Coffee?"), ask(&app, &tokens, "Coffee?"));
    let refused = if both.0.status == 201 { both.1 } else { both.0 };
    assert_eq!(refused.problem_of(409, Reason::FeatureRefused).feature.as_deref(), Some("fixture_polls.asked"));
}

async fn of_two_changes_of_one_version_the_second_is_refused(database: Database) {
    let app = TestApp::builder(database).with_features().user(ADA).start().await;
    let tokens = app.login(ADA).await;
    let poll = id_of(&ask(&app, &tokens, "Tea?").await);
    let change = async |poll: i64, question: &str, version: i64| {
        let request = app.request_as(&tokens, Method::PATCH, &format!("{POLLS}{poll}/"));
        send(request.json(&json!({"question": question, "version": version}))).await
    };
    let both = tokio::join!(change(poll, "Green tea?", 1), change(poll, "Black tea?", 1));
    let (changed, refused) = if both.0.status == 200 { both } else { (both.1, both.0) };
    let changed: Value = changed.json();
    assert_eq!(changed["version"], 2);
    assert_eq!(refused.problem_of(409, Reason::FeatureRefused).feature.as_deref(), Some("fixture_polls.changed"));
    let shown: Value = send(app.request_as(&tokens, Method::GET, &format!("{POLLS}{poll}/"))).await.json();
    assert_eq!(shown, changed, "the refused change left nothing");
    // The version that a client reads again is the one to change.
    assert_eq!(change(poll, "White tea?", 2).await.json::<Value>()["version"], 3);
    change(poll, "Tea?", i64::MAX).await.problem_of(409, Reason::FeatureRefused);
    change(poll + 1, "Tea?", 1).await.problem(404);
}

async fn a_unique_text_ignores_case_on_both_databases(database: Database) {
    let app = TestApp::builder(database).with_features().user(ADA).start().await;
    let tokens = app.login(ADA).await;
    ask(&app, &tokens, "Ærø, Οδός, ЧАЙ?").await.has_status(201);
    for same in ["ærø, οδός, чай?", "ÆRØ, ΟΔΌΣ, Чай?"] {
        let refused = ask(&app, &tokens, same).await.problem_of(409, Reason::FeatureRefused);
        assert_eq!(refused.feature.as_deref(), Some("fixture_polls.asked"));
    }
    ask(&app, &tokens, "Aero, οδος, чай?").await.has_status(201);
}

async fn a_repeated_request_returns_what_the_first_has_made(database: Database) {
    let app = TestApp::builder(database).with_features().user(ADA).start().await;
    let tokens = app.login(ADA).await;
    let ask = async |id: &str| {
        let poll = json!({
            "question": format!("Tea for {id}?"), "choices": ["yes"], "most": 1, "quorum": 0.5, "is_open": true, "kind": "secret",
            "colours": {}, "opens_at": "23:59:59", "request_id": id
        });
        id_of(&send(app.request_as(&tokens, Method::POST, POLLS).json(&poll)).await)
    };
    let [one, other] = ["0198a2b4-7c1e-7000-8000-000000000001", "0198a2b4-7c1e-7000-8000-000000000002"];
    let made = ask(one).await;
    assert_eq!(ask(&one.to_uppercase()).await, made);
    assert_ne!(ask(other).await, made);
    assert_eq!(app.db().texts("SELECT opens_at AS value FROM fixture_polls"), ["23:59:59"; 2]);
}

async fn a_test_can_run_a_job_at_any_moment(database: Database) {
    let app = TestApp::builder(database).with_features().user(ADA).start().await;
    let tokens = app.login(ADA).await;
    for polls in [1, 2] {
        ask(&app, &tokens, &format!("Question {polls}?")).await.has_status(201);
        assert_eq!(app.run_job("fixture_polls.count").await, Ok(()));
        assert_eq!(app.metric(r#"latchkey_fixture_polls_stored{state="open"}"#), polls);
    }
    assert_eq!(app.metric(r#"latchkey_fixture_polls_stored{state="closed"}"#), 0);
}

async fn a_path_without_a_parameter_takes_precedence_over_one_with_it(database: Database) {
    let app = TestApp::builder(database).with_features().user(ADA).start().await;
    let tokens = app.login(ADA).await;
    ask(&app, &tokens, "Tea?").await.has_status(201);
    let newest = id_of(&ask(&app, &tokens, "Coffee?").await);
    let shown: Value = send(app.request_as(&tokens, Method::GET, "/api/fixture-polls/newest/")).await.json();
    assert_eq!(shown["id"], newest);
}

async fn a_caller_who_is_not_an_administrator_learns_nothing_about_the_body(database: Database) {
    let app = TestApp::builder(database).with_features().user(ADA).start().await;
    let tokens = app.login(ADA).await;
    let path = "/api/fixture-polls-administration/";
    for body in [json!({}), json!({"ids": "all"}), json!([])] {
        send(app.request_as(&tokens, Method::POST, path).json(&body)).await.problem_of(403, Reason::PermissionDenied);
        send(app.request(Method::POST, path).json(&body)).await.unauthorized(Reason::CredentialsMissing);
    }
    let text = app.request_as(&tokens, Method::POST, path).header("Content-Type", "text/plain").body("all");
    send(text).await.problem_of(403, Reason::PermissionDenied);
}

async fn an_action_of_an_administrator_shows_the_owner_no_client(database: Database) {
    const ROOT: &str = "root@example.com";
    let app = TestApp::builder(database).with_features().user(ADA).administrator(ROOT).start().await;
    let (ada, root) = (app.login(ADA).await, app.login(ROOT).await);
    let poll = id_of(&ask(&app, &ada, "Tea?").await);
    let remove =
        app.request_as(&root, Method::POST, "/api/fixture-polls-administration/").json(&json!({"ids": [poll]}));
    send(remove.header("User-Agent", "the administrator's")).await.has_status(200);
    let events: EventsResponse = send(app.request_as(&ada, Method::GET, "/api/auth/events/")).await.json();
    let newest = &events.results[0];
    assert_eq!(newest.detail.feature.as_deref(), Some("fixture_polls.removed"));
    assert_eq!((&newest.ip_address, &newest.user_agent), (&None, &None));
}

async fn a_declared_table_that_no_migration_creates_ends_the_start(database: Database) {
    let db = Arc::new(TestDb::migrated(database));
    let feature = Feature::new("boards").tables([Table::impersonal("boards", board_table::table)]);
    let app = TestApp::builder_on(db).feature(feature).start().await;
    let refused = start(app.services()).await.unwrap_err().to_string();
    assert!(refused.starts_with("the migrations do not make what is declared: the table boards:"), "{refused}");
}

async fn a_job_of_a_feature_continues_after_errors_and_panics(database: Database) {
    static FAILED: AtomicUsize = AtomicUsize::new(0);
    static PANICKED: AtomicUsize = AtomicUsize::new(0);
    let (failed, panicked) = (FAILED.load(Ordering::SeqCst), PANICKED.load(Ordering::SeqCst));
    let period = std::time::Duration::from_millis(1);
    let feature = Feature::new("busy")
        .job("busy.fail", period, |_| async {
            FAILED.fetch_add(1, Ordering::SeqCst);
            Err("no luck")
        })
        .job("busy.panic", period, |_| async {
            PANICKED.fetch_add(1, Ordering::SeqCst);
            assert!(PANICKED.load(Ordering::SeqCst) == 0, "on purpose");
            Ok::<(), String>(())
        });
    let product: Product = App::new().feature(feature).assemble().unwrap();
    let app = TestApp::builder(database).start().await;
    let services = app.services().clone();
    let work = async {
        while FAILED.load(Ordering::SeqCst) < failed + 3 || PANICKED.load(Ordering::SeqCst) < panicked + 3 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = work => {}
        _ = product.run_background_tasks(services) => unreachable!("it never ends"),
        () = tokio::time::sleep(crate::support::DEADLINE) => panic!("the job was given up"),
    }
}
