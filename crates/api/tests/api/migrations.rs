//! The schema, in both dialects.

use crate::support::{Database, TestDb, migrate, missing_migrations, on_both_databases, revert_all};
use api::store::migrations::own_names;
use std::collections::BTreeMap;
use std::sync::{Arc, Barrier};

on_both_databases![
    migrations_go_up_down_and_up_again,
    the_tables_are_those_that_the_code_was_compiled_for,
    many_may_migrate_a_new_database_at_once
];

async fn migrations_go_up_down_and_up_again(database: Database) {
    let db = TestDb::empty(database);
    let url = db.parsed_url();
    assert!(!missing_migrations(&mut db.connect()).is_empty());
    let done = migrate(&url).unwrap();
    assert_eq!(done.len(), own_names().0.len());
    assert!(missing_migrations(&mut db.connect()).is_empty());
    let tables: BTreeMap<_, _> = db.tables().into_iter().map(|table| (table.clone(), db.columns(&table))).collect();
    assert_eq!(migrate(&url).unwrap(), Vec::<String>::new());

    revert_all(&url).unwrap();
    assert_eq!(db.tables(), Vec::<String>::new());
    assert!(!missing_migrations(&mut db.connect()).is_empty());
    assert_eq!(migrate(&url).unwrap(), done);
    let again: BTreeMap<_, _> = db.tables().into_iter().map(|table| (table.clone(), db.columns(&table))).collect();
    assert_eq!(again, tables);
}

/// Table → columns, as `schema.rs` has them.
fn compiled() -> BTreeMap<String, Vec<String>> {
    let schema = include_str!("../../src/store/schema.rs");
    let mut tables = BTreeMap::new();
    for table in schema.split("diesel::table! {").skip(1) {
        let (head, body) = table.split_once(") {").unwrap();
        let name = head.rsplit('\n').next().unwrap().split_whitespace().next().unwrap();
        let body = body.split("    }\n").next().unwrap();
        let columns = body.lines().filter_map(|line| line.split_once(" -> ")).map(|(name, _)| name.trim().to_owned());
        tables.insert(name.to_owned(), columns.collect());
    }
    tables
}

async fn the_tables_are_those_that_the_code_was_compiled_for(database: Database) {
    let db = TestDb::migrated(database);
    let found: BTreeMap<_, _> = db.tables().into_iter().map(|table| (table.clone(), db.columns(&table))).collect();
    assert_eq!(found, compiled());
    for (table, columns) in compiled() {
        assert_eq!(
            db.number(&format!("SELECT count(*) FROM (SELECT {} FROM {table}) AS all_of_it", columns.join(", "))),
            0
        );
    }
}

async fn many_may_migrate_a_new_database_at_once(database: Database) {
    const PROCESSES: usize = 8;
    for _ in 0..10 {
        let db = TestDb::empty(database);
        let start = Arc::new(Barrier::new(PROCESSES));
        let migrate = || {
            let (url, start) = (db.parsed_url(), Arc::clone(&start));
            std::thread::spawn(move || {
                start.wait();
                migrate(&url).unwrap().len()
            })
        };
        let threads: Vec<_> = (0..PROCESSES).map(|_| migrate()).collect();
        let done: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert_eq!(done.iter().sum::<usize>(), own_names().0.len(), "{done:?}");
    }
}

#[test]
fn both_dialects_have_the_same_migrations() {
    let (postgres, sqlite) = own_names();
    assert_eq!(postgres, sqlite);
    assert!(!postgres.is_empty());
}

#[test]
fn a_database_that_cannot_be_reached_is_told_and_not_waited_for() {
    let nowhere = api::config::DatabaseUrl::Postgres("postgres://nobody@127.0.0.1:1/none".into());
    let error = migrate(&nowhere).unwrap_err().to_string();
    assert!(error.starts_with("cannot connect to the database"), "{error}");
}

/// Whether the release before goes on working after this statement: it knows neither the table nor the column, and an index
/// that is not unique refuses nothing.
fn goes_unnoticed(statement: &str) -> bool {
    // The program does the rest, and what that changes is tested with the names.
    if statement == "SELECT 1" {
        return true;
    }
    let adds_column = statement.starts_with("ALTER TABLE") && statement.contains(" ADD COLUMN ");
    let is_filled = !statement.contains("NOT NULL") || statement.contains("DEFAULT");
    ["CREATE TABLE", "CREATE INDEX", "DROP INDEX"].iter().any(|start| statement.starts_with(start))
        || (adds_column && is_filled)
}

#[test]
fn a_release_that_is_taken_back_finds_what_it_knows() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
    let mut judged = 0;
    for dialect in ["postgres", "sqlite"] {
        for folder in std::fs::read_dir(root.join(dialect)).unwrap() {
            let text = std::fs::read_to_string(folder.unwrap().path().join("up.sql")).unwrap();
            let text = text.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join(" ");
            for statement in text.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
                assert!(goes_unnoticed(statement), "{dialect}: {statement}");
                judged += 1;
            }
        }
    }
    assert!(judged > 20, "only {judged} statements were found");
    assert!(!goes_unnoticed("ALTER TABLE users ADD COLUMN plan text NOT NULL"));
    assert!(!goes_unnoticed("ALTER TABLE users DROP COLUMN username"));
    assert!(!goes_unnoticed("CREATE UNIQUE INDEX users_display_name ON users (display_name)"));
}
