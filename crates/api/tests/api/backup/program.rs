//! `api backup` as an operator runs it: its output and its exit status.

use super::drill::insert_people;
use super::rows::insert_odd_rows;
use super::{BOTH, id, key};
use crate::support::{
    BucketServer, Database, ShiftedClock, TestDb, eventually, execute, migrate_as_the_program, on_both_databases,
};
use api::clock::{Clock, SystemClock};
use api::config::StorageSettings;
use api::service::backup::BackupName;
use chrono::Duration;
use secrecy::ExposeSecret;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

on_both_databases![
    backups_are_created_listed_verified_and_restored,
    deployments_that_share_a_storage_keep_their_own_backups,
    a_stored_backup_replaces_the_outdated_ones_although_a_later_step_fails,
    a_backup_that_is_stopped_once_it_is_stored_stays_and_replaces_none,
    a_copy_that_shares_the_pictures_of_its_source_is_reported,
    a_backup_is_named_by_the_databases_clock_and_another_clock_deletes_nothing,
];

pub(super) fn api(folder: &Path, database_url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_api"));
    command.arg("backup").args(arguments).current_dir(folder).env_clear().env("DATABASE_URL", database_url);
    command
}

fn run(mut command: Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

/// SIGTERM, as the machine sends it when it shuts down.
pub(super) fn terminate(child: &Child) {
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
}

/// Runs a command that must succeed, and returns its standard output.
pub(super) fn done(command: Command) -> String {
    let (code, stdout, stderr) = run(command);
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    stdout
}

/// Runs a command that must fail with one line on standard error, and nothing on standard output.
pub(super) fn failed(command: Command) -> String {
    let (code, stdout, stderr) = run(command);
    assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
    assert!(stderr.starts_with("api: ") && stderr.trim_end().lines().count() == 1, "{stderr}");
    stderr
}

/// The way out of a database that the start refuses.
#[actix_web::test]
async fn a_database_of_another_encoding_is_backed_up_and_nothing_is_restored_into_it() {
    let (db, folder) = (TestDb::of_the_program(Database::Postgres), tempfile::tempdir().unwrap());
    db.set_encoding("LATIN1");
    // The database of an earlier release.
    db.execute("DROP TABLE database_identity");
    db.execute("DELETE FROM __diesel_schema_migrations WHERE version = '00000000000014'");
    assert!(failed(api(folder.path(), db.url(), &["create"])).contains("run `api migrate` first"));
    let mut migrate = Command::new(env!("CARGO_BIN_EXE_api"));
    migrate.current_dir(folder.path()).env("DATABASE_URL", db.url()).arg("migrate");
    done(migrate);
    done(api(folder.path(), db.url(), &["create"]));
    let target = TestDb::empty(Database::Postgres);
    target.set_encoding("SQL_ASCII");
    let restore = || api(folder.path(), target.url(), &["restore", "latest", "--moving"]);
    assert!(failed(restore()).contains("has the encoding SQL_ASCII and needs UTF8"));
    target.set_encoding("UTF8");
    done(restore());
}

async fn backups_are_created_listed_verified_and_restored(database: Database) {
    let (db, folder) = (TestDb::of_the_program(database), tempfile::tempdir().unwrap());
    insert_odd_rows(&db);
    let (recipient, key) = key(folder.path());
    let (folder, key) = (folder.path(), key.to_str().unwrap());
    let on = |arguments: &[&str]| api(folder, db.url(), arguments);
    assert_eq!(failed(on(&["verify", "latest"])), "api: there is no backup in the storage\n");

    let mut first = on(&["create"]);
    first.env("BACKUP_AGE_RECIPIENT", recipient.to_string());
    let output = done(first);
    assert!(output.starts_with("made latchkey-2") && output.contains(".zst.age: 66 rows, "), "{output}");
    let listed = done(on(&["list"]));
    let name = listed.split_whitespace().next().unwrap();
    assert!(output.contains(name), "{listed}");
    let json: Value = serde_json::from_str(&done(on(&["list", "--json"]))).unwrap();
    assert_eq!((&json[0]["name"], &json[0]["encrypted"]), (&name.into(), &true.into()));
    assert_eq!(db.value("SELECT name FROM last_backup").unwrap(), name);

    let output = failed(on(&["verify", name]));
    assert_eq!(output, "api: the backup is encrypted; name the file of the key that opens it with --identity\n");
    for name in [name, "latest", &format!("data/files/backups/{name}")] {
        // `verify` needs no database, and for a file nothing else.
        let output = done(api(folder, "postgres://nobody@127.0.0.1:1/none", &["verify", name, "--identity", key]));
        assert!(output.starts_with("whole: made at 2") && output.contains("\n          12 users\n"), "{output}");
        assert!(failed(on(&["restore", name, "--identity", key])).contains("rows in auth_events, known_networks"));
        for kind in BOTH {
            let target = TestDb::empty(kind);
            let output = done(api(folder, target.url(), &["restore", name, "--identity", key]));
            assert!(output.starts_with("restored: made at 2"), "{output}");
            assert_eq!(target.number("SELECT count(*) FROM users"), 12);
            assert_eq!(target.number("SELECT count(*) FROM sessions WHERE revoked_at IS NULL"), 0);
            let moved = TestDb::empty(kind);
            done(api(folder, moved.url(), &["restore", name, "--identity", key, "--moving"]));
            assert_eq!(moved.number("SELECT count(*) FROM sessions WHERE revoked_at IS NULL"), 2);
        }
    }

    let output = done(on(&["create", "--to", "here", "--recipient", &recipient.to_string()]));
    assert!(output.starts_with("made here: 66 rows"), "{output}");
    done(on(&["verify", "here", "--identity", key]));
    assert_eq!(done(on(&["list"])), listed, "a file is not in the storage");
    assert!(failed(on(&["create", "--to", "no/where"])).contains("cannot be written: No such file"));
    assert!(
        failed(on(&["create", "--recipient", "AGE-SECRET-KEY-1X"])).starts_with("api: --recipient is not a public")
    );
    assert!(failed(on(&["verify", "nowhere"])).contains("nowhere cannot be opened"));
    assert!(failed(on(&["verify", "latchkey-20200101T000000Z.zst"])).contains("there is no backup latchkey-2020"));
}

/// A file in the working directory named like a backup, or named `latest`, is not mistaken for one in the storage.
#[actix_web::test]
async fn a_name_means_a_stored_backup_and_a_path_means_a_file() {
    const LOST: &str = "latchkey-20200101T000000Z.zst";
    let (db, folder) = (TestDb::of_the_program(Database::Sqlite), tempfile::tempdir().unwrap());
    let on = |arguments: &[&str]| api(folder.path(), db.url(), arguments);
    for name in ["latest", LOST] {
        done(on(&["create", "--to", name]));
    }
    assert_eq!(failed(on(&["verify", "latest"])), "api: there is no backup in the storage\n");
    let output = failed(on(&["restore", LOST]));
    assert_eq!(output, format!("api: there is no backup {LOST} in the storage; a file of this name is ./{LOST}\n"));
    insert_odd_rows(&db);
    done(on(&["create"]));
    assert!(done(on(&["verify", "latest"])).contains("\n          12 users\n"));
    for file in ["./latest", &format!("./{LOST}")] {
        assert!(!done(on(&["verify", file])).contains("12 users"), "{file}");
    }
    std::fs::remove_file(folder.path().join("latest")).unwrap();
    std::fs::create_dir(folder.path().join("latest")).unwrap();
    done(on(&["verify", "latest"]));
}

#[actix_web::test]
async fn a_new_backup_deletes_the_outdated_ones() {
    let (db, folder) = (TestDb::of_the_program(Database::Sqlite), tempfile::tempdir().unwrap());
    let backups = folder.path().join("data/files/backups");
    std::fs::create_dir_all(&backups).unwrap();
    let id = id(&db);
    for day in 10..20 {
        std::fs::write(
            backups.join(format!("latchkey-202501{day}T030000Z-{id}.zst")),
            "age-encryption.org/v1\n-> Latchkey backup\n",
        )
        .unwrap();
    }
    let mut command = api(folder.path(), db.url(), &["create"]);
    command.env("BACKUP_KEEP", "3d");
    let output = done(command);
    assert_eq!(output.lines().filter(|line| line.starts_with("deleted latchkey-202501")).count(), 8, "{output}");
    assert_eq!(std::fs::read_dir(&backups).unwrap().count(), 3);
    assert_eq!(done(api(folder.path(), db.url(), &["list"])).lines().count(), 3);
}

/// Two deployments keep their nightly backups in one storage, and each keeps one.
async fn deployments_that_share_a_storage_keep_their_own_backups(database: Database) {
    let folder = tempfile::tempdir().unwrap();
    let deployments = [TestDb::empty(database), TestDb::empty(database)];
    let on = |db: &TestDb, arguments: &[&str]| {
        let mut command = api(folder.path(), db.url(), arguments);
        command.env("BACKUP_KEEP", "1d");
        command
    };
    let mut earlier = Vec::new();
    for db in &deployments {
        migrate_as_the_program(&db.parsed_url()).unwrap();
        earlier.push(put_yesterdays(folder.path(), db));
    }
    for (db, other) in [(&deployments[0], 1), (&deployments[1], 1)] {
        let output = done(on(db, &["create"]));
        let deleted: Vec<_> = output.lines().filter_map(|line| line.strip_prefix("deleted ")).collect();
        assert_eq!(deleted, [earlier.remove(0).file_name().unwrap()], "{output}");
        assert!(output.contains(&format!("kept {other} that this database is not known to have made\n")), "{output}");
    }
    for db in &deployments {
        insert_odd_rows(db);
        done(on(db, &["verify", "latest"]));
    }
    let target = TestDb::empty(database);
    let output = failed(on(&target, &["restore", "latest"]));
    assert!(output.contains("of several databases; name one, such as latchkey-2"), "{output}");
    let listed = done(on(&target, &["list"]));
    let own = id(&deployments[0]).to_string();
    let name = listed.lines().find(|line| line.contains(&own)).unwrap().split(' ').next().unwrap();
    done(on(&target, &["restore", name]));
    assert_ne!(id(&target), id(&deployments[0]), "a copy is another database");
}

#[actix_web::test]
async fn a_backup_from_the_future_is_listed_with_a_warning_and_is_not_the_latest() {
    let (db, folder) = (TestDb::of_the_program(Database::Sqlite), tempfile::tempdir().unwrap());
    let name_ahead = format!("latchkey-20991231T235959Z-{}.zst", id(&db));
    let name_ahead = name_ahead.as_str();
    let backups = folder.path().join("data/files/backups");
    std::fs::create_dir_all(&backups).unwrap();
    std::fs::write(backups.join(name_ahead), "junk").unwrap();
    let on = |arguments: &[&str]| {
        let mut command = api(folder.path(), db.url(), arguments);
        command.env("BACKUP_KEEP", "1d");
        command
    };
    let warning = format!("warning: {name_ahead} does not count: it is named later than now\n");
    let none = "api: there is no backup in the storage\n";
    assert_eq!(run(on(&["verify", "latest"])), (1, warning.clone(), none.to_owned()));
    for arguments in [["create"].as_slice(), &["create"], &["verify", "latest"]] {
        assert!(done(on(arguments)).contains(&warning));
    }
    assert!(failed(on(&["verify", name_ahead])).contains("not a backup of Latchkey"));
    let listed = done(on(&["list"]));
    // Two backups in the same second have the same name, so the number of lines varies.
    let lines: Vec<_> = listed.lines().collect();
    let (ahead, made) = lines.split_last().unwrap();
    let warning = "warning: named later than now, so it is not the latest";
    assert!(ahead.starts_with(name_ahead) && ahead.ends_with(warning), "{listed}");
    assert!(!made.is_empty() && made.iter().all(|line| !line.contains("warning")), "{listed}");
    let json: Vec<Value> = serde_json::from_str(&done(on(&["list", "--json"]))).unwrap();
    let are_ahead: Vec<_> = json.iter().map(|backup| backup["is_ahead"].as_bool().unwrap()).collect();
    assert_eq!(are_ahead, [vec![false; made.len()], vec![true]].concat());
}

/// The machine's clock is 40 days off. SQLite uses the same clock, so there the error cannot be noticed.
async fn a_backup_is_named_by_the_databases_clock_and_another_clock_deletes_nothing(database: Database) {
    let db = TestDb::of_the_program(database);
    for days in [40, -40] {
        let folder = tempfile::tempdir().unwrap();
        let backups = folder.path().join("data/files/backups");
        std::fs::create_dir_all(&backups).unwrap();
        let earlier = (1..=9).map(|days| {
            let made_at = SystemClock.now() - Duration::days(days);
            BackupName { made_at, database: Some(id(&db)), encrypted: false }.to_string()
        });
        let earlier: Vec<_> = earlier.collect();
        done(api(folder.path(), db.url(), &["create", "--to", "backup"]));
        for name in &earlier {
            std::fs::copy(folder.path().join("backup"), backups.join(name)).unwrap();
        }
        let clock = ShiftedClock::ahead(Duration::days(days));
        let with_a_wrong_clock = |arguments: &[&str], database_url: &str| {
            let mut command = api(folder.path(), database_url, arguments);
            command.envs(clock.variables()).env("BACKUP_KEEP", "3d");
            run(command)
        };
        let (code, stdout, stderr) = with_a_wrong_clock(&["create"], db.url());
        let left = std::fs::read_dir(&backups).unwrap().count();
        if database == Database::Sqlite {
            assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
            continue;
        }
        assert_eq!((code, left), (1, earlier.len() + 1), "{stdout}{stderr}");
        assert!(stderr.contains(" is stored, but no backup is deleted: this machine's clock differs"), "{stderr}");
        assert!(!stdout.contains("deleted"), "{stdout}");

        // `restore latest` finds it as the newest, even with the wrong clock.
        let made = stdout.strip_prefix("made ").unwrap().split(':').next().unwrap();
        let listed = done(api(folder.path(), db.url(), &["list"]));
        assert!(listed.lines().last().unwrap().starts_with(made) && !listed.contains("warning"), "{listed}");
        let target = TestDb::empty(database);
        let (code, stdout, stderr) = with_a_wrong_clock(&["restore", "latest"], target.url());
        assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
        assert!(!stdout.contains("warning"), "{stdout}");
        let restored =
            target.value("SELECT CAST(at AS text) AS value FROM auth_events WHERE kind = 'restored'").unwrap();
        assert!(restored.starts_with(&SystemClock.now().format("%Y-%m").to_string()), "{restored}");
    }
}

/// Puts a backup of yesterday into the storage and returns its file. With `BACKUP_KEEP=1d` the next one replaces it.
fn put_yesterdays(folder: &Path, db: &TestDb) -> PathBuf {
    let backups = folder.join("data/files/backups");
    std::fs::create_dir_all(&backups).unwrap();
    done(api(folder, db.url(), &["create", "--to", "backup"]));
    let made_at = SystemClock.now() - Duration::days(1);
    let file = backups.join(BackupName { made_at, database: Some(id(db)), encrypted: false }.to_string());
    std::fs::copy(folder.join("backup"), &file).unwrap();
    file
}

/// The signal arrives while the backup is being recorded in the database.
async fn a_backup_that_is_stopped_once_it_is_stored_stays_and_replaces_none(database: Database) {
    let (db, folder) = (TestDb::of_the_program(database), tempfile::tempdir().unwrap());
    let yesterdays = put_yesterdays(folder.path(), &db);
    let names = || {
        let entries = std::fs::read_dir(yesterdays.parent().unwrap()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    };
    let mut holder = db.connect();
    let hold = match database {
        Database::Sqlite => &["BEGIN IMMEDIATE"][..],
        Database::Postgres => &["BEGIN", "LOCK TABLE last_backup IN ACCESS EXCLUSIVE MODE"],
    };
    for statement in hold {
        execute(&mut holder, statement);
    }
    let mut command = api(folder.path(), db.url(), &["create"]);
    command.env("BACKUP_KEEP", "1d").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let is_stored = async || {
        let names = names();
        (names.len() == 2 && Path::new(&names[1]).extension().is_some_and(|kind| kind == "zst"))
            .then(|| names[1].clone())
    };
    let made = eventually("the backup is stored", is_stored).await;
    terminate(&child);
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.next().unwrap().starts_with("api: stopping"));
    execute(&mut holder, "ROLLBACK");
    assert_eq!(lines.next().unwrap(), format!("api: {made} is stored, but a signal stopped the command"));
    let Output { status, stdout, .. } = child.wait_with_output().unwrap();
    assert_eq!((status.code(), lines.next()), (Some(1), None));
    let stdout = String::from_utf8(stdout).unwrap();
    assert!(stdout.starts_with(&format!("made {made}: ")) && !stdout.contains("deleted"), "{stdout}");
    assert!(yesterdays.exists());
    assert_eq!(db.value("SELECT name AS value FROM last_backup").unwrap(), made);
    done(api(folder.path(), db.url(), &["verify", &made]));
}

/// A nightly job whose output or database takes no writes must not fill the storage.
async fn a_stored_backup_replaces_the_outdated_ones_although_a_later_step_fails(database: Database) {
    let (db, folder) = (TestDb::of_the_program(database), tempfile::tempdir().unwrap());
    let create = |arguments: &[&str]| {
        let mut command = api(folder.path(), db.url(), arguments);
        command.env("BACKUP_KEEP", "1d");
        command
    };
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    let closed = || std::io::pipe().unwrap().1;
    for stdout in [Stdio::from(full()), Stdio::from(closed())] {
        let yesterdays = put_yesterdays(folder.path(), &db);
        let output = create(&["create"]).stdout(stdout).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.starts_with("api: latchkey-2"), "{stderr}");
        assert!(stderr.contains(".zst is stored, but standard output cannot be written: "), "{stderr}");
        assert!(!yesterdays.exists());
        let output = create(&["create", "--to", "here"]).stdout(full()).output().unwrap();
        assert!(output.stderr.starts_with(b"api: here is stored, but standard output cannot be written: "));
    }
    if database == Database::Postgres {
        let yesterdays = put_yesterdays(folder.path(), &db);
        let name = db.value("SELECT current_database()").unwrap();
        db.execute(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
        let (code, stdout, stderr) = run(create(&["create"]));
        assert_eq!(code, 1, "{stdout}");
        assert!(stderr.contains(".zst is stored, but cannot be recorded in the database"), "{stderr}");
        assert!(stdout.starts_with("made ") && stdout.contains("\ndeleted "), "{stdout}");
        assert!(!yesterdays.exists());
    }
}

/// A test restore in the place of the source: what the copy's owner replaces, the source's owner loses.
async fn a_copy_that_shares_the_pictures_of_its_source_is_reported(database: Database) {
    const WARNING: &str = "warning: the pictures of these accounts are in this storage.";
    const KEY: &str = "00112233445566778899aabbccddeeff.png";
    let (db, folder) = (TestDb::of_the_program(database), tempfile::tempdir().unwrap());
    insert_people(&db, 1, 2);
    db.execute(&format!("UPDATE users SET avatar_key = '{KEY}' WHERE id = 2"));
    let pictures = folder.path().join("data/files/avatars");
    std::fs::create_dir_all(&pictures).unwrap();
    std::fs::write(pictures.join(KEY), "a picture").unwrap();
    done(api(folder.path(), db.url(), &["create"]));
    let restore = |arguments: &[&str]| {
        let target = TestDb::empty(database);
        done(api(folder.path(), target.url(), &[&["restore", "latest"], arguments].concat()))
    };
    assert!(restore(&[]).contains(WARNING));
    assert!(!restore(&["--moving"]).contains(WARNING), "the source is gone");
    std::fs::remove_dir_all(pictures).unwrap();
    assert!(!restore(&[]).contains(WARNING), "the pictures are elsewhere");
}

/// `api … 2>&1 | head -1`, and a full disk.
#[actix_web::test]
async fn an_output_that_cannot_be_written_changes_no_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let full = || Stdio::from(std::fs::File::options().write(true).open("/dev/full").unwrap());
    let closed = || Stdio::from(std::io::pipe().unwrap().1);
    let smoke = ["smoke", "--api", "http://127.0.0.1:1", "--web", "http://127.0.0.1:1"];
    for (arguments, code) in [
        (&["openapi"][..], 1),
        (&["generate-secret"], 1),
        (&["check"], 1),
        (&["backup", "verify", "nowhere"], 1),
        (&["--version"], 0),
        (&["nonsense"], 2),
        (&smoke, 1),
    ] {
        for stream in [full as fn() -> Stdio, closed] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_api"));
            command.args(arguments).current_dir(folder.path()).env_clear().stdout(stream()).stderr(stream());
            assert_eq!(command.status().unwrap().code(), Some(code), "{arguments:?}");
        }
    }
}

#[actix_web::test]
async fn a_bucket_that_refuses_fails_the_backup() {
    let (db, folder, server) =
        (TestDb::of_the_program(Database::Sqlite), tempfile::tempdir().unwrap(), BucketServer::start());
    let with_secret = |secret: &str| {
        let StorageSettings::S3(s3) = server.settings_with(secret) else { unreachable!() };
        let mut command = api(folder.path(), db.url(), &["create"]);
        command
            .env("AWS_STORAGE_BUCKET_NAME", s3.bucket)
            .env("AWS_ACCESS_KEY_ID", s3.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", s3.secret_access_key.expose_secret())
            .env("AWS_S3_ENDPOINT_URL", s3.endpoint.unwrap());
        command
    };
    let output = failed(with_secret("h2Lk9sDf7aPq3ZxC"));
    assert!(output.contains("cannot write backups/latchkey-2") && output.contains("SignatureDoesNotMatch"), "{output}");
    assert_eq!(server.names(), Vec::<String>::new());
    assert_eq!(db.number("SELECT count(*) FROM last_backup"), 0);
    let StorageSettings::S3(s3) = server.settings() else { unreachable!() };
    let output = done(with_secret(s3.secret_access_key.expose_secret()));
    assert_eq!(server.names().len(), 1, "{output}");
    assert_eq!(db.number("SELECT count(*) FROM last_backup"), 1);
}

/// Keys from other programs, which are not valid paths here, stop neither the list nor the deletion.
#[actix_web::test]
async fn odd_names_among_the_backups_stop_neither_the_list_nor_the_deletion() {
    const ODD: [&str; 11] = [
        "odd\nname",
        "\u{1}",
        "latchkey-20250110T030000Z.zst.old/inner",
        ".hidden",
        // These sort before, among, between and after the listed ones.
        "latchkey-\u{1}",
        "latchkey-20250112T030000Z.zst\r",
        "latchkey-20250112T030000Z.zst\n",
        "latchkey-20250115T030000Z.zst\r\n",
        "latchkey-20250115T030000Z\u{7f}",
        "latchkey-2025011\t",
        "latchkey-z\u{1f}",
    ];
    let (db, folder, server) =
        (TestDb::of_the_program(Database::Sqlite), tempfile::tempdir().unwrap(), BucketServer::start());
    let id = id(&db);
    for backups in [folder.path().join("data/files/backups"), server.path().join("backups")] {
        for odd in ODD {
            let file = backups.join(odd);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, "x").unwrap();
        }
        for day in 10..20 {
            std::fs::write(
                backups.join(format!("latchkey-202501{day}T030000Z-{id}.zst")),
                "age-encryption.org/v1\n-> Latchkey backup\n",
            )
            .unwrap();
        }
    }
    let StorageSettings::S3(s3) = server.settings() else { unreachable!() };
    let bucket = [
        ("AWS_STORAGE_BUCKET_NAME", s3.bucket),
        ("AWS_ACCESS_KEY_ID", s3.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", s3.secret_access_key.expose_secret().to_owned()),
        ("AWS_S3_ENDPOINT_URL", s3.endpoint.unwrap()),
    ];
    for variables in [&[][..], &bucket[..]] {
        let on = |arguments: &[&str]| {
            let mut command = api(folder.path(), db.url(), arguments);
            command.envs(variables.iter().map(|(name, value)| (name, value))).env("BACKUP_KEEP", "3d");
            command
        };
        let output = done(on(&["create"]));
        assert_eq!(output.lines().filter(|line| line.starts_with("deleted latchkey-202501")).count(), 8, "{output}");
        assert_eq!(done(on(&["list"])).lines().count(), 3);
    }
}
