//! `api backup create --to`: which files it writes and replaces.

use super::drill::insert_people;
use super::key;
use super::program::{api, done, failed, terminate};
use super::rows::insert_odd_rows;
use crate::support::{Database, SECRET_KEY, TestDb, eventually, execute};
use api::config::DatabaseUrl;
use std::ffi::OsStr;
use std::fs::Permissions;
use std::io::{BufRead, BufReader};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::process::{Command, Stdio};

/// Each succeeds and reports a whole backup; the last one remains.
#[actix_web::test]
async fn concurrent_backups_into_one_file_do_not_corrupt_it() {
    const AT_ONCE: usize = 8;
    let (db, folder) = (TestDb::of_the_program(Database::Sqlite), tempfile::tempdir().unwrap());
    insert_odd_rows(&db);
    let create = || api(folder.path(), db.url(), &["create", "--to", "here"]);
    let running: Vec<_> =
        (0..AT_ONCE).map(|_| create().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()).collect();
    for child in running {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stdout).starts_with("made here: 66 rows"));
        done(api(folder.path(), db.url(), &["verify", "here"]));
    }
    let names = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.into_iter().all(|name| name == "here" || name == "data"), "an unfinished file is left");
}

#[actix_web::test]
async fn only_a_regular_file_is_replaced_by_a_backup() {
    let (db, folder) = (TestDb::of_the_program(Database::Sqlite), tempfile::tempdir().unwrap());
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("precious"), "content").unwrap();
    std::os::unix::fs::symlink("precious", at("link")).unwrap();
    std::os::unix::fs::symlink("/dev/null", at("device")).unwrap();
    std::os::unix::fs::symlink("nowhere", at("dangling")).unwrap();
    std::fs::create_dir(at("folder")).unwrap();
    assert!(Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
    for name in ["link", "device", "dangling", "folder", "pipe", "/dev/stdout", "/dev/null"] {
        let output = failed(api(folder.path(), db.url(), &["create", "--to", name]));
        assert!(output.contains("which is not replaced"), "{name}: {output}");
    }
    assert_eq!(std::fs::read_to_string(at("precious")).unwrap(), "content");
    assert!(std::fs::symlink_metadata(at("pipe")).unwrap().file_type().is_fifo());
    assert!(std::fs::symlink_metadata("/dev/null").unwrap().file_type().is_char_device());
}

/// A program that collects backups may read them by the group.
#[actix_web::test]
async fn a_backup_that_replaces_another_keeps_its_owner_group_and_mode() {
    let (db, folder) = (TestDb::of_the_program(Database::Sqlite), tempfile::tempdir().unwrap());
    let file = folder.path().join("here");
    let create = || done(api(folder.path(), db.url(), &["create", "--to", "here"]));
    let rights = || {
        let found = std::fs::metadata(&file).unwrap();
        (found.uid(), found.gid(), found.mode() & 0o7777)
    };
    create();
    let own = rights();
    assert_eq!(own.2, 0o600, "a new one");
    let (uid, gid) = if own.0 == 0 { (12_345, 23_456) } else { (own.0, own.1) }; // only root may give a file away
    std::os::unix::fs::chown(&file, Some(uid), Some(gid)).unwrap();
    for mode in [0o640, 0o660, 0o644, 0o600] {
        std::fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        let before = std::fs::metadata(&file).unwrap().ino();
        create();
        assert_eq!(rights(), (uid, gid, mode));
        assert_ne!(std::fs::metadata(&file).unwrap().ino(), before, "it was replaced");
    }
}

/// Everyone may collect an encrypted backup. A plain one of the same name has password hashes.
#[actix_web::test]
async fn a_plain_backup_does_not_take_the_rights_of_an_encrypted_one() {
    let (db, folder) = (TestDb::of_the_program(Database::Sqlite), tempfile::tempdir().unwrap());
    let file = folder.path().join("here");
    let (recipient, _) = key(folder.path());
    let recipient = recipient.to_string();
    let encrypted = ["create", "--to", "here", "--recipient", &recipient];
    let mode = || std::fs::metadata(&file).unwrap().mode() & 0o777;
    done(api(folder.path(), db.url(), &encrypted));
    std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    done(api(folder.path(), db.url(), &encrypted));
    assert_eq!(mode(), 0o644);
    done(api(folder.path(), db.url(), &encrypted[..3]));
    assert_eq!(mode(), 0o600);
}

/// As a drop box, from which another user collects.
#[actix_web::test]
async fn a_backup_is_written_into_a_folder_that_may_not_be_read() {
    let (db, folder) = (TestDb::of_the_program(Database::Postgres), tempfile::tempdir().unwrap());
    let drop_box = folder.path().join("box");
    std::fs::create_dir(&drop_box).unwrap();
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    std::fs::set_permissions(&drop_box, Permissions::from_mode(0o333)).unwrap();
    // Root may read every folder.
    let drop_rights = "[ \"$(id -u)\" = 0 ] && set -- setpriv --reuid=nobody --regid=nogroup --clear-groups \"$@\"";
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("{drop_rights}; exec \"$@\""), "sh", env!("CARGO_BIN_EXE_api"), "backup", "create"])
        .args(["--to", "box/here"])
        .current_dir(folder.path())
        .env_clear()
        .env("SECRET_KEY", SECRET_KEY)
        .env("DATABASE_URL", db.url());
    assert!(done(command).starts_with("made box/here: "));
    done(api(folder.path(), db.url(), &["verify", "box/here"]));
}

#[actix_web::test]
async fn a_file_name_that_is_not_utf8_is_the_same_file_for_every_command() {
    let (db, folder) = (TestDb::of_the_program(Database::Sqlite), tempfile::tempdir().unwrap());
    let (recipient, identity) = key(folder.path());
    let odd = |name: &[u8]| OsStr::from_bytes(name).to_owned();
    let (file, key) = (odd(b"b\xffackup"), odd(b"k\xffey"));
    std::fs::rename(identity, folder.path().join(&key)).unwrap();
    let mut create = api(folder.path(), db.url(), &["create", "--recipient", &recipient.to_string(), "--to"]);
    create.arg(&file);
    done(create);
    let target = TestDb::empty(Database::Sqlite);
    for command in ["verify", "restore"] {
        let mut command = api(folder.path(), target.url(), &[command, "--identity"]);
        command.arg(&key).arg(&file);
        done(command);
    }
}

/// As when the machine shuts down. What is left may be a plain copy of half the accounts.
#[actix_web::test]
async fn a_backup_that_is_stopped_leaves_no_file() {
    const IN_THE_MIDDLE: &str = "known_networks";
    let coverage = api::App::new().assemble().unwrap().schema.coverage();
    let last = coverage.tables.last().unwrap().name; // it is empty: the last look at the signal comes after it
    let to_file = (&["create", "--to", "box/here"][..], "box");
    let to_storage = (&["create"][..], "data/files/backups");
    let all = [IN_THE_MIDDLE, last].map(|table| [(table, to_file), (table, to_storage)]);
    for (table, (arguments, at)) in all.into_iter().flatten() {
        let (db, folder) = (TestDb::of_the_program(Database::Postgres), tempfile::tempdir().unwrap());
        std::fs::create_dir(folder.path().join("box")).unwrap();
        let files = || std::fs::read_dir(folder.path().join(at)).map_or(0, Iterator::count);
        insert_people(&db, 1, 15_000); // more than the upload of one part
        let mut holder = db.connect();
        execute(&mut holder, "SET idle_in_transaction_session_timeout = 0");
        execute(&mut holder, "BEGIN");
        execute(&mut holder, &format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"));
        let mut command = api(folder.path(), db.url(), arguments);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let waits = format!("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = '{table}'::regclass");
        eventually("the backup waits", async || (files() == 1 && db.number(&waits) == 1).then_some(())).await;
        terminate(&child);
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        assert!(lines.next().unwrap().unwrap().starts_with("api: stopping"));
        execute(&mut holder, "ROLLBACK");
        assert_eq!(lines.next().unwrap().unwrap(), "api: stopped by a signal; no backup is made");
        assert_eq!((child.wait().unwrap().code(), files()), (Some(1), 0));
    }
}

#[actix_web::test]
async fn a_backup_does_not_take_the_rights_of_a_file_that_another_user_may_have_put_there() {
    let (db, folder) = (TestDb::of_the_program(Database::Sqlite), tempfile::tempdir().unwrap());
    let file = folder.path().join("here");
    let create = || done(api(folder.path(), db.url(), &["create", "--to", "here"]));
    create();
    let own = std::fs::metadata(&file).unwrap();
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o1777)).unwrap();
    std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    // Only root may give a file away. To others every file that they may replace here is their own.
    let is_root = std::os::unix::fs::chown(&file, Some(12_345), Some(23_456)).is_ok();
    create();
    let found = std::fs::metadata(&file).unwrap();
    let expected = if is_root { 0o600 } else { 0o644 };
    assert_eq!((found.uid(), found.gid(), found.mode() & 0o7777), (own.uid(), own.gid(), expected));
}

/// Other programs take `-` for standard output, so an operator who uses it here expects to pipe the backup on.
#[actix_web::test]
async fn a_backup_is_not_written_to_standard_output() {
    let (db, folder) = (TestDb::of_the_program(Database::Sqlite), tempfile::tempdir().unwrap());
    let output = failed(api(folder.path(), db.url(), &["create", "--to", "-"]));
    assert!(output.starts_with("api: - stands for standard output"), "{output}");
    assert!(!folder.path().join("-").exists());
    done(api(folder.path(), db.url(), &["create", "--to", "./-"]));
    done(api(folder.path(), db.url(), &["verify", "./-"]));
}

/// A mistyped name must not destroy another file.
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
        let output = failed(create(name));
        assert_eq!(output, format!("api: {name} exists and is not a backup; name another file\n"));
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
    // Other programs' encrypted files differ from our backups only in a mark. Older backups have no mark, but those in the storage
    // are recognized by their names.
    let unmarked = b"age-encryption.org/v1\n-> X25519 abc\n";
    for name in ["note.age", "latchkey-notes.zst.age", "latchkey-20250110T030000Z.zst"] {
        std::fs::write(at(name), unmarked).unwrap();
        for create in [create(name), api(folder.path(), db.url(), &["create", "--to", name, "--recipient", &recipient])]
        {
            let output = failed(create);
            assert!(output.contains("is encrypted, and may not be a backup"), "{output}");
            assert_eq!(std::fs::read(at(name)).unwrap(), unmarked, "{name}");
        }
    }
    let of_the_storage = "latchkey-20250110T030000Z.zst.age";
    std::fs::write(at(of_the_storage), unmarked).unwrap();
    done(create(of_the_storage));
    // A backup that is damaged after its beginning may be replaced.
    let mut damaged = std::fs::read(at("here")).unwrap();
    damaged.truncate(damaged.len() - 10);
    std::fs::write(at("here"), damaged).unwrap();
    done(create("here"));
}

/// Under any name of its files, and also for those that do not exist yet: SQLite would delete a backup there.
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
            let output = failed(api(folder.path(), db.url(), &["create", "--to", &to]));
            assert_eq!(output, format!("api: {to} is a file of the database itself; name another file\n"));
        }
    }
    std::os::unix::fs::symlink(&file, folder.path().join("link")).unwrap();
    for end in ["", "-wal", "-shm", "-journal"] {
        let to = format!("{}{end}", file.display());
        let output = failed(api(folder.path(), "sqlite:link", &["create", "--to", &to]));
        assert_eq!(output, format!("api: {to} is a file of the database itself; name another file\n"));
    }
    let output = failed(api(folder.path(), db.url(), &["create", "--to", "second-name"]));
    assert!(output.contains("second-name exists and is not a backup"), "{output}");
    assert_eq!(db.content(), before);
}
