//! A backup that is not whole and readable is refused before the database is touched; a restore is all or nothing.

use super::program::{api, done, failed};
use super::rows::insert_odd_rows;
use super::{BOTH, Backup, key, plan};
use crate::support::{Database, TestDb, coverage, eventually, execute, on_both_databases};
use api::config::DatabaseUrl;
use api::service::backup::{Identities, create_file, verify};
use std::process::{Command, Stdio};

on_both_databases![
    a_restore_into_a_database_with_rows_is_refused_and_changes_nothing,
    a_damaged_backup_is_refused_before_the_database_is_touched,
    a_row_that_the_database_refuses_leaves_it_empty,
    a_restore_from_standard_input_needs_a_file,
    a_restore_from_a_named_pipe_is_refused,
    a_restore_that_is_killed_leaves_an_empty_database,
    a_database_of_another_release_is_not_backed_up,
];

fn populated_db() -> TestDb {
    let db = TestDb::migrated(Database::Sqlite);
    insert_odd_rows(&db);
    db
}

fn refusal(backup: &Backup) -> String {
    backup.verify().unwrap_err().to_string()
}

#[test]
fn a_backup_that_was_cut_short_is_refused_at_every_length() {
    let bytes = Backup::of(&populated_db()).bytes();
    for length in 0..bytes.len() {
        let message = refusal(&Backup::from_bytes(&bytes[..length]));
        let expected = if length < 4 { "not a backup" } else { "damaged, cut short" };
        assert!(message.contains(expected), "{length} of {}: {message}", bytes.len());
        assert!(!message.contains('\n'), "{message}");
    }
}

/// This includes the parts of the format that carry no content.
#[test]
fn a_backup_with_one_bit_changed_is_refused_wherever_it_is() {
    let bytes = Backup::of(&populated_db()).bytes();
    for index in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[index] ^= 1 << (index % 8);
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
    let db = populated_db();
    let backup = Backup::encrypted_to(&db, vec![one, other]);
    let plain = Backup::of(&db);
    for file in [one_file, other_file.clone()] {
        let contents = verify(&backup.source(), &Identities::read(Some(&file)).unwrap(), &coverage()).unwrap();
        assert_eq!(contents, plain.verify().unwrap());
    }
    assert!(!String::from_utf8_lossy(&backup.bytes()).contains("latchkey"));
    let message =
        |file| verify(&backup.source(), &Identities::read(file).unwrap(), &coverage()).unwrap_err().to_string();
    assert!(message(Some(&foreign)).contains("none of the keys"), "{}", message(Some(&foreign)));
    assert!(message(None).contains("--identity"), "{}", message(None));

    let bytes = backup.bytes();
    let identities = Identities::read(Some(&other_file)).unwrap();
    for index in (0..bytes.len()).step_by(7) {
        let mut changed = bytes.clone();
        changed[index] ^= 0x10;
        verify(&Backup::from_bytes(&changed).source(), &identities, &coverage()).unwrap_err();
        verify(&Backup::from_bytes(&bytes[..index]).source(), &identities, &coverage()).unwrap_err();
    }
}

#[test]
fn an_identity_file_without_a_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.txt");
    for content in ["", "# nothing\n", "AGE-SECRET-KEY-1NOTONE\n", "age1notasecret\n"] {
        std::fs::write(&file, content).unwrap();
        let message = Identities::read(Some(&file)).unwrap_err();
        assert!(message.starts_with("the file of --identity, /"), "{content:?}: {message}");
        assert!(!message.contains("NOTONE"), "{message}");
    }
    assert!(Identities::read(Some(&folder.path().join("missing"))).unwrap_err().contains("missing"));
}

#[test]
fn a_file_that_is_not_a_whole_backup_is_refused_with_the_reason() {
    let lines = Backup::of(&populated_db()).lines();
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
    for (from, to, message) in [
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
        assert!(with(from, to).contains(message), "{from} → {to}: {}", with(from, to));
    }
    let all = lines.len();
    let refusal_of = |lines: &[String]| refusal(&Backup::from_lines(lines));
    assert!(refusal_of(&lines[..all - 1]).contains("its end is missing"));
    assert!(refusal_of(&[&lines[..], &["[1]".to_owned()]].concat()).contains("something follows"));
    assert!(
        refusal_of(&[&lines[..1], &["[1]".to_owned()], &lines[1..]].concat()).contains("a row belongs to no table")
    );
    assert!(refusal_of(&[&lines[..all - 2], &lines[all - 1..]].concat()).contains("rows are missing"));
    assert!(refusal_of(&[&lines[..1], &["x".repeat(5_000_000)]].concat()).contains("a line is too long"));
}

async fn a_restore_into_a_database_with_rows_is_refused_and_changes_nothing(database: Database) {
    let backup = Backup::of(&populated_db());
    let target = TestDb::migrated(database);
    insert_odd_rows(&target);
    let before = target.content();
    let message = backup.restore(&target).unwrap_err().to_string();
    let tables = "auth_events, known_networks, mail_outbox, one_time_tokens, pending_registrations, sessions, users";
    assert!(message.contains(tables), "{message}");
    assert_eq!(target.content(), before);

    // A foreign table counts, too, and the database is refused before it is migrated.
    let foreign = TestDb::empty(database);
    foreign.execute("CREATE TABLE guests (name text)");
    foreign.execute("INSERT INTO guests VALUES ('Ada')");
    let message = backup.restore(&foreign).unwrap_err().to_string();
    assert!(message.contains("rows in guests;"), "{message}");
    assert_eq!(foreign.tables(), ["guests"]);

    // The record of the last backup does not count as a row, and the restore deletes it.
    let empty = TestDb::migrated(database);
    empty.execute("INSERT INTO last_backup SELECT 'b', due, 1 FROM (SELECT max(created_at) AS due FROM users) AS u WHERE due IS NOT NULL");
    backup.restore(&empty).unwrap();
    assert_eq!(empty.number("SELECT count(*) FROM last_backup"), 0);
}

async fn a_damaged_backup_is_refused_before_the_database_is_touched(database: Database) {
    let mut bytes = Backup::of(&populated_db()).bytes();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let target = TestDb::empty(database);
    let message = Backup::from_bytes(&bytes).restore(&target).unwrap_err().to_string();
    assert!(message.contains("damaged"), "{message}");
    if let DatabaseUrl::Sqlite(file) = target.parsed_url() {
        assert!(!file.exists());
    }
    assert_eq!(target.tables(), Vec::<String>::new(), "the target is not even migrated");
}

async fn a_row_that_the_database_refuses_leaves_it_empty(database: Database) {
    let lines = Backup::of(&populated_db()).lines();
    // The last table refers to the first one, so all earlier rows are inserted when this one is refused.
    let dangling =
        |line: &String| if line.starts_with("[12,\"e\"") { line.replace("[12,", "[13,") } else { line.clone() };
    let lines: Vec<_> = lines.iter().map(dangling).collect();
    let target = TestDb::empty(database);
    Backup::from_lines(&lines).restore(&target).unwrap_err();
    assert!(target.tables().contains(&"users".to_owned()));
    assert_eq!(target.content(), Vec::<String>::new());
    Backup::of(&populated_db()).restore(&target).unwrap();
}

/// Its second reading would find the end.
async fn a_restore_from_standard_input_needs_a_file(database: Database) {
    let (target, folder) = (TestDb::empty(database), tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("backup"), Backup::of(&populated_db()).bytes()).unwrap();
    let restore = |input: Stdio| {
        let mut command = api(folder.path(), target.url(), &["restore", "/dev/stdin"]);
        command.stdin(input);
        command
    };
    let mut cat = Command::new("cat").arg(folder.path().join("backup")).stdout(Stdio::piped()).spawn().unwrap();
    let output = failed(restore(cat.stdout.take().unwrap().into()));
    assert!(
        output.starts_with("api: /dev/stdin is a pipe or a device, and a restore reads the backup twice"),
        "{output}"
    );
    cat.wait().unwrap();
    assert_eq!(target.tables(), Vec::<String>::new());
    let file = std::fs::File::open(folder.path().join("backup")).unwrap();
    assert!(done(restore(file.into())).starts_with("restored: "));
}

/// Its second reading would wait for another writer, and keep the tables locked.
async fn a_restore_from_a_named_pipe_is_refused(database: Database) {
    let (target, folder) = (TestDb::empty(database), tempfile::tempdir().unwrap());
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for source in [pipe.to_str().unwrap(), "/dev/null"] {
        let output = failed(api(folder.path(), target.url(), &["restore", source]));
        assert!(output.contains("is a pipe or a device, and a restore reads the backup twice"), "{output}");
    }
    assert_eq!(target.tables(), Vec::<String>::new());
}

/// The database is empty, but the first session waits for a lock, or for a query without an end.
async fn a_restore_that_is_killed_leaves_an_empty_database(database: Database) {
    let source = TestDb::migrated(Database::Sqlite);
    super::drill::insert_people(&source, 1, 3_000);
    let bytes = Backup::of(&source).bytes();
    let (target, folder) = (TestDb::of_the_program(database), tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("backup"), &bytes).unwrap();
    let mut holder = target.connect();
    let (setup, cleanup) = match database {
        Database::Sqlite => (
            vec![
                "CREATE VIEW endless AS WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n",
                "CREATE TRIGGER wait BEFORE INSERT ON sessions BEGIN SELECT count(*) FROM endless; END",
            ],
            vec!["DROP TRIGGER wait", "DROP VIEW endless"],
        ),
        Database::Postgres => (
            vec![
                "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END $$",
                "CREATE TRIGGER wait BEFORE INSERT ON sessions FOR EACH ROW EXECUTE FUNCTION wait()",
                "SELECT pg_advisory_lock(1)",
            ],
            vec!["SELECT pg_advisory_unlock(1)", "DROP TRIGGER wait ON sessions", "DROP FUNCTION wait"],
        ),
    };
    for statement in setup {
        execute(&mut holder, statement);
    }
    let mut child = api(folder.path(), target.url(), &["restore", "backup"]).stderr(Stdio::null()).spawn().unwrap();
    let loads = async || match database {
        // More rows than the cache holds are in the log before the commit.
        Database::Sqlite => {
            let log = format!("{}-wal", target.file().display());
            std::fs::metadata(log).is_ok_and(|log| log.len() > 1_000_000).then_some(())
        }
        Database::Postgres => {
            let waiting = "SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND wait_event = 'advisory'";
            (target.number(waiting) == 1).then_some(())
        }
    };
    eventually("the sessions are inserted", loads).await;
    assert!(child.try_wait().unwrap().is_none());
    child.kill().unwrap();
    child.wait().unwrap();
    for statement in cleanup {
        execute(&mut holder, statement);
    }
    assert_eq!(target.content(), Vec::<String>::new());
    for kind in BOTH {
        let again = if kind == database { &target } else { &TestDb::of_the_program(kind) };
        done(api(folder.path(), again.url(), &["restore", "backup"]));
        assert_eq!(again.number("SELECT count(*) FROM sessions"), 3_000);
    }
}

/// A backup of a newer schema would lack what that release added; and a backup never migrates an older schema.
async fn a_database_of_another_release_is_not_backed_up(database: Database) {
    let folder = tempfile::tempdir().unwrap();
    let refusal = |db: &TestDb| {
        let error = create_file(&plan(db, Vec::new()), &folder.path().join("backup")).unwrap_err();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "a refused backup leaves no file");
        error.to_string()
    };
    let db = TestDb::empty(database);
    let expected = if database == Database::Sqlite { "there is no database yet" } else { "lacks migrations" };
    assert!(refusal(&db).contains(expected), "{}", refusal(&db));
    assert_eq!(db.tables(), Vec::<String>::new());

    let db = TestDb::migrated(database);
    db.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('99999999999999')");
    assert!(refusal(&db).contains("newer release"), "{}", refusal(&db));
    db.execute("DELETE FROM __diesel_schema_migrations WHERE version > '00000000000001'");
    assert!(refusal(&db).contains("run `api migrate` first"), "{}", refusal(&db));
}
