//! SQLite's own faults: a full disk, a crash while another one writes.

use crate::support::{Database, Process, TestDb, create_user, eventually};
use api::config::DatabaseUrl;
use api::store::connection::open;
use auth_types::Reason;
use std::path::{Path, PathBuf};

const ADA: &str = "ada@example.com";
const KEY: &str = "attempt-1";

/// Registers new accounts until there is no room for another. SQLite finds some more in its log once or twice.
async fn fill(process: &Process) {
    let mut refused = 0;
    for number in 0..5000 {
        let answer = process.register(&format!("user{number}@example.com")).await;
        if answer.status.is_success() {
            refused = 0;
        } else {
            answer.failed(503, Reason::Unavailable);
            refused += 1;
        }
        if refused == 8 {
            return;
        }
    }
    panic!("the disk is never full")
}

/// What was answered with success must outlive a power cut, too: each commit is flushed.
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
    // No file may grow any further than this: for a program that is a full disk. The signal that goes with it is not.
    let blocks = (db.size() + 96 * 1024) / 512;
    let api = Process::start_under(&format!("trap '' XFSZ; ulimit -f {blocks}"), db.url(), &[]);
    api.until_ready().await;
    let tokens = api.login(ADA).await;
    fill(&api).await;

    // Reads go on; what is written is written whole or not at all, where SQLite finds room in its log once more.
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
    api.refresh(&tokens, Some(KEY)).await.ok();
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
        // In the middle of them: as soon as the first is there.
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

type Harm = fn(&Path) -> std::io::Result<()>;

/// Connections go on with the files that they have opened: everything would look well, and be gone at the next start.
#[actix_web::test]
async fn a_file_that_is_deleted_replaced_or_cut_short_is_noticed() {
    let harms: [(&str, Harm); 7] = [
        ("deleted", |path| std::fs::remove_file(path)),
        ("replaced", |path| {
            std::fs::copy(path, path.with_extension("copy"))?;
            std::fs::rename(path.with_extension("copy"), path)
        }),
        ("emptied", |path| resized(path, 0)),
        ("cut short", |path| resized(path, std::fs::metadata(path)?.len() - 4096)),
        ("written over by a shorter one", |path| std::fs::write(path, std::fs::read(path)?.split_at(8192).0)),
        ("without its log", |path| std::fs::remove_file(log_of(path))),
        ("with another log", |path| {
            std::fs::copy(log_of(path), path.with_extension("copy"))?;
            std::fs::rename(path.with_extension("copy"), log_of(path))
        }),
    ];
    for (name, harm) in harms {
        let db = TestDb::migrated(Database::Sqlite);
        let api = Process::start(db.url());
        api.until_ready().await;
        let DatabaseUrl::Sqlite(path) = db.parsed_url() else { unreachable!() };
        harm(&path).unwrap();
        api.live_log().until("store.file: ");
        eventually("the process is not ready", async || (api.get("/readyz").await.status == 503).then_some(())).await;
        let text = api.get("/readyz").await.text();
        assert!(text.contains("deleted, replaced or cut short"), "{name}: {text}");
        // What would be lost is not done.
        assert_eq!(api.register(ADA).await.status, 503, "{name}");
        assert_eq!(api.log().iter().filter(|line| line.contains("store.file: ")).count(), 1, "{name}");
    }
}

fn resized(path: &Path, size: u64) -> std::io::Result<()> {
    std::fs::OpenOptions::new().write(true).open(path)?.set_len(size)
}

fn log_of(path: &Path) -> PathBuf {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}

/// Other programs open and close the file while it is open here, its log grows and is begun anew, and all of that is no harm.
#[actix_web::test]
async fn a_file_that_others_work_with_is_not_taken_for_lost() {
    let db = TestDb::migrated(Database::Sqlite);
    let api = Process::start(db.url());
    api.until_ready().await;
    for number in 0..5 {
        create_user(&db, &format!("user{number}@example.com"));
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)");
        api.register(&format!("other{number}@example.com")).await.created();
        api.get("/readyz").await.done();
    }
    assert!(!api.log().iter().any(|line| line.contains("store.file: ")));
}

/// A new file would share the log of the one that is gone, which a running process writes into still.
#[test]
fn no_file_is_made_beside_the_log_of_one_that_is_gone() {
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
