//! The schema, in both dialects.

use crate::support::{Database, TestDb, migrate, missing_migrations, on_both_databases, revert_all};
use api::store::migrations::builtin_names;
use std::collections::BTreeMap;
use std::sync::{Arc, Barrier};

on_both_databases![
    migrations_go_up_down_and_up_again,
    the_tables_match_the_compiled_schema,
    concurrent_migrations_of_a_new_database_succeed
];

async fn migrations_go_up_down_and_up_again(database: Database) {
    let db = TestDb::empty(database);
    let url = db.parsed_url();
    assert!(!missing_migrations(&mut db.connect()).is_empty());
    let done = migrate(&url).unwrap();
    assert_eq!(done.len(), builtin_names().0.len());
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

/// Table → columns, from `schema.rs`.
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

async fn the_tables_match_the_compiled_schema(database: Database) {
    let db = TestDb::migrated(database);
    let found: BTreeMap<_, _> = db.tables().into_iter().map(|table| (table.clone(), db.columns(&table))).collect();
    assert_eq!(found, compiled());
    for (table, columns) in compiled() {
        // Only the identity is there from the start.
        let rows = i64::from(table == "database_identity");
        assert_eq!(
            db.number(&format!("SELECT count(*) FROM (SELECT {} FROM {table}) AS all_of_it", columns.join(", "))),
            rows
        );
    }
}

async fn concurrent_migrations_of_a_new_database_succeed(database: Database) {
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
        assert_eq!(done.iter().sum::<usize>(), builtin_names().0.len(), "{done:?}");
    }
}

#[test]
fn both_dialects_have_the_same_migrations() {
    let (postgres, sqlite) = builtin_names();
    assert_eq!(postgres, sqlite);
    assert!(!postgres.is_empty());
}

#[test]
fn an_unreachable_database_is_reported_at_once() {
    let nowhere = api::config::DatabaseUrl::Postgres("postgres://nobody@127.0.0.1:1/none".into());
    let error = migrate(&nowhere).unwrap_err().to_string();
    assert!(error.starts_with("cannot connect to the database"), "{error}");
}

/// Whether the previous release still works after this statement: it ignores a new table or column, and an index that is
/// not unique refuses nothing.
fn is_backward_compatible(statement: &str) -> bool {
    // The program does this migration's work; the tests of names cover it. And a table that the previous release does not know may
    // have rows.
    if statement == "SELECT 1" || statement.starts_with("INSERT INTO database_identity ") {
        return true;
    }
    let adds_column = statement.starts_with("ALTER TABLE") && statement.contains(" ADD COLUMN ");
    let is_filled = !statement.contains("NOT NULL") || statement.contains("DEFAULT");
    ["CREATE TABLE", "CREATE INDEX", "DROP INDEX"].iter().any(|start| statement.starts_with(start))
        || (adds_column && is_filled)
}

#[test]
fn migrations_keep_the_previous_release_working() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
    let mut checked = 0;
    for dialect in ["postgres", "sqlite"] {
        for folder in std::fs::read_dir(root.join(dialect)).unwrap() {
            let text = std::fs::read_to_string(folder.unwrap().path().join("up.sql")).unwrap();
            let text = text.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join(" ");
            for statement in text.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
                assert!(is_backward_compatible(statement), "{dialect}: {statement}");
                checked += 1;
            }
        }
    }
    assert!(checked > 20, "only {checked} statements were found");
    assert!(!is_backward_compatible("ALTER TABLE users ADD COLUMN plan text NOT NULL"));
    assert!(!is_backward_compatible("ALTER TABLE users DROP COLUMN username"));
    assert!(!is_backward_compatible("CREATE UNIQUE INDEX users_display_name ON users (display_name)"));
}
