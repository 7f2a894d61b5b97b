//! Notes through real HTTP, on both databases.
//!
//! What the tests of a feature cover: each endpoint's success; another user's rows; each rule, at its bound and past it; pages of a list,
//! past the first; the export, and the deletion of an account with more rows than a batch; the backup; migrations up, down and up; each
//! metric and event; and, if the feature has them, pruning, a job that runs twice, and rows that two requests change at once.

use crate::support::{Database, PASSWORD, TestApp, TestDb, TestResponse, features, on_both_databases, send};
use api::app::{App, Product};
use api::clock::Clock;
use api::config::DatabaseUrl;
use api::service::backup::{BackupPlan, BackupSource, Identities, RestorePlan, StopFlag, create_file, restore};
use api::service::upkeep::erasures::finish_recent;
use api::store::migrations::{migrate, revert_all};
use auth_types::Page;
use auth_types::events::EventsResponse;
use auth_types::responses::TokenResponse;
use notes_types::{NOTES, Note, TEXT_MAX_LENGTH};
use reqwest::Method;
use serde_json::{Value, json};

on_both_databases![
    a_note_is_written_read_changed_and_deleted,
    notes_are_paged_newest_first,
    another_users_note_is_not_found,
    an_invalid_note_is_refused_with_a_message,
    a_user_has_a_maximum_of_notes,
    a_deleted_account_loses_its_notes,
    an_export_has_the_notes,
    a_backup_has_the_notes,
    the_table_is_created_in_the_features_namespace,
    actions_are_counted_and_recorded,
];

const ADA: &str = "ada@example.com";
const EVE: &str = "eve@example.com";

fn product() -> Product {
    features().assemble().unwrap()
}

async fn start(database: Database) -> (TestApp, TokenResponse) {
    let app = TestApp::builder(database).with_features().user(ADA).user(EVE).start().await;
    let tokens = app.login(ADA).await;
    (app, tokens)
}

fn of(id: i64) -> String {
    format!("{NOTES}{id}/")
}

async fn call(app: &TestApp, tokens: &TokenResponse, method: Method, path: &str) -> TestResponse {
    send(app.request_as(tokens, method, path)).await
}

async fn write(app: &TestApp, tokens: &TokenResponse, text: &str) -> Note {
    let response = send(app.request_as(tokens, Method::POST, NOTES).json(&json!({"text": text}))).await;
    response.has_status(201);
    response.json()
}

async fn list(app: &TestApp, tokens: &TokenResponse, cursor: &str) -> Page<Note> {
    let response = call(app, tokens, Method::GET, &format!("{NOTES}?cursor={cursor}")).await;
    response.has_status(200);
    response.json()
}

fn insert_notes(app: &TestApp, tokens: &TokenResponse, count: usize) {
    let row =
        format!("({}, 'one of many', '2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000')", tokens.user.id);
    let rows = vec![row; count].join(", ");
    app.db().execute(&format!("INSERT INTO notes (user_id, text, created_at, changed_at) VALUES {rows}"));
}

async fn a_note_is_written_read_changed_and_deleted(database: Database) {
    let (app, tokens) = start(database).await;
    let written = write(&app, &tokens, "Buy milk 🥛").await;
    assert_eq!((written.text.as_str(), written.created_at), ("Buy milk 🥛", written.changed_at));
    let path = of(written.id);
    assert_eq!(call(&app, &tokens, Method::GET, &path).await.json::<Note>(), written);

    app.clock().advance(chrono::Duration::minutes(5));
    let response = send(app.request_as(&tokens, Method::PATCH, &path).json(&json!({"text": "Buy bread"}))).await;
    let changed: Note = response.json();
    assert_eq!((changed.text.as_str(), changed.created_at), ("Buy bread", written.created_at));
    assert_eq!(changed.changed_at - changed.created_at, chrono::Duration::minutes(5));

    call(&app, &tokens, Method::DELETE, &path).await.has_status(204);
    for method in [Method::GET, Method::DELETE] {
        call(&app, &tokens, method, &path).await.problem(404);
    }
    assert_eq!(list(&app, &tokens, "").await, Page { results: Vec::new(), next: None });
}

async fn notes_are_paged_newest_first(database: Database) {
    let (app, tokens) = start(database).await;
    let mut written = Vec::new();
    for number in 1..=41 {
        written.push(write(&app, &tokens, &format!("note {number}")).await);
    }
    written.reverse();
    let first = list(&app, &tokens, "").await;
    // A note that is written meanwhile moves no page.
    write(&app, &tokens, "meanwhile").await;
    let second = list(&app, &tokens, &first.next.unwrap()).await;
    let third = list(&app, &tokens, &second.next.unwrap()).await;
    assert_eq!((third.results.len(), third.next), (1, None));
    assert_eq!([first.results, second.results, third.results].concat(), written);

    let response = call(&app, &tokens, Method::GET, &format!("{NOTES}?cursor=made-up")).await;
    response.invalid_fields(&["cursor"]);
}

async fn another_users_note_is_not_found(database: Database) {
    let (app, ada) = start(database).await;
    let eve = app.login(EVE).await;
    let note = write(&app, &ada, "Ada's").await;
    let before = app.db().texts("SELECT text AS value FROM notes");
    for method in [Method::GET, Method::DELETE] {
        call(&app, &eve, method, &of(note.id)).await.problem(404);
    }
    send(app.request_as(&eve, Method::PATCH, &of(note.id)).json(&json!({"text": "Eve's"}))).await.problem(404);
    assert_eq!(list(&app, &eve, "").await.results, []);
    assert_eq!(app.db().texts("SELECT text AS value FROM notes"), before);
}

async fn an_invalid_note_is_refused_with_a_message(database: Database) {
    let (app, tokens) = start(database).await;
    let longest = "ä".repeat(TEXT_MAX_LENGTH);
    let note = write(&app, &tokens, &longest).await;
    for text in ["", "  \n ", &format!("{longest}ä")] {
        for (method, path) in [(Method::POST, NOTES.to_owned()), (Method::PATCH, of(note.id))] {
            let response = send(app.request_as(&tokens, method, &path).json(&json!({"text": text}))).await;
            response.invalid_fields(&["text"]);
        }
    }
    send(app.request_as(&tokens, Method::POST, NOTES).json(&json!({"text": "a\0b"}))).await.problem(400);
    send(app.request_as(&tokens, Method::POST, NOTES).json(&json!({}))).await.invalid_fields(&["text"]);
    for id in ["x", "1.5", "99999999999999999999", "-1", "0"] {
        call(&app, &tokens, Method::GET, &format!("{NOTES}{id}/")).await.problem(404);
    }
    assert_eq!(app.db().texts("SELECT text AS value FROM notes"), [longest]);
}

async fn a_user_has_a_maximum_of_notes(database: Database) {
    let (app, tokens) = start(database).await;
    insert_notes(&app, &tokens, 999);
    let last = write(&app, &tokens, "the last").await;
    let refused = send(app.request_as(&tokens, Method::POST, NOTES).json(&json!({"text": "one more"}))).await;
    refused.invalid_fields(&["text"]);
    call(&app, &tokens, Method::DELETE, &of(last.id)).await.has_status(204);
    write(&app, &tokens, "after the deletion").await;
}

async fn a_deleted_account_loses_its_notes(database: Database) {
    let (app, ada) = start(database).await;
    let eve = app.login(EVE).await;
    let kept = write(&app, &eve, "Eve's").await;
    // More than the transaction that deletes the account may delete.
    insert_notes(&app, &ada, 2_500);
    let body = json!({"password": PASSWORD});
    send(app.request_as(&ada, Method::DELETE, "/api/auth/me/").json(&body)).await.has_status(204);
    assert_eq!(app.db().number("SELECT count(*) FROM notes"), 1_501, "one batch is deleted with the account");
    finish_recent(app.services()).await.unwrap();
    assert_eq!(list(&app, &eve, "").await.results, [kept]);
    assert_eq!(app.db().number("SELECT count(*) FROM notes"), 1);
}

async fn an_export_has_the_notes(database: Database) {
    let (app, tokens) = start(database).await;
    let eve = app.login(EVE).await;
    write(&app, &eve, "Eve's").await;
    // More than one page of the export.
    insert_notes(&app, &tokens, 600);
    let last = write(&app, &tokens, "\"quoted\"\n").await;
    let export: Value = call(&app, &tokens, Method::GET, "/api/auth/me/export/").await.json();
    let notes = export["notes"].as_array().unwrap();
    assert_eq!(notes.len(), 601);
    let exported: Note = serde_json::from_value(notes[600].clone()).unwrap();
    assert_eq!(exported, last);
    assert_eq!(notes[600]["user_id"].as_i64(), Some(tokens.user.id.0));
}

async fn a_backup_has_the_notes(database: Database) {
    let (app, tokens) = start(database).await;
    let note = write(&app, &tokens, "kept").await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup.zst");
    let coverage = product().schema.coverage();
    let made_at = app.clock().now();
    let plan = BackupPlan {
        database: app.db().parsed_url(),
        coverage: coverage.clone(),
        recipients: Vec::new(),
        made_at,
        stop: StopFlag::default(),
    };
    create_file(&plan, &file).unwrap();

    let other = match database {
        Database::Sqlite => Database::Postgres,
        Database::Postgres => Database::Sqlite,
    };
    let target = TestDb::empty(other);
    let identities = Identities::read(None).unwrap();
    let url = target.parsed_url();
    let order =
        RestorePlan { database: &url, coverage: &coverage, identities: &identities, moving: true, now: made_at };
    restore(&BackupSource::File(file.clone()), &order).unwrap();
    assert_eq!(target.texts("SELECT text AS value FROM notes"), ["kept"]);
    target.execute("INSERT INTO notes (user_id, text, created_at, changed_at) SELECT user_id, 'next', created_at, changed_at FROM notes");
    assert_eq!(target.number("SELECT max(id) FROM notes"), note.id + 1, "an id is never reused");

    // A program without the feature refuses the backup, of which it would restore only a part.
    let alone = App::new().assemble().unwrap().schema.coverage();
    let empty = TestDb::empty(other);
    let coverage = &alone;
    let url = empty.parsed_url();
    let order = RestorePlan { database: &url, coverage, identities: &identities, moving: true, now: made_at };
    let refused = restore(&BackupSource::File(file), &order).unwrap_err().to_string();
    assert!(refused.contains("of the feature "), "{refused}");
}

async fn the_table_is_created_in_the_features_namespace(database: Database) {
    let db = TestDb::empty(database);
    let url: DatabaseUrl = db.parsed_url();
    let product = product();
    let migrations = &product.schema.migrations;
    let done = migrate(&url, migrations).unwrap();
    assert!(done.contains(&"notes:0001".to_owned()), "{done:?}");
    assert_eq!(migrate(&url, migrations).unwrap(), Vec::<String>::new());
    let versions = db.texts("SELECT version AS value FROM __diesel_schema_migrations WHERE version LIKE 'notes%'");
    assert_eq!(versions, ["notes:0001"]);
    revert_all(&url, migrations).unwrap();
    assert_eq!(db.tables(), Vec::<String>::new());
    assert_eq!(migrate(&url, migrations).unwrap(), done);
}

async fn actions_are_counted_and_recorded(database: Database) {
    let (app, tokens) = start(database).await;
    let note = write(&app, &tokens, "gone soon").await;
    assert_eq!(app.counter("notes_created"), 1);
    call(&app, &tokens, Method::DELETE, &of(note.id)).await.has_status(204);
    let events: EventsResponse = call(&app, &tokens, Method::GET, "/api/auth/events/").await.json();
    let newest = &events.results[0];
    assert_eq!(newest.kind, auth_types::EventKind::Feature);
    assert_eq!(newest.detail.feature.as_deref(), Some("notes.deleted"));
}
