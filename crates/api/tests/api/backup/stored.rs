//! Backups in the storage: a folder, or a real S3 server.

use super::drill::insert_people;
use super::rows::{content, insert_odd_rows};
use super::{no_identities, plan, restore_from};
use crate::support::{
    BucketServer, Database, ManualClock, TestApp, TestDb, coverage, eventually, execute, on_both_databases,
};
use api::clock::Clock;
use api::config::{Keep, StorageSettings, Timeouts};
use api::files::{Files, RetryPolicy};
use api::service::backup::{
    BackupError, BackupName, BackupPlan, BackupSource, Contents, CreatedBackup, PrunePlan, SkippedFile, StopFlag,
    StoredBackup, create, delete_outdated, latest, list, observe, record, verify,
};
use api::store::AnyConnection;
use api::store::database_identity::DatabaseId;
use bytes::Bytes;
use chrono::{DateTime, Duration, Utc};
use std::future::poll_fn;
use std::path::Path;
use tokio::task::JoinHandle;

on_both_databases![a_backup_in_the_storage_is_restored, the_metrics_report_when_the_last_backup_was_made,];

/// The beginning of an encrypted backup.
const A_BACKUP: &[u8] = b"age-encryption.org/v1\n-> Latchkey backup\n";
const KEEP: Keep = Keep { days: 2, weeks: 1, months: 1 };

/// The database whose backups the tests make.
fn own() -> DatabaseId {
    "00c0ffee0123".parse().unwrap()
}

fn plan_to_prune(made_at: DateTime<Utc>) -> PrunePlan {
    PrunePlan { keep: KEEP, current: own(), made_at, stop: StopFlag::default() }
}

/// For a storage with the backups of one database, where it does not matter which one asks.
fn nobody() -> impl Future<Output = Option<DatabaseId>> {
    poll_fn(|_| unreachable!("no database is read"))
}

fn in_folder(folder: &Path) -> Files {
    Files::open(&StorageSettings::Folder(folder.to_owned()), RetryPolicy::Once, Timeouts::default()).unwrap()
}

fn in_bucket(server: &BucketServer) -> Files {
    Files::open(&server.settings(), RetryPolicy::Once, Timeouts::default()).unwrap()
}

/// Runs `work` on a thread that may block, as the program does.
async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

async fn create_in(files: &Files, plan: BackupPlan) -> Result<CreatedBackup, BackupError> {
    let files = files.clone();
    off_thread(move || create(&files, &plan, own())).await
}

async fn verify_in(files: &Files, name: BackupName) -> Result<Contents, BackupError> {
    let source = BackupSource::Stored(Box::new(files.clone()), name);
    off_thread(move || verify(&source, &no_identities(), &coverage())).await
}

async fn a_backup_in_the_storage_is_restored(database: Database) {
    let source = TestDb::migrated(database);
    insert_odd_rows(&source);
    let (folder, server) = (tempfile::tempdir().unwrap(), BucketServer::start());
    for files in [in_folder(folder.path()), in_bucket(&server)] {
        let created = create_in(&files, plan(&source, Vec::new())).await.unwrap();
        assert_eq!(created.name, "latchkey-20260304T050607Z-00c0ffee0123.zst");
        let name = created.name.parse().unwrap();
        assert_eq!(list(&files).await.unwrap(), [StoredBackup { name, size_bytes: created.size_bytes }]);
        assert_eq!(verify_in(&files, name).await.unwrap().rows.values().sum::<u64>(), created.rows);
        let target = TestDb::empty(database);
        let (stored, target) = (BackupSource::Stored(Box::new(files), name), std::sync::Arc::new(target));
        let same = target.clone();
        off_thread(move || restore_from(&stored, &same, true)).await.unwrap();
        target.execute("DELETE FROM auth_events WHERE kind = 'restored'");
        assert_eq!(content(&target), content(&source));
    }
}

async fn the_metrics_report_when_the_last_backup_was_made(database: Database) {
    let app = TestApp::builder(database).set("METRICS_TOKEN", "metrics-token-of-tests").start().await;
    let metrics = async || {
        observe(app.services()).await.unwrap();
        let request = app.request(reqwest::Method::GET, "/metrics").bearer_auth("metrics-token-of-tests");
        let text = request.send().await.unwrap().text().await.unwrap();
        let lines = text.lines().filter(|line| line.starts_with("latchkey_backup_last_"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        metrics().await,
        ["latchkey_backup_last_success_timestamp_seconds 0.0", "latchkey_backup_last_size_bytes 0"]
    );
    let mut made = CreatedBackup {
        name: "latchkey-20260304T050607Z.zst".to_owned(),
        made_at: ManualClock::START.parse().unwrap(),
        size_bytes: 1_234,
        rows: 5,
    };
    for seconds in ["1772600767.25", "1772604367.25"] {
        record(&app.settings().database.url, &made).unwrap();
        let expected = format!("latchkey_backup_last_success_timestamp_seconds {seconds}");
        assert_eq!(metrics().await, [&expected, "latchkey_backup_last_size_bytes 1234"]);
        assert_eq!(app.db().number("SELECT count(*) FROM last_backup"), 1);
        made.made_at += Duration::hours(1);
        app.clock().advance(Duration::hours(1));
    }
    // A clock that was ahead made it, so its age is unknown, and it does not count as a success.
    made.made_at = app.clock().now() + Duration::days(30);
    record(&app.settings().database.url, &made).unwrap();
    let none = "latchkey_backup_last_success_timestamp_seconds 0.0";
    assert_eq!(metrics().await, [none, "latchkey_backup_last_size_bytes 1234"]);
    made.made_at = app.clock().now();
    record(&app.settings().database.url, &made).unwrap();
    assert_ne!(metrics().await[0], none);
}

/// Such a name comes from a clock that was ahead, or from a file that was put there.
#[actix_web::test]
async fn a_backup_named_later_than_now_is_neither_the_latest_nor_counted_nor_deleted() {
    let (folder, server) = (tempfile::tempdir().unwrap(), BucketServer::start());
    let now = "2026-11-24T03:00:30Z".parse().unwrap();
    let ahead = [
        "latchkey-20261124T030131Z-00c0ffee0123.zst",
        "latchkey-20261125T030000Z-00c0ffee0123.zst",
        "latchkey-20991231T235959Z-00c0ffee0123.zst.age",
    ];
    let days = [20, 21, 22, 23, 24].map(|day| format!("latchkey-202611{day}T030000Z-00c0ffee0123.zst"));
    for files in [in_folder(folder.path()), in_bucket(&server)] {
        let put = async |name: &str| {
            files.put(&format!("backups/{name}"), Bytes::from_static(A_BACKUP), "text/plain").await.unwrap();
        };
        for name in ahead {
            put(name).await;
        }
        assert_eq!(latest(&files, now, nobody()).await.unwrap().found, None);
        assert_eq!(delete_outdated(&files, plan_to_prune(now)).await.unwrap().deleted, []);
        for name in &days {
            put(name).await;
        }
        let newest: BackupName = days[4].parse().unwrap();
        assert_eq!(latest(&files, now, nobody()).await.unwrap().found, Some(newest));
        let deleted = delete_outdated(&files, plan_to_prune(now)).await.unwrap().deleted;
        assert_eq!(deleted.iter().map(ToString::to_string).collect::<Vec<_>>(), days[..3]);
        let left: Vec<_> = list(&files).await.unwrap().iter().map(|stored| stored.name.to_string()).collect();
        assert_eq!(left, [&days[3..], &ahead.map(str::to_owned)].concat());
        // A small difference between the machines' clocks is allowed.
        let soon: BackupName = ahead[0].parse().unwrap();
        assert_eq!(latest(&files, now + Duration::seconds(1), nobody()).await.unwrap().found, Some(soon));
    }
}

#[actix_web::test]
async fn outdated_backups_are_deleted_and_other_files_are_kept() {
    let (folder, server) = (tempfile::tempdir().unwrap(), BucketServer::start());
    let others = [
        "avatars/latchkey-20200101T000000Z.zst",
        "backups/latchkey-20200101T000000Z.zst.part",
        "backups/latchkey-20200101T000000Z.zst/notes",
        "backups/old/latchkey-20200101T000000Z.zst",
        "backups/other-20200101T000000Z.zst",
    ];
    let days = [20, 21, 22, 23, 24].map(|day| format!("backups/latchkey-202611{day}T030000Z-00c0ffee0123.zst.age"));
    for files in [in_folder(folder.path()), in_bucket(&server)] {
        for name in others.iter().copied().chain(days.iter().map(String::as_str)) {
            // A folder cannot contain a file and a folder of the same name.
            if !(name.ends_with("/notes") && files.info(name).await.is_err()) {
                files.put(name, Bytes::from_static(A_BACKUP), "text/plain").await.unwrap();
            }
        }
        let now = "2026-11-24T03:00:00Z".parse().unwrap();
        let deleted = delete_outdated(&files, plan_to_prune(now)).await.unwrap().deleted;
        assert_eq!(deleted.len(), 3);
        let left = list(&files).await.unwrap();
        let left: Vec<_> = left.iter().map(|stored| format!("backups/{}", stored.name)).collect();
        assert_eq!(left, days[3..]);
        for name in others {
            assert!(files.info(name).await.unwrap().is_some(), "{name}");
        }
    }
}

/// Deployments may share a bucket, and must not lose their backups by that.
#[actix_web::test]
async fn only_the_backups_of_the_own_database_are_deleted_or_the_latest() {
    let (folder, server) = (tempfile::tempdir().unwrap(), BucketServer::start());
    let now: DateTime<Utc> = "2026-11-24T04:00:00Z".parse().unwrap();
    let names = |minute: u32, id: &str| {
        [20, 21, 22, 23, 24].map(|day| format!("latchkey-202611{day}T03{minute:02}00Z{id}.zst"))
    };
    let [ours, theirs, earlier] = [names(0, "-00c0ffee0123"), names(5, "-0123456789ab"), names(10, "")];
    let parsed = |name: &String| name.parse::<BackupName>().unwrap();
    let id = |name: &String| parsed(name).database;
    for files in [in_folder(folder.path()), in_bucket(&server)] {
        let put = async |names: &[String]| {
            for name in names {
                files.put(&format!("backups/{name}"), Bytes::from_static(A_BACKUP), "text/plain").await.unwrap();
            }
        };
        put(&ours).await;
        put(&earlier).await;
        for known in [None, id(&ours[4])] {
            let newest = latest(&files, now, async { known }).await.unwrap().found;
            assert_eq!(newest, Some(parsed(&earlier[4])), "one database, of an earlier release until today");
        }
        let other = latest(&files, now, async { id(&theirs[4]) }).await;
        assert!(other.is_err(), "the backups with an earlier name may be another database's");

        put(&theirs).await;
        for own in [&ours, &theirs] {
            let newest = latest(&files, now, async { id(&own[4]) }).await.unwrap().found;
            assert_eq!(newest, Some(parsed(&own[4])));
        }
        for unknown in [None, Some("ffffffffffff".parse().unwrap())] {
            let message = latest(&files, now, async { unknown }).await.unwrap_err().to_string();
            for name in [&ours[4], &theirs[4], &earlier[4]] {
                assert!(message.contains(name.as_str()), "{message}");
            }
        }

        let pruned = delete_outdated(&files, plan_to_prune(now)).await.unwrap();
        assert_eq!(pruned.deleted, ours[..3].iter().map(parsed).collect::<Vec<_>>());
        assert_eq!((pruned.skipped, pruned.others), (Vec::new(), 10));
        let left = list(&files).await.unwrap().into_iter().map(|stored| stored.name);
        let mut expected: Vec<_> = [&ours[3..], &theirs, &earlier].concat().iter().map(parsed).collect();
        expected.sort_unstable();
        assert_eq!(left.collect::<Vec<_>>(), expected);
    }
}

/// It is a copy that was cut short at its beginning, or another program's file. It must not stand for the backup of its day.
#[actix_web::test]
async fn a_file_that_is_not_a_backup_is_neither_the_latest_nor_counted_nor_deleted() {
    let (folder, server) = (tempfile::tempdir().unwrap(), BucketServer::start());
    let now: DateTime<Utc> = "2026-11-24T20:00:00Z".parse().unwrap();
    let name = |text: &str| -> BackupName { text.parse().unwrap() };
    let old = name("latchkey-20261120T030000Z-00c0ffee0123.zst");
    let backups =
        [name("latchkey-20261123T030000Z-00c0ffee0123.zst.age"), name("latchkey-20261124T030000Z-00c0ffee0123.zst")];
    let foreign = [
        "latchkey-20261123T040000Z-00c0ffee0123.zst",
        "latchkey-20261124T050000Z-00c0ffee0123.zst",
        "latchkey-20261124T190000Z-00c0ffee0123.zst.age",
    ];
    let foreign = foreign.map(name);
    for files in [in_folder(folder.path()), in_bucket(&server)] {
        let put = async |name: BackupName, content: &'static [u8]| {
            files.put(&format!("backups/{name}"), Bytes::from_static(content), "text/plain").await.unwrap();
        };
        for name in [old, backups[0], backups[1]] {
            put(name, A_BACKUP).await;
        }
        put(foreign[0], b"").await;
        put(foreign[1], b"age-encryption.org/v1\n-> X25519 abc\n").await;
        put(foreign[2], b"another program's").await;
        let newest = latest(&files, now, nobody()).await.unwrap();
        let names = |files: Vec<SkippedFile>| files.into_iter().map(|file| file.name).collect::<Vec<_>>();
        assert_eq!((newest.found, names(newest.skipped)), (Some(backups[1]), vec![foreign[2], foreign[1]]));
        let outdated = delete_outdated(&files, plan_to_prune(now)).await.unwrap();
        assert_eq!((outdated.deleted, names(outdated.skipped)), (vec![old], foreign.to_vec()));
        let left: Vec<_> = list(&files).await.unwrap().iter().map(|stored| stored.name).collect();
        assert_eq!(left, [backups[0], foreign[0], backups[1], foreign[1], foreign[2]]);
    }
}

/// Another machine's clock was slightly ahead, or a backup for another recipient was made in the same second.
#[actix_web::test]
async fn a_backup_made_a_moment_ago_is_never_outdated() {
    let folder = tempfile::tempdir().unwrap();
    let files = in_folder(folder.path());
    let made_at: DateTime<Utc> = "2026-11-24T03:00:00Z".parse().unwrap();
    let names = [
        "latchkey-20261124T025859Z-00c0ffee0123.zst",
        "latchkey-20261124T030000Z-00c0ffee0123.zst",
        "latchkey-20261124T030000Z-00c0ffee0123.zst.age",
        "latchkey-20261124T030040Z-00c0ffee0123.zst",
    ];
    for name in names {
        files.put(&format!("backups/{name}"), Bytes::from_static(A_BACKUP), "text/plain").await.unwrap();
    }
    let deleted = delete_outdated(&files, plan_to_prune(made_at)).await.unwrap().deleted;
    assert_eq!(
        deleted.iter().map(ToString::to_string).collect::<Vec<_>>(),
        names[..1],
        "only the backup of a minute before"
    );
}

/// A backup of more than one part that waits for its last table, which another connection has locked.
struct BlockedBackup {
    source: TestDb,
    holder: AnyConnection,
    creation: JoinHandle<Result<CreatedBackup, BackupError>>,
}

const WAITING: &str = "FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";

impl BlockedBackup {
    async fn start(server: &BucketServer) -> Self {
        let source = TestDb::migrated(Database::Postgres);
        insert_people(&source, 1, 15_000);
        let mut holder = source.connect();
        execute(&mut holder, "SET idle_in_transaction_session_timeout = 0");
        execute(&mut holder, "BEGIN");
        execute(&mut holder, "LOCK TABLE known_networks IN ACCESS EXCLUSIVE MODE");
        let (files, plan) = (in_bucket(server), plan(&source, Vec::new()));
        let creation = tokio::task::spawn_blocking(move || create(&files, &plan, own()));
        let waits = async || (source.number(&format!("SELECT count(*) {WAITING}")) == 1).then_some(());
        eventually("the backup waits", waits).await;
        eventually("a part has arrived", async || server.has_parts().then_some(())).await;
        Self { source, holder, creation }
    }

    async fn failure(mut self) -> String {
        execute(&mut self.holder, "ROLLBACK");
        self.creation.await.unwrap().unwrap_err().to_string()
    }
}

#[actix_web::test]
async fn a_storage_that_fails_during_a_backup_leaves_no_file_that_looks_like_one() {
    let mut server = BucketServer::start();
    let blocked = BlockedBackup::start(&server).await;
    server.stop();
    let message = blocked.failure().await;
    assert!(message.contains("cannot write backups/latchkey-20260304T050607Z-00c0ffee0123.zst: "), "{message}");
    server.start_again();
    assert_eq!(list(&in_bucket(&server)).await.unwrap(), []);
    assert_eq!(server.names(), Vec::<String>::new());
    create_in(&in_bucket(&server), plan(&TestDb::migrated(Database::Sqlite), Vec::new())).await.unwrap();
    assert_eq!(list(&in_bucket(&server)).await.unwrap().len(), 1);
}

#[actix_web::test]
async fn a_database_that_fails_during_a_backup_leaves_no_file_that_looks_like_one() {
    let server = BucketServer::start();
    let blocked = BlockedBackup::start(&server).await;
    blocked.source.texts(&format!("SELECT CAST(pg_terminate_backend(pid) AS text) AS value {WAITING}"));
    let message = blocked.failure().await;
    assert!(message.contains("terminating connection due to administrator command"), "{message}");
    assert_eq!(server.names(), Vec::<String>::new());
    assert!(!server.has_parts());
}

#[actix_web::test]
async fn a_backup_missing_from_the_storage_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let name: BackupName = "latchkey-20260304T050607Z.zst".parse().unwrap();
    let message = verify_in(&in_folder(folder.path()), name).await.unwrap_err().to_string();
    let name = "latchkey-20260304T050607Z.zst";
    assert_eq!(message, format!("there is no backup {name} in the storage; a file of this name is ./{name}"));
}
