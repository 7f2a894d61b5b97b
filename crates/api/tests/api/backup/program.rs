//! `api backup` as an operator runs it: what it prints, and how it exits.

use super::rows::insert_odd_rows;
use super::{BOTH, key};
use crate::support::{BucketServer, Database, ShiftedClock, TestDb, on_both_databases};
use api::clock::{Clock, SystemClock};
use api::config::{DatabaseUrl, StorageSettings};
use api::service::backup::BackupName;
use chrono::Duration;
use secrecy::ExposeSecret;
use serde_json::Value;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::process::{Command, Output};

on_both_databases![
    backups_are_made_listed_proven_and_restored,
    a_backup_is_named_by_the_databases_clock_and_nothing_is_deleted_by_another,
];

fn api(folder: &Path, database_url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_api"));
    command.arg("backup").args(arguments).current_dir(folder).env_clear().env("DATABASE_URL", database_url);
    command
}

fn run(mut command: Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

fn done(command: Command) -> String {
    let (code, stdout, stderr) = run(command);
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    stdout
}

/// One line, and nothing on standard output.
fn failed(command: Command) -> String {
    let (code, stdout, stderr) = run(command);
    assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
    assert!(stderr.starts_with("api: ") && stderr.trim_end().lines().count() == 1, "{stderr}");
    stderr
}

async fn backups_are_made_listed_proven_and_restored(database: Database) {
    let (db, folder) = (TestDb::of_the_program(database), tempfile::tempdir().unwrap());
    insert_odd_rows(&db);
    let (recipient, key) = key(folder.path());
    let (folder, key) = (folder.path(), key.to_str().unwrap());
    let on = |arguments: &[&str]| api(folder, db.url(), arguments);
    assert_eq!(failed(on(&["verify", "latest"])), "api: there is no backup in the storage\n");

    let mut first = on(&["create"]);
    first.env("BACKUP_AGE_RECIPIENT", recipient.to_string());
    let told = done(first);
    assert!(told.starts_with("made latchkey-2") && told.contains(".zst.age: 66 rows, "), "{told}");
    let listed = done(on(&["list"]));
    let name = listed.split_whitespace().next().unwrap();
    assert!(told.contains(name), "{listed}");
    let json: Value = serde_json::from_str(&done(on(&["list", "--json"]))).unwrap();
    assert_eq!((&json[0]["name"], &json[0]["encrypted"]), (&name.into(), &true.into()));
    assert_eq!(db.value("SELECT name FROM last_backup").unwrap(), name);

    let told = failed(on(&["verify", name]));
    assert_eq!(told, "api: the backup is encrypted; name the file of the key that opens it with --identity\n");
    for name in [name, "latest", &format!("data/files/backups/{name}")] {
        // Without a database; and of a file without anything else.
        let told = done(api(folder, "postgres://nobody@127.0.0.1:1/none", &["verify", name, "--identity", key]));
        assert!(told.starts_with("whole: made at 2") && told.contains("\n          12 users\n"), "{told}");
        assert!(failed(on(&["restore", name, "--identity", key])).contains("rows in auth_events, known_networks"));
        for kind in BOTH {
            let target = TestDb::empty(kind);
            let told = done(api(folder, target.url(), &["restore", name, "--identity", key]));
            assert!(told.starts_with("restored: made at 2"), "{told}");
            assert_eq!(target.number("SELECT count(*) FROM users"), 12);
            assert_eq!(target.number("SELECT count(*) FROM sessions WHERE revoked_at IS NULL"), 0);
            let moved = TestDb::empty(kind);
            done(api(folder, moved.url(), &["restore", name, "--identity", key, "--moving"]));
            assert_eq!(moved.number("SELECT count(*) FROM sessions WHERE revoked_at IS NULL"), 2);
        }
    }

    let told = done(on(&["create", "--to", "here", "--recipient", &recipient.to_string()]));
    assert!(told.starts_with("made here: 66 rows"), "{told}");
    done(on(&["verify", "here", "--identity", key]));
    assert_eq!(done(on(&["list"])), listed, "it is not in the storage");
    assert!(failed(on(&["create", "--to", "no/where"])).contains("cannot be written: No such file"));
    assert!(
        failed(on(&["create", "--recipient", "AGE-SECRET-KEY-1X"])).starts_with("api: --recipient is not a public")
    );
    assert!(failed(on(&["verify", "nowhere"])).contains("nowhere cannot be opened"));
    assert!(failed(on(&["verify", "latchkey-20200101T000000Z.zst"])).contains("there is no backup latchkey-2020"));
}

/// A file here that has the name of a backup, or that somebody called `latest`, is taken for none of the storage's.
#[actix_web::test]
async fn a_name_is_the_storages_and_a_path_a_file() {
    const LOST: &str = "latchkey-20200101T000000Z.zst";
    let (db, folder) = (TestDb::of_the_program(Database::Sqlite), tempfile::tempdir().unwrap());
    let on = |arguments: &[&str]| api(folder.path(), db.url(), arguments);
    for name in ["latest", LOST] {
        done(on(&["create", "--to", name]));
    }
    assert_eq!(failed(on(&["verify", "latest"])), "api: there is no backup in the storage\n");
    let told = failed(on(&["restore", LOST]));
    assert_eq!(told, format!("api: there is no backup {LOST} in the storage; a file of this name is ./{LOST}\n"));
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
async fn a_newer_backup_takes_the_place_of_the_outdated_ones() {
    let (db, folder) = (TestDb::of_the_program(Database::Sqlite), tempfile::tempdir().unwrap());
    let backups = folder.path().join("data/files/backups");
    std::fs::create_dir_all(&backups).unwrap();
    for day in 10..20 {
        std::fs::write(
            backups.join(format!("latchkey-202501{day}T030000Z.zst")),
            "age-encryption.org/v1\n-> Latchkey backup\n",
        )
        .unwrap();
    }
    let mut command = api(folder.path(), db.url(), &["create"]);
    command.env("BACKUP_KEEP", "3d");
    let told = done(command);
    assert_eq!(told.lines().filter(|line| line.starts_with("deleted latchkey-202501")).count(), 8, "{told}");
    assert_eq!(std::fs::read_dir(&backups).unwrap().count(), 3);
    assert_eq!(done(api(folder.path(), db.url(), &["list"])).lines().count(), 3);
}

#[actix_web::test]
async fn a_backup_from_the_future_is_listed_with_a_warning_and_is_not_the_latest() {
    const AHEAD: &str = "latchkey-20991231T235959Z.zst";
    let (db, folder) = (TestDb::of_the_program(Database::Sqlite), tempfile::tempdir().unwrap());
    let backups = folder.path().join("data/files/backups");
    std::fs::create_dir_all(&backups).unwrap();
    std::fs::write(backups.join(AHEAD), "junk").unwrap();
    let on = |arguments: &[&str]| {
        let mut command = api(folder.path(), db.url(), arguments);
        command.env("BACKUP_KEEP", "1d");
        command
    };
    let warning = format!("warning: {AHEAD} does not count: it is named later than now\n");
    let none = "api: there is no backup in the storage\n";
    assert_eq!(run(on(&["verify", "latest"])), (1, warning.clone(), none.to_owned()));
    for arguments in [["create"].as_slice(), &["create"], &["verify", "latest"]] {
        assert!(done(on(arguments)).contains(&warning));
    }
    assert!(failed(on(&["verify", AHEAD])).contains("not a backup of Latchkey"));
    let listed = done(on(&["list"]));
    // Two backups of one second have one name.
    let lines: Vec<_> = listed.lines().collect();
    let (ahead, made) = lines.split_last().unwrap();
    let warning = "warning: named later than now, so it is not the latest";
    assert!(ahead.starts_with(AHEAD) && ahead.ends_with(warning), "{listed}");
    assert!(!made.is_empty() && made.iter().all(|line| !line.contains("warning")), "{listed}");
    let json: Vec<Value> = serde_json::from_str(&done(on(&["list", "--json"]))).unwrap();
    let are_ahead: Vec<_> = json.iter().map(|backup| backup["is_ahead"].as_bool().unwrap()).collect();
    assert_eq!(are_ahead, [vec![false; made.len()], vec![true]].concat());
}

/// The machine's clock is 40 days off. SQLite has the same clock, so there nobody can notice.
async fn a_backup_is_named_by_the_databases_clock_and_nothing_is_deleted_by_another(database: Database) {
    let db = TestDb::of_the_program(database);
    for days in [40, -40] {
        let folder = tempfile::tempdir().unwrap();
        let backups = folder.path().join("data/files/backups");
        std::fs::create_dir_all(&backups).unwrap();
        let earlier = (1..=9).map(|days| {
            let made_at = SystemClock.now() - Duration::days(days);
            BackupName { made_at, encrypted: false }.to_string()
        });
        let earlier: Vec<_> = earlier.collect();
        done(api(folder.path(), db.url(), &["create", "--to", "backup"]));
        for name in &earlier {
            std::fs::copy(folder.path().join("backup"), backups.join(name)).unwrap();
        }
        let clock = ShiftedClock::ahead(Duration::days(days));
        let by_a_wrong_clock = |arguments: &[&str], database_url: &str| {
            let mut command = api(folder.path(), database_url, arguments);
            command.envs(clock.variables()).env("BACKUP_KEEP", "3d");
            run(command)
        };
        let (code, stdout, stderr) = by_a_wrong_clock(&["create"], db.url());
        let left = std::fs::read_dir(&backups).unwrap().count();
        if database == Database::Sqlite {
            assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
            continue;
        }
        assert_eq!((code, left), (1, earlier.len() + 1), "{stdout}{stderr}");
        assert!(stderr.starts_with("api: no backup is deleted: this machine's clock differs"), "{stderr}");
        assert!(!stdout.contains("deleted"), "{stdout}");

        // It is the newest to whoever restores it, also by the wrong clock.
        let made = stdout.strip_prefix("made ").unwrap().split(':').next().unwrap();
        let listed = done(api(folder.path(), db.url(), &["list"]));
        assert!(listed.lines().last().unwrap().starts_with(made) && !listed.contains("warning"), "{listed}");
        let target = TestDb::empty(database);
        let (code, stdout, stderr) = by_a_wrong_clock(&["restore", "latest"], target.url());
        assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
        assert!(!stdout.contains("warning"), "{stdout}");
        let restored =
            target.value("SELECT CAST(at AS text) AS value FROM auth_events WHERE kind = 'restored'").unwrap();
        assert!(restored.starts_with(&SystemClock.now().format("%Y-%m").to_string()), "{restored}");
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
    let told = failed(with_secret("h2Lk9sDf7aPq3ZxC"));
    assert!(told.contains("cannot write backups/latchkey-2") && told.contains("SignatureDoesNotMatch"), "{told}");
    assert_eq!(server.names(), Vec::<String>::new());
    assert_eq!(db.number("SELECT count(*) FROM last_backup"), 0);
    let StorageSettings::S3(s3) = server.settings() else { unreachable!() };
    let told = done(with_secret(s3.secret_access_key.expose_secret()));
    assert_eq!(server.names().len(), 1, "{told}");
    assert_eq!(db.number("SELECT count(*) FROM last_backup"), 1);
}

/// Each is whole, and each says so; the last one stays.
#[actix_web::test]
async fn backups_into_one_file_at_once_do_not_harm_each_other() {
    const AT_ONCE: usize = 8;
    let (db, folder) = (TestDb::of_the_program(Database::Sqlite), tempfile::tempdir().unwrap());
    insert_odd_rows(&db);
    let create = || api(folder.path(), db.url(), &["create", "--to", "here"]);
    let running: Vec<_> = (0..AT_ONCE)
        .map(|_| create().stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap())
        .collect();
    for child in running {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stdout).starts_with("made here: 66 rows"));
        done(api(folder.path(), db.url(), &["verify", "here"]));
    }
    let names = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.into_iter().all(|name| name == "here" || name == "data"), "something unfinished is left");
}

#[actix_web::test]
async fn what_is_no_file_is_not_replaced_by_a_backup() {
    let (db, folder) = (TestDb::of_the_program(Database::Sqlite), tempfile::tempdir().unwrap());
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("precious"), "content").unwrap();
    std::os::unix::fs::symlink("precious", at("link")).unwrap();
    std::os::unix::fs::symlink("/dev/null", at("device")).unwrap();
    std::os::unix::fs::symlink("nowhere", at("dangling")).unwrap();
    std::fs::create_dir(at("folder")).unwrap();
    assert!(Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
    for name in ["link", "device", "dangling", "folder", "pipe", "/dev/stdout", "/dev/null"] {
        let told = failed(api(folder.path(), db.url(), &["create", "--to", name]));
        assert!(told.contains("which is not replaced"), "{name}: {told}");
    }
    assert_eq!(std::fs::read_to_string(at("precious")).unwrap(), "content");
    assert!(std::fs::symlink_metadata(at("pipe")).unwrap().file_type().is_fifo());
    assert!(std::fs::symlink_metadata("/dev/null").unwrap().file_type().is_char_device());
}

/// Other programs write to standard output then, and whoever asks for it here pipes it somewhere.
#[actix_web::test]
async fn standard_output_takes_no_backup() {
    let (db, folder) = (TestDb::of_the_program(Database::Sqlite), tempfile::tempdir().unwrap());
    let told = failed(api(folder.path(), db.url(), &["create", "--to", "-"]));
    assert!(told.starts_with("api: - stands for standard output"), "{told}");
    assert!(!folder.path().join("-").exists());
    done(api(folder.path(), db.url(), &["create", "--to", "./-"]));
    done(api(folder.path(), db.url(), &["verify", "./-"]));
}

/// A slip of the hand must not cost the database that is backed up.
#[actix_web::test]
async fn only_a_backup_is_replaced_by_a_backup() {
    let (db, folder) = (TestDb::of_the_program(Database::Sqlite), tempfile::tempdir().unwrap());
    insert_odd_rows(&db);
    let at = |name: &str| folder.path().join(name);
    let create = |to: &str| api(folder.path(), db.url(), &["create", "--to", to]);
    let packed = |text: &str| zstd::encode_all(text.as_bytes(), 3).unwrap();
    let precious = [
        (".env", b"SECRET_KEY=of-an-operator\n".to_vec()),
        ("secret_key", b"of-the-program".to_vec()),
        ("key.txt", b"# public key: age1x\nAGE-SECRET-KEY-1X\n".to_vec()),
        ("age.txt", b"age-old notes\n".to_vec()),
        ("empty", Vec::new()),
        ("short", vec![0x28]),
        ("magic", vec![0x28, 0xB5, 0x2F, 0xFD]),
        ("other.zst", packed("{\"format\":\"something-else\"}\n")),
        ("dump.zst", packed(&"CREATE TABLE users;\n".repeat(10_000))),
        ("latchkey-20250110T030000Z.zst", b"only its name is a backup's".to_vec()),
        ("latchkey-20250110T030000Z.zst.age", b"the same".to_vec()),
    ];
    for (name, content) in &precious {
        std::fs::write(at(name), content).unwrap();
        let told = failed(create(name));
        assert_eq!(told, format!("api: {name} exists and is not a backup; name another file\n"));
        assert_eq!(&std::fs::read(at(name)).unwrap(), content, "{name}");
    }

    let (recipient, key) = key(folder.path());
    let recipient = recipient.to_string();
    let encrypted = || api(folder.path(), db.url(), &["create", "--to", "here", "--recipient", &recipient]);
    done(create("here"));
    done(encrypted());
    done(encrypted());
    done(api(folder.path(), db.url(), &["verify", "here", "--identity", key.to_str().unwrap()]));
    done(create("here"));
    done(api(folder.path(), db.url(), &["verify", "here"]));
    // Encrypted files of others are like ours but for a mark. Archives of before have none, and those of the storage a name.
    let unmarked = b"age-encryption.org/v1\n-> X25519 abc\n";
    for name in ["note.age", "latchkey-notes.zst.age", "latchkey-20250110T030000Z.zst"] {
        std::fs::write(at(name), unmarked).unwrap();
        for create in [create(name), api(folder.path(), db.url(), &["create", "--to", name, "--recipient", &recipient])]
        {
            let told = failed(create);
            assert!(told.contains("is encrypted, and may not be a backup"), "{told}");
            assert_eq!(std::fs::read(at(name)).unwrap(), unmarked, "{name}");
        }
    }
    let of_the_storage = "latchkey-20250110T030000Z.zst.age";
    std::fs::write(at(of_the_storage), unmarked).unwrap();
    done(create(of_the_storage));
    // A backup that is damaged behind its beginning is one that somebody wants to have replaced.
    let mut damaged = std::fs::read(at("here")).unwrap();
    damaged.truncate(damaged.len() - 10);
    std::fs::write(at("here"), damaged).unwrap();
    done(create("here"));
}

/// Whatever its files are called by, and where they are not there yet, too: SQLite would delete a backup there.
#[actix_web::test]
async fn the_database_is_not_replaced_by_its_backup() {
    let (db, folder) = (TestDb::of_the_program(Database::Sqlite), tempfile::tempdir().unwrap());
    insert_odd_rows(&db);
    let before = db.content();
    let DatabaseUrl::Sqlite(file) = db.parsed_url() else { unreachable!() };
    std::os::unix::fs::symlink(file.parent().unwrap(), folder.path().join("elsewhere")).unwrap();
    std::fs::hard_link(&file, folder.path().join("second-name")).unwrap();
    let name = file.file_name().unwrap().to_str().unwrap();
    for end in ["", "-wal", "-shm", "-journal"] {
        for to in [format!("{}{end}", file.display()), format!("elsewhere/{name}{end}")] {
            let told = failed(api(folder.path(), db.url(), &["create", "--to", &to]));
            assert_eq!(told, format!("api: {to} is a file of the database itself; name another file\n"));
        }
    }
    std::os::unix::fs::symlink(&file, folder.path().join("link")).unwrap();
    for end in ["", "-wal", "-shm", "-journal"] {
        let to = format!("{}{end}", file.display());
        let told = failed(api(folder.path(), "sqlite:link", &["create", "--to", &to]));
        assert_eq!(told, format!("api: {to} is a file of the database itself; name another file\n"));
    }
    let told = failed(api(folder.path(), db.url(), &["create", "--to", "second-name"]));
    assert!(told.contains("second-name exists and is not a backup"), "{told}");
    assert_eq!(db.content(), before);
}

/// Somebody else's keys, which no path of ours could be, stop neither the list nor what is deleted.
#[actix_web::test]
async fn odd_names_beside_the_backups_stop_nothing() {
    const ODD: [&str; 11] = [
        "odd\nname",
        "\u{1}",
        "latchkey-20250110T030000Z.zst.old/inner",
        ".hidden",
        // First, among, between and last of those that are listed.
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
    for backups in [folder.path().join("data/files/backups"), server.path().join("backups")] {
        for odd in ODD {
            let file = backups.join(odd);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, "x").unwrap();
        }
        for day in 10..20 {
            std::fs::write(
                backups.join(format!("latchkey-202501{day}T030000Z.zst")),
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
        let told = done(on(&["create"]));
        assert_eq!(told.lines().filter(|line| line.starts_with("deleted latchkey-202501")).count(), 8, "{told}");
        assert_eq!(done(on(&["list"])).lines().count(), 3);
    }
}
