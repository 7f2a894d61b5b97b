//! Faults of SQLite: a full disk, a crash while another process writes, and files that are lost or readable to others.

use crate::support::{Database, Process, TestDb, create_user, eventually, try_start};
use api::config::DatabaseUrl;
use api::store::connection::open;
use auth_types::Reason;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const ADA: &str = "ada@example.com";
const KEY: &str = "attempt-1";

/// Registers new accounts until there is no room for another. SQLite finds some more in its log once or twice.
async fn fill(process: &Process) {
    let mut refused = 0;
    for number in 0..5000 {
        let response = process.register(&format!("user{number}@example.com")).await;
        if response.status.is_success() {
            refused = 0;
        } else {
            response.problem_of(503, Reason::Unavailable);
            refused += 1;
        }
        if refused == 8 {
            return;
        }
    }
    panic!("the disk is never full")
}

/// A confirmed change must survive a power cut, too: each commit is flushed.
#[actix_web::test]
async fn every_commit_is_flushed() {
    let db = TestDb::migrated(Database::Sqlite);
    assert_eq!(db.value("SELECT synchronous AS value FROM pragma_synchronous").as_deref(), Some("2"), "FULL");
    assert_eq!(db.value("SELECT journal_mode AS value FROM pragma_journal_mode").as_deref(), Some("wal"));
}

#[actix_web::test]
async fn a_full_disk_is_a_503_and_loses_nothing() {
    let db = TestDb::migrated(Database::Sqlite);
    create_user(&db, ADA);
    // No file may grow beyond this, which to a program is a full disk; the signal that comes with it is ignored.
    let blocks = (db.size() + 96 * 1024) / 512;
    let api = Process::start_under(&format!("trap '' XFSZ; ulimit -f {blocks}"), db.url(), &[]);
    api.wait_until_ready().await;
    let tokens = api.login(ADA).await;
    fill(&api).await;

    // Reads go on; a write is complete or has no effect, since SQLite may still find room in its log.
    let mut late = 0;
    for number in 0..3 {
        api.me(&tokens).await.done();
        let register = api.register(&format!("late{number}@example.com")).await;
        assert!(matches!(register.status.as_u16(), 201 | 503), "{}", register.text());
        late += i64::from(register.status == 201);
        let refresh = api.refresh(&tokens, Some(KEY)).await;
        assert!(matches!(refresh.status.as_u16(), 200 | 503), "{}", refresh.text());
    }
    api.get("/healthz").await.done();
    assert_eq!(db.value("SELECT integrity_check FROM pragma_integrity_check").as_deref(), Some("ok"));
    assert_eq!(db.number("SELECT count(*) FROM users WHERE email LIKE 'late%'"), late);
    api.kill();

    assert_eq!(db.value("SELECT integrity_check FROM pragma_integrity_check").as_deref(), Some("ok"));
    let users = db.number("SELECT count(*) FROM users");
    assert_eq!(db.number("SELECT count(*) FROM sessions"), users, "an account and its session come together");
    let api = Process::start(db.url());
    api.refresh(&tokens, Some(KEY)).await.tokens();
    api.register("late@example.com").await.created();
}

#[actix_web::test]
async fn a_process_that_is_killed_while_others_write_leaves_a_sound_file() {
    let db = TestDb::migrated(Database::Sqlite);
    let other = Process::start(db.url());
    for round in 0..3 {
        let doomed = Process::start(db.url());
        let writes = (0..20).map(|number| {
            let process = if number % 2 == 0 { &other } else { &doomed };
            let request = process.request(reqwest::Method::POST, "/api/auth/register/");
            let email = format!("user{number}-{round}@example.com");
            request.json(&serde_json::json!({"email": email, "password": crate::support::PASSWORD})).send()
        });
        let writes = futures_util::future::join_all(writes);
        // In the middle of them: as soon as the first account exists.
        let kill = async {
            while db.number("SELECT count(*) FROM users") <= 20 * round {
                tokio::task::yield_now().await;
            }
            let kill = std::process::Command::new("kill").args(["-KILL", &doomed.id().to_string()]).status();
            assert!(kill.unwrap().success());
        };
        let _ = tokio::join!(writes, kill);
        assert_eq!(db.value("SELECT integrity_check FROM pragma_integrity_check").as_deref(), Some("ok"));
        let (users, sessions) = ("SELECT count(*) FROM users", "SELECT count(*) FROM sessions");
        assert_eq!(db.number(users), db.number(sessions), "an account and its session come together");
    }
    other.register(ADA).await.created();
}

type Damage = fn(&Path) -> std::io::Result<()>;

/// Damage to the file, or to the files that SQLite keeps next to it.
const DAMAGES: [(&str, Damage); 9] = [
    ("deleted", |path| std::fs::remove_file(path)),
    ("replaced", replaced),
    ("emptied", |path| resized(path, 0)),
    ("cut short", |path| resized(path, std::fs::metadata(path)?.len() - 4096)),
    ("written over by a shorter one", |path| {
        let whole = std::fs::read(path)?;
        std::fs::write(path, &whole[..whole.len() / 2])
    }),
    ("without its log", |path| std::fs::remove_file(companion(path, "-wal"))),
    ("with another log", |path| replaced(&companion(path, "-wal"))),
    ("without the log's index", |path| std::fs::remove_file(companion(path, "-shm"))),
    ("with another index", |path| replaced(&companion(path, "-shm"))),
];

/// Connections keep using the files that they have opened: everything would seem to work, and be lost at the next start.
#[actix_web::test]
async fn a_file_that_is_deleted_replaced_or_cut_short_is_noticed() {
    // A file that existed, and one that the process has created.
    for (name, damage) in DAMAGES {
        for db in [TestDb::migrated(Database::Sqlite), TestDb::empty(Database::Sqlite)] {
            let api = Process::start(db.url());
            api.wait_until_ready().await;
            api.register("eve@example.com").await.created();
            damage(&db.file()).unwrap();
            api.live_log().wait_for("store.file: ");
            eventually("the process is not ready", async || (api.get("/readyz").await.status == 503).then_some(()))
                .await;
            let text = api.get("/readyz").await.text();
            assert!(text.contains("deleted, replaced or cut short"), "{name}: {text}");
            // A change that would be lost is refused.
            assert_eq!(api.register(ADA).await.status, 503, "{name}");
            assert_eq!(api.whole_log().await.iter().filter(|line| line.contains("store.file: ")).count(), 1, "{name}");
        }
    }
}

/// The file may become as long as before, or be moved back, but it lacks what was written in the meantime.
#[actix_web::test]
async fn a_lost_file_stays_lost_until_a_restart() {
    let damages: [(Damage, Damage); 2] = [
        (|path| resized(path, std::fs::metadata(path)?.len() / 2), |path| resized(path, 1 << 20)),
        (
            |path| std::fs::rename(path, path.with_extension("away")),
            |path| std::fs::rename(path.with_extension("away"), path),
        ),
    ];
    for (damage, undo) in damages {
        let db = TestDb::migrated(Database::Sqlite);
        let api = Process::start(db.url());
        api.wait_until_ready().await;
        damage(&db.file()).unwrap();
        api.live_log().wait_for("store.file: ");
        undo(&db.file()).unwrap();
        api.register(ADA).await.problem_of(503, Reason::Unavailable);
        eventually("the process is not ready", async || (api.get("/readyz").await.status == 503).then_some(())).await;
        assert_eq!(api.whole_log().await.iter().filter(|line| line.contains("store.file: ")).count(), 1);
    }
}

/// SQLite keeps its other files next to the target of a link, which need not exist at first.
#[actix_web::test]
async fn a_file_behind_a_link_is_treated_like_any_other() {
    for suffix in ["-wal", "-shm"] {
        let folder = tempfile::tempdir().unwrap();
        let (link, file) = (folder.path().join("link.sqlite3"), folder.path().join("disk/real.sqlite3"));
        std::fs::create_dir(folder.path().join("disk")).unwrap();
        std::os::unix::fs::symlink("disk/real.sqlite3", &link).unwrap();
        let url = format!("sqlite:{}", link.display());
        let api = Process::start_under("umask 022", &url, &[]);
        api.wait_until_ready().await;
        api.register("eve@example.com").await.created();
        for created in [file.clone(), companion(&file, "-wal"), companion(&file, "-shm")] {
            assert_eq!(mode_of(&created), 0o600, "{}", created.display());
        }
        std::fs::remove_file(companion(&file, suffix)).unwrap();
        api.live_log().wait_for("store.file: ");
        api.register(ADA).await.problem_of(503, Reason::Unavailable);

        std::fs::rename(&file, folder.path().join("away")).unwrap();
        let (status, output) = try_start(&url).await;
        assert!(!status.success() && output.contains("does not exist"), "{output}");
        assert!(!file.exists(), "no file is created next to the remains of another");
    }
}

fn replaced(path: &Path) -> std::io::Result<()> {
    std::fs::copy(path, path.with_extension("copy"))?;
    std::fs::rename(path.with_extension("copy"), path)
}

fn resized(path: &Path, size: u64) -> std::io::Result<()> {
    std::fs::OpenOptions::new().write(true).open(path)?.set_len(size)
}

fn companion(path: &Path, suffix: &str) -> PathBuf {
    let mut companion = path.as_os_str().to_owned();
    companion.push(suffix);
    companion.into()
}

/// Other programs open and close the file while it is open here, and are killed; its log grows and is restarted. None of
/// this is damage.
#[actix_web::test]
async fn a_file_that_others_work_with_is_not_taken_for_lost() {
    let db = TestDb::empty(Database::Sqlite);
    let api = Process::start(db.url());
    api.wait_until_ready().await;
    for number in 0..5 {
        create_user(&db, &format!("user{number}@example.com"));
        let other = Process::start(db.url());
        other.wait_until_ready().await;
        other.register(&format!("late{number}@example.com")).await.created();
        if number % 2 == 0 {
            other.kill();
        }
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)");
        api.register(&format!("other{number}@example.com")).await.created();
        api.get("/readyz").await.done();
    }
    assert!(!api.whole_log().await.iter().any(|line| line.contains("store.file: ")));
    assert_eq!(db.number("SELECT count(*) FROM users"), 15);
}

/// Other users of the machine must not read the hashes of passwords and the links in mails.
#[actix_web::test]
async fn new_files_and_folders_are_accessible_to_their_user_only() {
    let folder = tempfile::tempdir().unwrap();
    let (outer, inner) = (folder.path().join("data"), folder.path().join("data/of/latchkey"));
    let file = inner.join("latchkey.sqlite3");
    let mails = folder.path().join("mails");
    let variables = [("EMAIL_URL", &*format!("file:{}", mails.display()))];
    let api = Process::start_under("umask 022", &format!("sqlite:{}", file.display()), &variables);
    api.wait_until_ready().await;
    api.register(ADA).await.created();
    eventually("there is a mail", async || mails.exists().then_some(())).await;
    for folder in [&outer, &inner, &mails] {
        assert_eq!(mode_of(folder), 0o700, "{}", folder.display());
    }
    for file in [file.clone(), companion(&file, "-wal"), companion(&file, "-shm")] {
        assert_eq!(mode_of(&file), 0o600, "{}", file.display());
    }
}

/// Also in folders that other users may list, and for each library that writes files.
#[actix_web::test]
async fn new_files_in_existing_folders_are_accessible_to_their_user_only() {
    let db = TestDb::of_the_program(Database::Sqlite);
    let folder = tempfile::tempdir().unwrap();
    let at = |path: &str| folder.path().join(path);
    for path in ["data/files", "mails"] {
        std::fs::create_dir_all(at(path)).unwrap();
        std::fs::set_permissions(at(path), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let variables = [("EMAIL_URL", &*format!("file:{}", at("mails").display()))];
    let api = Process::start_under("umask 022", db.url(), &variables);
    api.wait_until_ready().await;
    api.register(ADA).await.created();
    eventually("there is a mail", async || {
        let mail = files_in(&at("mails")).into_iter().find(|file| file.extension().is_some_and(|end| end == "eml"))?;
        assert_eq!(mode_of(&mail), 0o600);
        Some(())
    })
    .await;

    for arguments in ["", " --to copy"] {
        let status = std::process::Command::new("sh")
            .args(["-c", &format!("umask 022; exec {} backup create{arguments}", env!("CARGO_BIN_EXE_api"))])
            .current_dir(folder.path())
            .env_clear()
            .env("DATABASE_URL", db.url())
            .status();
        assert!(status.unwrap().success());
    }
    assert_eq!(mode_of(&at("copy")), 0o600);
    assert_eq!(mode_of(&at("data/files/backups")), 0o700);
    let backups = files_in(&at("data/files/backups"));
    assert_eq!(backups.iter().map(|file| mode_of(file)).collect::<Vec<_>>(), [0o600]);
    // A folder that an operator has created keeps its mode.
    assert_eq!([mode_of(&at("mails")), mode_of(&at("data/files"))], [0o755, 0o755]);
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect()
}

/// An operator may share the file with a group.
#[actix_web::test]
async fn the_mode_of_an_existing_file_is_kept() {
    let db = TestDb::migrated(Database::Sqlite);
    let file = db.file();
    let folder = file.parent().unwrap();
    for (path, mode) in [(folder, 0o750), (&file, 0o640)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let api = Process::start(db.url());
    api.wait_until_ready().await;
    let modes = [folder, &file, &companion(&file, "-wal"), &companion(&file, "-shm")].map(mode_of);
    assert_eq!(modes, [0o750, 0o640, 0o640, 0o640]);
}

fn mode_of(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// A new file would share the log of the lost one, which a running process may still write.
#[test]
fn no_file_is_created_next_to_the_log_of_a_lost_one() {
    for left in ["-wal", "-shm"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("latchkey.sqlite3");
        let log = folder.path().join(format!("latchkey.sqlite3{left}"));
        std::fs::write(&log, "").unwrap();
        let url = DatabaseUrl::Sqlite(path.clone());
        let refusal = open(&url).map(|_| ()).unwrap_err().to_string();
        assert!(refusal.contains(log.to_str().unwrap()), "{refusal}");
        assert!(!path.exists());
        std::fs::remove_file(log).unwrap();
        open(&url).unwrap();
        assert!(path.exists());
    }
}
