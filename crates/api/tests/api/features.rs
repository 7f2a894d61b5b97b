//! Features: what they may not share, and what they get.

use crate::support::{Database, TestApp, TestDb, TestResponse, on_both_databases, send};
use actix_web::web::{Data, Json};
use api::app::{App, Feature, Product};
use api::clock::Clock;
use api::prelude::{
    Admin, Endpoint, Error, Problem, Resource, SchemaChange, Script, Services, Table, by_caller, by_client,
};
use api::service::upkeep::prune::prune;
use api::service::upkeep::start::start;
use auth_types::responses::TokenResponse;
use auth_types::{Reason, Role};
use chrono::Duration;
use diesel::prelude::*;
use reqwest::Method;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use utoipa::ToSchema;

on_both_databases![
    an_administrator_is_one_by_their_own_row,
    rows_of_every_kind_of_table_are_handed_out_and_go_as_declared,
    a_declared_table_that_no_migration_makes_refuses_the_start,
    what_a_feature_refuses_has_words_and_a_name_of_its_own,
    a_job_can_be_done_at_a_moment_that_a_test_chooses,
    a_path_without_a_parameter_goes_before_one_with_it,
    whoever_is_no_administrator_learns_nothing_of_the_body,
    the_work_of_a_feature_is_done_again_and_again_whatever_goes_wrong_in_it,
];

const ADA: &str = "ada@example.com";

const fn change(name: &'static str, up: &'static str) -> SchemaChange {
    let script = Script { up, down: "SELECT 1" };
    SchemaChange { name, postgres: script, sqlite: script }
}

async fn nothing() -> &'static str {
    ""
}

fn endpoint(path: &'static str, operation: &'static str) -> Endpoint {
    Endpoint::get(path, by_client(), nothing).about(operation, "Nothing")
}

/// Why these do not go together with Latchkey.
fn refused(features: impl IntoIterator<Item = Feature>) -> String {
    let app = features.into_iter().fold(App::new(), App::feature);
    app.assemble().expect_err("they collide").to_string()
}

mod boards {
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

#[test]
fn two_features_of_one_name_are_refused() {
    let twice = "the feature board has the name board twice";
    assert_eq!(refused([Feature::new("board"), Feature::new("board")]), twice);
    assert_eq!(refused([Feature::new("latchkey")]), "the feature latchkey has the name latchkey twice");
}

#[test]
fn a_name_that_is_none_is_refused() {
    for name in ["", "Notes", "1st", "_x", "a-b", "a:b", "näh", &"a".repeat(31)] {
        let name: &'static str = name.to_owned().leak();
        let told = refused([Feature::new(name)]);
        assert!(told.starts_with(&format!("the feature \"{name}\" needs another name: lower-case letters")), "{told}");
    }
}

#[test]
fn a_path_of_another_feature_is_refused_and_both_are_named() {
    let one = || Feature::new("one").endpoints(|| vec![endpoint("/api/things/{id}/", "getThing")]);
    let other = |path: &'static str| Feature::new("other").endpoints(move || vec![endpoint(path, "getOther")]);
    let told = refused([one(), other("/api/things/{id}/")]);
    assert_eq!(told, "the features one and other both have the route GET /api/things/{id}/; rename it in one of them");
    for path in ["/api/things/{key}/", "/api/things/all/", "/api/things/{id}"] {
        let told = refused([one(), other(path)]);
        let named = format!("the features one and other both have the path {path}, or /api/things/{{id}}/");
        assert!(told.starts_with(&named), "{told}");
    }
    let told = refused([Feature::new("other").endpoints(|| vec![endpoint("/api/auth/me/", "getOther")])]);
    assert_eq!(told, "the features latchkey and other both have the route GET /api/auth/me/; rename it in one of them");
    let apart = ["/api/things/", "/api/things/{id}/parts/", "/api/other/{id}/"];
    for path in apart {
        assert!(App::new().feature(one()).feature(other(path)).assemble().is_ok(), "{path}");
    }
}

#[test]
fn a_table_a_list_and_an_operation_of_another_feature_are_refused() {
    let table = Table::impersonal("boards", board_table::table);
    let one = || Feature::new("one").tables([table.clone()]);
    let told = refused([one(), Feature::new("other").tables([table.clone()])]);
    assert_eq!(told, "the features one and other both have the table boards; rename it in one of them");
    let told = refused([Feature::new("one").tables([table.clone(), table.clone()])]);
    assert_eq!(told, "the feature one has the table boards twice");
    let own = Table::personal("sessions", boards::sessions::table, boards::sessions::user_id);
    assert!(
        refused([Feature::new("one").tables([own])])
            .starts_with("the features latchkey and one both have the table sessions")
    );
    let list = Table::personal("events", board_table::table, board_table::user_id);
    let told = refused([Feature::new("one").tables([list])]);
    assert!(told.starts_with("the features latchkey and one both have the list events of an export"), "{told}");
    let told = refused([Feature::new("one").endpoints(|| vec![endpoint("/api/one/", "getMe")])]);
    assert!(told.starts_with("the features latchkey and one both have the operation getMe"), "{told}");
}

#[test]
fn a_migration_without_a_number_of_its_own_is_refused() {
    const TWICE: &[SchemaChange] = &[change("0001_one", ""), change("0001_other", "")];
    const UNORDERED: &[SchemaChange] = &[change("0002_one", ""), change("0001_other", "")];
    const UNNUMBERED: &[SchemaChange] = &[change("create", "")];
    const SHORT: &[SchemaChange] = &[change("1_create", "")];
    const FIRST: &[SchemaChange] = &[change("0001_create", "")];
    let told = |changes| refused([Feature::new("one").migrations(changes)]);
    assert_eq!(told(TWICE), "the migrations of the feature one are not in the order of their numbers at 0001_other");
    assert_eq!(
        told(UNORDERED),
        "the migrations of the feature one are not in the order of their numbers at 0001_other"
    );
    for (changes, name) in [(UNNUMBERED, "create"), (SHORT, "1_create")] {
        assert!(told(changes).starts_with(&format!("the migration {name} of the feature one needs another name")));
    }
    // The same number in two namespaces is no collision.
    let app =
        App::new().feature(Feature::new("one").migrations(FIRST)).feature(Feature::new("other").migrations(FIRST));
    assert!(app.assemble().is_ok());
}

#[test]
fn a_table_of_a_migration_that_is_not_declared_is_refused() {
    const CHANGES: &[SchemaChange] = &[
        change(
            "0001_create",
            "CREATE TABLE boards (id int); -- CREATE TABLE note (id int);\nCREATE TABLE IF NOT EXISTS old(id int);",
        ),
        change(
            "0002_change",
            "create table new_boards (id int); DROP TABLE boards; ALTER TABLE new_boards RENAME TO boards; drop table old;",
        ),
        change("0003_create", "CREATE INDEX boards_id ON boards (id);\nCREATE TABLE \"pins\" (id int)"),
    ];
    let boards = || Table::impersonal("boards", board_table::table);
    let feature = || Feature::new("board").migrations(CHANGES);
    let told = refused([feature().tables([boards()])]);
    assert!(
        told.starts_with("the migrations of the feature board create the table pins, which is not in its"),
        "{told}"
    );
    let pins = Table::impersonal("pins", pin_table::table);
    assert!(App::new().feature(feature().tables([boards(), pins])).assemble().is_ok());
}

mod one {
    #[derive(utoipa::ToSchema)]
    #[expect(dead_code, reason = "it is described only")]
    pub(super) struct Thing {
        name: String,
    }
}

mod other {
    #[derive(utoipa::ToSchema)]
    #[expect(dead_code, reason = "it is described only")]
    pub(super) struct Thing {
        size: i64,
    }
}

#[test]
fn two_types_of_one_name_are_refused() {
    fn feature<T: ToSchema>(name: &'static str, path: &'static str) -> Feature {
        Feature::new(name).endpoints(move || vec![endpoint(path, path).gives::<T>(200)])
    }
    let told = refused([feature::<one::Thing>("one", "/api/one/"), feature::<other::Thing>("other", "/api/other/")]);
    assert!(told.starts_with("the features one and other both have the type Thing in the OpenAPI document"), "{told}");
    let same = App::new()
        .feature(feature::<one::Thing>("one", "/api/one/"))
        .feature(feature::<one::Thing>("other", "/api/other/"));
    assert!(same.assemble().is_ok());
}

async fn count_users(services: Data<Services>, Admin(admin): Admin) -> Result<Json<Value>, Problem> {
    let emails = admin.read::<_, Infallible>(&services, |_, user| Ok(user.email)).await?;
    Ok(Json(json!({"asked_by": emails})))
}

/// Takes no look at the extractor's own answer: the transaction has to ask again.
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

async fn an_administrator_is_one_by_their_own_row(database: Database) {
    const ROOT: &str = "root@example.com";
    let app = TestApp::builder(database).feature(administration()).user(ADA).account(ROOT, None, Role::Admin);
    let app = app.start().await;
    let (ada, root) = (app.login(ADA).await, app.login(ROOT).await);
    let ask = async |tokens| send(app.request_as(tokens, Method::GET, "/api/counts/")).await;
    let told: Value = ask(&root).await.json();
    assert_eq!(told, json!({"asked_by": ROOT}));
    let refused = ask(&ada).await.problem(403);
    assert_eq!((refused.code, refused.reason), (auth_types::ProblemCode::PermissionDenied, Reason::PermissionDenied));
    app.get("/api/counts/").await.refused(Reason::CredentialsMissing);

    // The token says otherwise, and is as old as it is.
    app.db().execute(&format!("UPDATE users SET role = 'user' WHERE email = '{ROOT}'"));
    ask(&root).await.problem(403);
    app.db().execute(&format!("UPDATE users SET role = 'admin' WHERE email = '{ADA}'"));
    ask(&ada).await.has_status(200);
    send(app.request_as(&ada, Method::POST, "/api/counts/")).await.problem(403);
    app.db().execute("UPDATE users SET role = 'admin', is_active = false");
    ask(&ada).await.refused(Reason::UserInactive);
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

async fn rows_of_every_kind_of_table_are_handed_out_and_go_as_declared(database: Database) {
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
    assert_eq!(app.db().number("SELECT count(*) FROM pins"), 0, "the database takes them along");
}

const POLLS: &str = "/api/polls/";

/// A poll of Ada's.
async fn ask(app: &TestApp, tokens: &TokenResponse, question: &str) -> TestResponse {
    let poll = json!({
        "question": question, "choices": ["yes", "no"], "most": 1, "quorum": 0.5, "is_open": true, "kind": "secret", "colours": {}
    });
    send(app.request_as(tokens, Method::POST, POLLS).json(&poll)).await
}

fn id_of(made: &TestResponse) -> i64 {
    made.json::<Value>()["id"].as_i64().unwrap_or_else(|| panic!("{}", made.text()))
}

async fn what_a_feature_refuses_has_words_and_a_name_of_its_own(database: Database) {
    let app = TestApp::builder(database).with_features().user(ADA).start().await;
    let tokens = app.login(ADA).await;
    let close = async |poll| send(app.request_as(&tokens, Method::POST, &format!("{POLLS}{poll}/closing/"))).await;
    let poll = id_of(&ask(&app, &tokens, "Tea?").await);
    close(poll).await.has_status(204);
    let refused = close(poll).await.failed(409, Reason::FeatureRefused);
    assert_eq!(
        (refused.feature.as_deref(), refused.detail.as_str()),
        (Some("polls.closed"), "This poll is closed already.")
    );
    assert!(!close(poll + 1).await.problem(404).detail.is_empty());
    // A unique value, also of two at once.
    let both = tokio::join!(ask(&app, &tokens, "Coffee?"), ask(&app, &tokens, "Coffee?"));
    let refused = if both.0.status == 201 { both.1 } else { both.0 };
    assert_eq!(refused.failed(409, Reason::FeatureRefused).feature.as_deref(), Some("polls.asked"));
}

async fn a_job_can_be_done_at_a_moment_that_a_test_chooses(database: Database) {
    let app = TestApp::builder(database).with_features().user(ADA).start().await;
    let tokens = app.login(ADA).await;
    for polls in [1, 2] {
        ask(&app, &tokens, &format!("Question {polls}?")).await.has_status(201);
        assert_eq!(app.run_job("polls.count").await, Ok(()));
        assert_eq!(app.metric("latchkey_polls_stored"), polls);
    }
}

async fn a_path_without_a_parameter_goes_before_one_with_it(database: Database) {
    let app = TestApp::builder(database).with_features().user(ADA).start().await;
    let tokens = app.login(ADA).await;
    ask(&app, &tokens, "Tea?").await.has_status(201);
    let newest = id_of(&ask(&app, &tokens, "Coffee?").await);
    let shown: Value = send(app.request_as(&tokens, Method::GET, "/api/polls/newest/")).await.json();
    assert_eq!(shown["id"], newest);
}

async fn whoever_is_no_administrator_learns_nothing_of_the_body(database: Database) {
    let app = TestApp::builder(database).with_features().user(ADA).start().await;
    let tokens = app.login(ADA).await;
    let path = "/api/polls-administration/";
    for body in [json!({}), json!({"ids": "all"}), json!([])] {
        send(app.request_as(&tokens, Method::POST, path).json(&body)).await.failed(403, Reason::PermissionDenied);
        send(app.request(Method::POST, path).json(&body)).await.refused(Reason::CredentialsMissing);
    }
    let text = app.request_as(&tokens, Method::POST, path).header("Content-Type", "text/plain").body("all");
    send(text).await.failed(403, Reason::PermissionDenied);
}

async fn a_declared_table_that_no_migration_makes_refuses_the_start(database: Database) {
    let db = Arc::new(TestDb::migrated(database));
    let feature = Feature::new("boards").tables([Table::impersonal("boards", board_table::table)]);
    let app = TestApp::builder_on(db).feature(feature).start().await;
    let refused = start(app.services()).await.unwrap_err().to_string();
    assert!(refused.starts_with("the migrations do not make what is declared: the table boards:"), "{refused}");
}

async fn the_work_of_a_feature_is_done_again_and_again_whatever_goes_wrong_in_it(database: Database) {
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
        () = tokio::time::sleep(crate::support::DEADLINE) => panic!("the work was given up"),
    }
}
