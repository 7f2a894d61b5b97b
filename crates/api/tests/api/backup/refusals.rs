//! What is not a whole, readable backup is refused before the database is touched; a restore is whole or nothing.

use super::rows::insert_odd_rows;
use super::{BOTH, Backup, key, plan};
use crate::support::{Database, TestDb, coverage, eventually, on_both_databases};
use api::config::DatabaseUrl;
use api::service::backup::{Identities, create_file, verify};
use std::io::Write;
use std::process::{Command, Stdio};

on_both_databases![
    a_database_with_a_row_is_refused_and_stays_as_it_is,
    a_damaged_backup_is_refused_before_the_database_is_touched,
    a_row_that_the_database_refuses_leaves_it_empty,
    a_restore_that_is_killed_leaves_an_empty_database,
    a_database_of_another_release_is_not_backed_up,
];

fn filled() -> TestDb {
    let db = TestDb::migrated(Database::Sqlite);
    insert_odd_rows(&db);
    db
}

fn refusal(backup: &Backup) -> String {
    backup.verify().unwrap_err().to_string()
}

#[test]
fn a_backup_that_was_cut_short_is_refused_at_every_length() {
    let bytes = Backup::of(&filled()).bytes();
    for length in 0..bytes.len() {
        let told = refusal(&Backup::from_bytes(&bytes[..length]));
        let expected = if length < 4 { "not a backup" } else { "damaged, cut short" };
        assert!(told.contains(expected), "{length} of {}: {told}", bytes.len());
        assert!(!told.contains('\n'), "{told}");
    }
}

/// The parts of the form that change nothing when they are changed, too.
#[test]
fn a_backup_with_one_bit_changed_is_refused_wherever_it_is() {
    let bytes = Backup::of(&filled()).bytes();
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1 << (place % 8);
        refusal(&Backup::from_bytes(&changed));
    }
    let mut longer = bytes.clone();
    longer.push(0);
    refusal(&Backup::from_bytes(&longer));
    refusal(&Backup::from_bytes(&[bytes.clone(), bytes].concat()));
}

#[test]
fn an_encrypted_backup_is_opened_by_each_of_its_keys_and_by_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let ((one, one_file), (other, other_file), (_, foreign)) =
        (key(folder.path()), key(folder.path()), key(folder.path()));
    let db = filled();
    let backup = Backup::encrypted_to(&db, vec![one, other]);
    let plain = Backup::of(&db);
    for file in [one_file, other_file.clone()] {
        let contents = verify(&backup.source(), &Identities::read(Some(&file)).unwrap(), &coverage()).unwrap();
        assert_eq!(contents, plain.verify().unwrap());
    }
    assert!(!String::from_utf8_lossy(&backup.bytes()).contains("latchkey"));
    let told = |file| verify(&backup.source(), &Identities::read(file).unwrap(), &coverage()).unwrap_err().to_string();
    assert!(told(Some(&foreign)).contains("none of the keys"), "{}", told(Some(&foreign)));
    assert!(told(None).contains("--identity"), "{}", told(None));

    let bytes = backup.bytes();
    let identities = Identities::read(Some(&other_file)).unwrap();
    for place in (0..bytes.len()).step_by(7) {
        let mut changed = bytes.clone();
        changed[place] ^= 0x10;
        verify(&Backup::from_bytes(&changed).source(), &identities, &coverage()).unwrap_err();
        verify(&Backup::from_bytes(&bytes[..place]).source(), &identities, &coverage()).unwrap_err();
    }
}

#[test]
fn a_file_that_holds_no_key_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.txt");
    for content in ["", "# nothing\n", "AGE-SECRET-KEY-1NOTONE\n", "age1notasecret\n"] {
        std::fs::write(&file, content).unwrap();
        let told = Identities::read(Some(&file)).unwrap_err();
        assert!(told.starts_with("the file of --identity, /"), "{content:?}: {told}");
        assert!(!told.contains("NOTONE"), "{told}");
    }
    assert!(Identities::read(Some(&folder.path().join("missing"))).unwrap_err().contains("missing"));
}

#[test]
fn what_is_no_backup_is_told() {
    let lines = Backup::of(&filled()).lines();
    let with = |from: &str, to: &str| {
        let changed: Vec<_> = lines.iter().map(|line| line.replace(from, to)).collect();
        assert_ne!(changed, lines, "{from} is not in the backup");
        refusal(&Backup::from_lines(&changed))
    };
    let foreign = "this is not a backup of Latchkey";
    for bytes in [&b""[..], b"SQLite format 3\0", b"-----BEGIN", &[0x1f, 0x8b, 8, 0, 0]] {
        assert_eq!(refusal(&Backup::from_bytes(bytes)), foreign);
    }
    assert_eq!(refusal(&Backup::from_lines(&["{}".to_owned()])), foreign);
    assert_eq!(with("latchkey-backup", "something-else"), foreign);
    let newer = "the backup was made by a newer release";
    assert!(with("\"version\":1", "\"version\":2").starts_with(newer));
    assert!(with("\"schema\":\"0", "\"schema\":\"9").starts_with(newer));
    for (from, to, told) in [
        ("\"table\":\"sessions\"", "\"table\":\"others\"", "unknown table, others"),
        ("\"name\":\"jti\"", "\"name\":\"other\"", "unknown column, other"),
        ("\"kind\":\"uuid\"", "\"kind\":\"text\"", "unknown column, id"),
        ("[12,\"e\",", "[\"12\",\"e\",", "a value of the column id has the wrong type"),
        ("[12,\"e\",", "[12,\"e\",1,", "a row has 15 values"),
        ("[12,\"e\",", "12,\"e\",", "an unknown form"),
        ("\"users\":12", "\"users\":13", "rows are missing"),
        ("2026-11-25T02:20:28.000000Z", "2026-11-25T02:20:28Z", "has the wrong type"),
        ("2026-11-25T02:20:28.000000Z", "2026-13-25T02:20:28.000000Z", "has the wrong type"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.99999+01", "has the wrong type"),
    ] {
        assert!(with(from, to).contains(told), "{from} → {to}: {}", with(from, to));
    }
    let (all, whole) = (lines.len(), |lines: &[String]| refusal(&Backup::from_lines(lines)));
    assert!(whole(&lines[..all - 1]).contains("its end is missing"));
    assert!(whole(&[&lines[..], &["[1]".to_owned()]].concat()).contains("something follows"));
    assert!(whole(&[&lines[..1], &["[1]".to_owned()], &lines[1..]].concat()).contains("a row belongs to no table"));
    assert!(whole(&[&lines[..all - 2], &lines[all - 1..]].concat()).contains("rows are missing"));
    assert!(whole(&[&lines[..1], &["x".repeat(5_000_000)]].concat()).contains("a line is too long"));
}

async fn a_database_with_a_row_is_refused_and_stays_as_it_is(database: Database) {
    let backup = Backup::of(&filled());
    let target = TestDb::migrated(database);
    insert_odd_rows(&target);
    let before = target.content();
    let told = backup.restore(&target).unwrap_err().to_string();
    let tables = "auth_events, known_networks, mail_outbox, one_time_tokens, pending_registrations, sessions, users";
    assert!(told.contains(tables), "{told}");
    assert_eq!(target.content(), before);

    // Somebody else's table counts, too; a database that only another release has migrated is not migrated first.
    let foreign = TestDb::empty(database);
    foreign.execute("CREATE TABLE guests (name text)");
    foreign.execute("INSERT INTO guests VALUES ('Ada')");
    let told = backup.restore(&foreign).unwrap_err().to_string();
    assert!(told.contains("rows in guests;"), "{told}");
    assert_eq!(foreign.tables(), ["guests"]);

    // When the last backup was made of an empty database is no reason to refuse, and is forgotten.
    let empty = TestDb::migrated(database);
    empty.execute("INSERT INTO last_backup SELECT 'b', due, 1 FROM (SELECT max(created_at) AS due FROM users) AS u WHERE due IS NOT NULL");
    backup.restore(&empty).unwrap();
    assert_eq!(empty.number("SELECT count(*) FROM last_backup"), 0);
}

async fn a_damaged_backup_is_refused_before_the_database_is_touched(database: Database) {
    let mut bytes = Backup::of(&filled()).bytes();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let target = TestDb::empty(database);
    let told = Backup::from_bytes(&bytes).restore(&target).unwrap_err().to_string();
    assert!(told.contains("damaged"), "{told}");
    if let DatabaseUrl::Sqlite(file) = target.parsed_url() {
        assert!(!file.exists());
    }
    assert_eq!(target.tables(), Vec::<String>::new(), "it is not even migrated");
}

async fn a_row_that_the_database_refuses_leaves_it_empty(database: Database) {
    let lines = Backup::of(&filled()).lines();
    // The last table refers to the first one: all rows before are in when this one is refused.
    let astray =
        |line: &String| if line.starts_with("[12,\"e\"") { line.replace("[12,", "[13,") } else { line.clone() };
    let lines: Vec<_> = lines.iter().map(astray).collect();
    let target = TestDb::empty(database);
    Backup::from_lines(&lines).restore(&target).unwrap_err();
    assert!(target.tables().contains(&"users".to_owned()));
    assert_eq!(target.content(), Vec::<String>::new());
    Backup::of(&filled()).restore(&target).unwrap();
}

/// The archive comes through a pipe, so that it is known how far the restore has come.
async fn a_restore_that_is_killed_leaves_an_empty_database(database: Database) {
    let source = TestDb::migrated(Database::Sqlite);
    super::drill::insert_people(&source, 1, 3_000);
    let bytes = Backup::of(&source).bytes();
    assert!(bytes.len() > 500_000);
    let (target, folder) = (TestDb::empty(database), tempfile::tempdir().unwrap());
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut child = Command::new(env!("CARGO_BIN_EXE_api"))
        .args(["backup", "restore"])
        .arg(&pipe)
        .current_dir(folder.path())
        .env_clear()
        .env("DATABASE_URL", target.url())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::fs::write(&pipe, &bytes).unwrap();
    // The archive was proven when the schema is made; then it is read again.
    eventually("the schema is there", async || target.tables().contains(&"users".to_owned()).then_some(())).await;
    let mut second = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    second.write_all(&bytes[..bytes.len() - 100]).unwrap();
    assert!(child.try_wait().unwrap().is_none());
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(target.content(), Vec::<String>::new());
    for kind in BOTH {
        let again = if kind == database { &target } else { &TestDb::empty(kind) };
        Backup::from_bytes(&bytes).restore(again).unwrap();
        assert_eq!(again.number("SELECT count(*) FROM sessions"), 3_000);
    }
}

/// What a newer release has added would be missing; and a backup changes nothing, so an older schema stays.
async fn a_database_of_another_release_is_not_backed_up(database: Database) {
    let folder = tempfile::tempdir().unwrap();
    let told = |db: &TestDb| {
        let error = create_file(&plan(db, Vec::new()), &folder.path().join("backup")).unwrap_err();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
        error.to_string()
    };
    let db = TestDb::empty(database);
    let expected = if database == Database::Sqlite { "there is no database yet" } else { "lacks migrations" };
    assert!(told(&db).contains(expected), "{}", told(&db));
    assert_eq!(db.tables(), Vec::<String>::new());

    let db = TestDb::migrated(database);
    db.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('99999999999999')");
    assert!(told(&db).contains("newer release"), "{}", told(&db));
    db.execute("DELETE FROM __diesel_schema_migrations WHERE version > '00000000000001'");
    assert!(told(&db).contains("run `api migrate` first"), "{}", told(&db));
}
