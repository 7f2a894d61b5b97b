//! Every row is restored, whatever its content, into either kind of database.

use super::{BOTH, Backup, no_identities};
use crate::support::{Database, ManualClock, TestDb, coverage, on_both_databases};
use api::service::backup::{RestorePlan, restore};
use api::store::backup::{Coverage, OldCopyRule};
use api::store::layouts::ColumnKind;
use api::store::migrations::newest_version;
use serde_json::Value;
use std::collections::BTreeMap;

on_both_databases![
    every_row_is_restored_unchanged,
    an_id_is_never_reused_after_a_restore,
    an_empty_database_is_restored_empty,
    every_table_and_every_column_is_covered,
    an_older_backup_is_restored_with_defaults,
    an_older_backup_is_restored_with_its_names_migrated,
    rows_of_an_older_copy_are_restored_as_their_table_declares,
    a_copy_whose_sessions_cannot_be_revoked_is_refused,
];

/// The columns of each table and their types, as `schema.rs` declares them.
fn schema() -> BTreeMap<String, Vec<(String, String)>> {
    let text = include_str!("../../../src/store/schema.rs");
    let tables = text.split("diesel::table! {").skip(1).map(|table| {
        let (head, body) = table.split_once(") {").unwrap();
        let name = head.rsplit('\n').next().unwrap().split_whitespace().next().unwrap().to_owned();
        let columns = body.split("    }\n").next().unwrap().lines().filter_map(|line| line.trim().split_once(" -> "));
        let bare = |kind: &str| kind.trim_matches(',').trim_start_matches("Nullable<").trim_end_matches('>').to_owned();
        (name, columns.map(|(name, kind)| (name.to_owned(), bare(kind))).collect())
    });
    tables.collect()
}

/// All stored rows, as text that is the same for both kinds of database.
pub(super) fn content(db: &TestDb) -> Vec<String> {
    let mut lines = Vec::new();
    // The identity is not data: each database has its own.
    for (table, columns) in schema().into_iter().filter(|(table, _)| table != "database_identity") {
        let text = |(column, kind): &(String, String)| match (kind.as_str(), db.database()) {
            ("Bytea", Database::Postgres) => format!("upper(encode({column}, 'hex'))"),
            ("Bytea", Database::Sqlite) => format!("CASE WHEN {column} IS NOT NULL THEN hex({column}) END"),
            ("Bool", _) => format!("CASE WHEN {column} THEN 'yes' ELSE 'no' END"),
            ("Timestamptz", Database::Postgres) => format!("to_char({column}, 'YYYY-MM-DD HH24:MI:SS.US')"),
            _ => format!("CAST({column} AS text)"),
        };
        let values: Vec<_> =
            columns.iter().map(|column| format!("coalesce({}, 'no {}')", text(column), column.0)).collect();
        let row = values.join(" || '|' || ");
        lines.extend(db.texts(&format!("SELECT '{table}: ' || {row} AS value FROM {table}")));
    }
    lines.sort();
    lines
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The SQL literals of a database.
struct Literals(Database);

impl Literals {
    fn at(&self, at: &str) -> String {
        match self.0 {
            Database::Sqlite => format!("'{at}'"),
            Database::Postgres => format!("'{at}+00'"),
        }
    }

    fn bytes(&self, bytes: &[u8]) -> String {
        let hex = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        match self.0 {
            Database::Sqlite => format!("X'{hex}'"),
            Database::Postgres => format!(r"'\x{hex}'"),
        }
    }
}

/// Inserts rows with every kind of value. The columns are not named, so that a new column breaks this test until it is added.
pub(super) fn insert_odd_rows(db: &TestDb) {
    let sql = Literals(db.database());
    let odd_texts = [
        "",
        " ",
        "null",
        "true",
        "0123",
        "1e5",
        "[1, {\"a\": \"b\"}]",
        "quotes ' \" ` and \\ back \\n slashes",
        "line\nfeed, tab\t, bell\u{7}, escape\u{1b}, delete\u{7f}",
        "Zoë, 中文, עברית, 👩‍👩‍👧, e\u{301}, \u{202e}right to left, \u{2028}, \u{feff}, \u{10ffff}",
        "%s ${HOME} $1 :a ?",
    ];
    let (early, late) = (sql.at("0001-01-01 00:00:00.000000"), sql.at("9999-12-31 23:59:59.999999"));
    for (n, text) in odd_texts.iter().enumerate() {
        let (id, text) = (n + 1, quoted(text));
        let at = sql.at(&format!("2026-11-25 02:20:28.{n:06}"));
        db.execute(&format!(
            "INSERT INTO users VALUES ({id}, {text}, 'e{n}', {text}, 'u{n}', {text}, {text}, 'admin', {}, {at}, {text}, {early}, {late}, {at})",
            n % 2 == 0
        ));
        db.execute(&format!("INSERT INTO auth_events VALUES ({id}, {id}, {text}, {at}, {text}, {text}, {text})"));
        db.execute(&format!("INSERT INTO known_networks VALUES ({id}, {text}, {late})"));
        db.execute(&format!(
            "INSERT INTO pending_registrations VALUES ({id}, {text}, {text}, {text}, {text}, {text}, {text}, {text},
             {0}, {1}, {text}, {text}, {early}, {late})",
            sql.bytes(&[0, 0xff]),
            if n == 0 { "NULL".to_owned() } else { sql.bytes(&n.to_be_bytes()) },
        ));
        db.execute(&format!(
            "INSERT INTO mail_outbox VALUES ({id}, {text}, {id}, {text}, {text}, {text}, {at}, {early}, {late}, {0}, {id}, {text}, {late}, {0}, {early}, {0}, {text})",
            i64::MAX
        ));
    }
    db.execute(&format!(
        "INSERT INTO users VALUES (12, 'e', 'plain', NULL, NULL, 'p', '', 'user', true, NULL, NULL, {early}, NULL, NULL)"
    ));
    db.execute(&format!("INSERT INTO auth_events VALUES (12, NULL, 'k', {early}, NULL, NULL, '{{}}')"));
    db.execute(&format!(
        "INSERT INTO mail_outbox VALUES (12, 'k', NULL, 'r', NULL, NULL, {early}, {early}, {early}, 0, NULL, NULL, {early}, 1, NULL, 0, NULL)"
    ));
    let all_bytes: Vec<u8> = (0..=255).collect();
    for (n, bytes) in [&[][..], &[0], &[0xff, 0, 0x80], &all_bytes].into_iter().enumerate() {
        let hash = sql.bytes(bytes);
        db.execute(&format!(
            "INSERT INTO one_time_tokens VALUES ({hash}, 'verify_email', 1, '', {late}, {})",
            if n == 0 { "NULL" } else { &early }
        ));
        let (revoked_at, reason) = if n % 2 == 0 { ("NULL", "NULL") } else { (early.as_str(), "'logout'") };
        let key = if n == 0 { "NULL" } else { &hash };
        db.execute(&format!(
            "INSERT INTO sessions VALUES ('018f0000-0000-7000-8000-{n:012}', 12, {}, 'j', {key}, {early}, {early}, {}, {late},
             {late}, {revoked_at}, {reason}, NULL, NULL, {key}, {key})",
            i64::MAX,
            if n == 0 { "NULL" } else { &late },
        ));
    }
}

async fn every_row_is_restored_unchanged(database: Database) {
    let source = TestDb::migrated(database);
    insert_odd_rows(&source);
    let backup = Backup::of(&source);
    let verified = backup.verify().unwrap();
    assert_eq!(verified.rows.values().sum::<u64>(), 55 + 11);
    for kind in BOTH {
        let target = TestDb::empty(kind);
        assert_eq!(backup.move_to(&target).unwrap(), verified);
        assert_eq!(target.execute("DELETE FROM auth_events WHERE kind = 'restored'"), 1);
        assert_eq!(content(&target), content(&source), "{kind:?}");
        // A second backup of the restored database gives the same rows.
        let again = TestDb::empty(database);
        Backup::of(&target).move_to(&again).unwrap();
        again.execute("DELETE FROM auth_events WHERE kind = 'restored'");
        assert_eq!(content(&again), content(&source), "through {kind:?}");
    }
}

const NEW_USER: &str = "INSERT INTO users (email, email_canonical, password_hash, created_at)
    SELECT 'new', 'new', 'p', created_at FROM users LIMIT 1";

/// Access tokens outlive deleted accounts and copies: a reused id would give their rights to another account.
async fn an_id_is_never_reused_after_a_restore(database: Database) {
    let source = TestDb::migrated(database);
    insert_odd_rows(&source);
    if database == Database::Postgres {
        source.value("SELECT setval(pg_get_serial_sequence('users', 'id'), 12)");
    }
    source.execute(NEW_USER);
    assert_eq!(source.execute("DELETE FROM users WHERE id = 13"), 1);
    let backup = Backup::of(&source);
    for kind in BOTH {
        let moved = TestDb::empty(kind);
        backup.move_to(&moved).unwrap();
        moved.execute(NEW_USER);
        assert_eq!(moved.number("SELECT id FROM users WHERE email = 'new'"), 14, "{kind:?}");

        let copy = TestDb::empty(kind);
        backup.restore(&copy).unwrap();
        copy.execute(NEW_USER);
        assert_eq!(copy.number("SELECT id FROM users WHERE email = 'new'"), 1_000_014, "{kind:?}");
    }
}

async fn an_empty_database_is_restored_empty(database: Database) {
    let backup = Backup::of(&TestDb::migrated(database));
    for kind in BOTH {
        let target = TestDb::migrated(kind);
        backup.move_to(&target).unwrap();
        assert_eq!(content(&target).len(), 1, "the only row is the event of the restore");
        assert_eq!(target.number("SELECT id FROM auth_events"), 1);
    }
}

async fn every_table_and_every_column_is_covered(database: Database) {
    let db = TestDb::migrated(database);
    let Coverage { tables, not_content, .. } = coverage();
    let mut covered: Vec<_> = tables.iter().map(|table| table.name.to_owned()).collect();
    covered.extend(not_content.into_iter().map(str::to_owned));
    covered.sort();
    // A table that is backed up although its rows are not content.
    covered.dedup();
    assert_eq!(covered, db.tables());
    for table in tables {
        let names: Vec<_> = table.columns.iter().map(|column| column.name.clone()).collect();
        assert_eq!(names, db.columns(table.name));
        let kinds = table.columns.iter().map(|column| match column.kind {
            ColumnKind::Integer => "Int8",
            ColumnKind::Text => "Text",
            ColumnKind::Boolean => "Bool",
            ColumnKind::Instant => "Timestamptz",
            ColumnKind::Uuid => "Uuid",
            ColumnKind::Bytes => "Bytea",
        });
        let compiled = &schema()[table.name];
        assert_eq!(kinds.collect::<Vec<_>>(), compiled.iter().map(|(_, kind)| kind).collect::<Vec<_>>());
    }
}

/// The backup is as it was before two tables and some columns were added.
async fn an_older_backup_is_restored_with_defaults(database: Database) {
    let source = TestDb::migrated(database);
    insert_odd_rows(&source);
    let mut table = String::new();
    let older_form = |line: String| {
        let mut line: Value = serde_json::from_str(&line).unwrap();
        if let Some(name) = line.get("table").and_then(Value::as_str) {
            name.clone_into(&mut table);
        }
        if line.get("format").is_some() {
            line["schema"] = "00000000000002".into();
        } else if let Some(rows) = line.get_mut("rows") {
            rows.as_object_mut().unwrap().remove("known_networks");
            rows.as_object_mut().unwrap().remove("pending_registrations");
        } else if table == "known_networks" || table == "pending_registrations" {
            return None;
        } else if table == "mail_outbox" {
            let values = if line.is_array() { &mut line } else { &mut line["columns"] };
            values.as_array_mut().unwrap().truncate(9);
        }
        Some(line.to_string())
    };
    let lines: Vec<_> = Backup::of(&source).lines().into_iter().filter_map(older_form).collect();
    for kind in BOTH {
        let target = TestDb::empty(kind);
        Backup::from_lines(&lines).move_to(&target).unwrap();
        assert_eq!(target.number("SELECT count(*) FROM mail_outbox WHERE attempts = 0"), 12);
        assert_eq!(target.number("SELECT count(*) FROM known_networks"), 0);
        assert_eq!(target.number("SELECT count(*) FROM sessions"), 4);
    }
}

/// Names that an older release stored are migrated to the rules of this release.
async fn an_older_backup_is_restored_with_its_names_migrated(database: Database) {
    let source = TestDb::migrated(database);
    source.execute(
        "INSERT INTO users (email, email_canonical, password_hash, created_at)
         VALUES ('\u{200b}ada@example.com', '\u{200b}ada@example.com', '', '2026-01-02 03:04:05.000000')",
    );
    let mut lines = Backup::of(&source).lines();
    lines[0] = lines[0].replace(&newest_version(), "00000000000011");
    for kind in BOTH {
        let target = TestDb::empty(kind);
        Backup::from_lines(&lines).restore(&target).unwrap();
        assert_eq!(target.value("SELECT email_canonical FROM users").as_deref(), Some("ada@example.com"));
    }
}

async fn rows_of_an_older_copy_are_restored_as_their_table_declares(database: Database) {
    let source = TestDb::migrated(database);
    insert_odd_rows(&source);
    let backup = Backup::of(&source);
    for kind in BOTH {
        let restored = |rule, moving| {
            let target = TestDb::migrated(kind);
            let mut coverage = coverage();
            coverage.old_copy_rules.insert("known_networks", rule);
            let (database, identities) = (&target.parsed_url(), &no_identities());
            let now = ManualClock::START.parse().unwrap();
            restore(&backup.source(), &RestorePlan { database, coverage: &coverage, identities, moving, now }).unwrap();
            target.number("SELECT count(*) FROM known_networks")
        };
        let all = source.number("SELECT count(*) FROM known_networks");
        assert!(all > 0);
        assert_eq!(restored(OldCopyRule::Keep, false), all);
        assert_eq!(restored(OldCopyRule::Skip, false), 0);
        assert_eq!(restored(OldCopyRule::Skip, true), all, "a database that moves keeps everything");
    }
}

/// Without the columns, its sessions would come back live, or be lost without a word.
async fn a_copy_whose_sessions_cannot_be_revoked_is_refused(database: Database) {
    let source = TestDb::migrated(database);
    insert_odd_rows(&source);
    let mut index = None;
    let without_reason = |line: String| {
        let mut line: Value = serde_json::from_str(&line).unwrap();
        if let Some(columns) = line.get_mut("columns").and_then(Value::as_array_mut) {
            index = columns.iter().position(|column| column["name"] == "revoke_reason");
            index.map(|index| columns.remove(index));
        } else if let (Some(row), Some(index)) = (line.as_array_mut(), index) {
            row.remove(index);
        }
        line.to_string()
    };
    let lines: Vec<_> = Backup::of(&source).lines().into_iter().map(without_reason).collect();
    let target = TestDb::migrated(database);
    let before = target.content();
    let message = Backup::from_lines(&lines).restore(&target).unwrap_err().to_string();
    assert!(message.contains("its table sessions has no column revoke_reason"), "{message}");
    assert_eq!(target.content(), before);
}
