use super::batch::{MAX_TIME, MAX_WRITES};
use super::{WriteTarget, Writer};
use crate::clock::Stopwatch;
use crate::config::DatabaseUrl;
use crate::gate::fixtures::{account, client};
use crate::gate::{Gate, GateCapacity, GateMetrics, Requester, Resource};
use crate::store::any::AnyConnection;
use crate::store::connection::open;
use crate::store::error::StoreError;
use crate::store::events::EventMetrics;
use crate::store::file::{DatabaseFile, companions_of};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::Error;
use diesel::sql_types::{BigInt, Text};
use parking_lot::Mutex;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use tempfile::TempDir;
use tokio::task::{JoinError, JoinHandle};

type TestResult = Result<(), Box<dyn std::error::Error>>;
type Task<T> = JoinHandle<Result<T, StoreError>>;

const ANONYMOUS: Requester = Requester::anonymous(client(1));

/// A file with a table, and its writer.
struct TestFile {
    folder: TempDir,
    writer: Writer,
    gate: Gate,
}

#[derive(QueryableByName)]
struct StoredName {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

fn execute(connection: &mut AnyConnection, sql: &str) -> QueryResult<()> {
    match connection {
        AnyConnection::Postgres(postgres) => postgres.batch_execute(sql),
        AnyConnection::Sqlite(sqlite) => sqlite.batch_execute(sql),
    }
}

fn insert(connection: &mut AnyConnection, name: &str) -> QueryResult<()> {
    diesel::sql_query("INSERT INTO names (name) VALUES (?)").bind::<Text, _>(name).execute(connection).map(|_| ())
}

fn count(connection: &mut AnyConnection) -> QueryResult<i64> {
    diesel::sql_query("SELECT count(*) AS count FROM names").get_result(connection).map(|Count { count }| count)
}

impl WriteTarget {
    fn of(path: PathBuf) -> Self {
        let url = DatabaseUrl::Sqlite(path);
        Self { file: DatabaseFile::of(&url), url, events: EventMetrics::default() }
    }
}

impl TestFile {
    fn new() -> Result<Self, Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let target = WriteTarget::of(folder.path().join("test.sqlite3"));
        execute(&mut open(&target.url)?, "CREATE TABLE names (name TEXT PRIMARY KEY)")?;
        let capacity = GateCapacity { permits: 100, permits_per_requester: 100, waiting: 100 };
        let gate = Gate::new(Resource::Database, capacity, GateMetrics::default());
        Ok(Self { folder, writer: Writer::of(target), gate })
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("test.sqlite3")
    }

    /// Another connection, which sees only what is committed.
    fn connect(&self) -> ConnectionResult<AnyConnection> {
        open(&DatabaseUrl::Sqlite(self.path()))
    }

    /// The names that are stored.
    fn names(&self) -> Result<Vec<String>, Box<dyn std::error::Error>> {
        let rows: Vec<StoredName> =
            diesel::sql_query("SELECT name FROM names ORDER BY rowid").load(&mut self.connect()?)?;
        Ok(rows.into_iter().map(|StoredName { name }| name).collect())
    }

    fn waiting(&self) -> usize {
        self.writer.0.queue.len()
    }

    /// Starts a write.
    fn start<T: Send + 'static>(
        &self,
        requester: Requester,
        work: impl FnOnce(&mut AnyConnection) -> QueryResult<T> + Send + 'static,
    ) -> Task<T> {
        let writer = self.writer.clone();
        let gate = self.gate.clone();
        tokio::spawn(async move { writer.write(requester, gate.enter().await?, work).await })
    }

    /// Starts a write that waits in the queue.
    async fn queue<T: Send + 'static>(
        &self,
        requester: Requester,
        work: impl FnOnce(&mut AnyConnection) -> QueryResult<T> + Send + 'static,
    ) -> Task<T> {
        let before = self.waiting();
        let task = self.start(requester, work);
        while self.waiting() == before {
            tokio::task::yield_now().await;
        }
        task
    }

    /// Starts a write that keeps the writer occupied until the sender is dropped, so that what is queued meanwhile shares the next
    /// transaction.
    async fn occupy(&self) -> Result<(mpsc::Sender<()>, Task<()>), Box<dyn std::error::Error>> {
        let (release, released) = mpsc::channel::<()>();
        let (started, has_started) = tokio::sync::oneshot::channel();
        let occupied = self.start(ANONYMOUS, move |connection| {
            insert(connection, "first")?;
            let _ = started.send(());
            let _ = released.recv();
            Ok(())
        });
        has_started.await?;
        Ok((release, occupied))
    }
}

fn unavailable<T>(result: &Result<Result<T, StoreError>, JoinError>) -> bool {
    matches!(result, Ok(Err(StoreError::Unavailable(_))))
}

/// What each write finds committed shows which of them share a transaction.
#[tokio::test]
async fn many_writers_share_a_commit() -> TestResult {
    const WRITERS: usize = MAX_WRITES + 6;
    let file = TestFile::new()?;
    let other = Arc::new(Mutex::new(file.connect()?));
    let (release, first) = file.occupy().await?;
    let mut writes = Vec::new();
    for number in 0..WRITERS {
        let other = Arc::clone(&other);
        let work = move |connection: &mut AnyConnection| {
            insert(connection, &number.to_string())?;
            count(&mut other.lock())
        };
        writes.push(file.queue(ANONYMOUS, work).await);
    }
    drop(release);
    first.await??;
    let mut committed = Vec::new();
    for write in writes {
        committed.push(write.await??);
    }
    assert_eq!(committed.first(), Some(&1), "the first one had no others to wait for");
    committed.dedup();
    assert!(committed.len() < WRITERS, "each has a commit of its own: {committed:?}");
    assert!(committed.len() > 1, "all of them have waited for the last one");
    assert_eq!(file.names()?.len(), WRITERS + 1);
    Ok(())
}

#[tokio::test]
async fn a_write_that_takes_long_is_committed_before_those_behind_it() -> TestResult {
    let file = TestFile::new()?;
    let mut other = file.connect()?;
    let (release, first) = file.occupy().await?;
    let slow = file.queue(ANONYMOUS, |connection| {
        let begun = Stopwatch::start();
        while begun.elapsed() < MAX_TIME {
            std::thread::yield_now();
        }
        insert(connection, "slow")
    });
    let slow = slow.await;
    let next = file.queue(ANONYMOUS, move |_| count(&mut other)).await;
    drop(release);
    first.await??;
    slow.await??;
    assert_eq!(next.await??, 2, "the first one and the slow one");
    Ok(())
}

#[tokio::test]
async fn a_write_that_fails_or_panics_leaves_the_changes_of_the_others() -> TestResult {
    let file = TestFile::new()?;
    let (release, first) = file.occupy().await?;
    let before = file.queue(ANONYMOUS, |connection| insert(connection, "before")).await;
    let fails = file.queue(ANONYMOUS, |connection| {
        insert(connection, "fails")?;
        Err::<(), _>(Error::RollbackTransaction)
    });
    let fails = fails.await;
    // Taken by a change that is not committed yet.
    let taken = file.queue(ANONYMOUS, |connection| insert(connection, "before")).await;
    let panics = file.queue(ANONYMOUS, |connection| {
        insert(connection, "panics")?;
        panic!("on purpose") as QueryResult<()>
    });
    let panics = panics.await;
    let after = file.queue(ANONYMOUS, |connection| insert(connection, "after")).await;
    drop(release);
    first.await??;
    before.await??;
    assert!(matches!(fails.await?, Err(StoreError::Defect(Error::RollbackTransaction))));
    assert!(matches!(taken.await?, Err(StoreError::Taken(_))));
    assert!(panics.await.is_err_and(|error| error.is_panic()));
    after.await??;
    assert_eq!(file.names()?, ["first", "before", "after"]);
    file.start(ANONYMOUS, |connection| insert(connection, "later")).await??;
    Ok(())
}

/// The commit fails because of one of them, and none may report what the others have seen.
#[tokio::test]
async fn a_commit_that_fails_is_reported_to_all_and_stores_nothing() -> TestResult {
    let file = TestFile::new()?;
    execute(
        &mut file.connect()?,
        "CREATE TABLE friends (name TEXT REFERENCES names (name) DEFERRABLE INITIALLY DEFERRED)",
    )?;
    let (release, first) = file.occupy().await?;
    let before = file.queue(ANONYMOUS, |connection| insert(connection, "before")).await;
    let taken = file.queue(ANONYMOUS, |connection| insert(connection, "before")).await;
    let without =
        file.queue(ANONYMOUS, |connection| execute(connection, "INSERT INTO friends VALUES ('nobody')")).await;
    let after = file.queue(ANONYMOUS, |connection| insert(connection, "after")).await;
    drop(release);
    first.await??;
    for write in [before, taken, without, after] {
        assert!(unavailable(&write.await));
    }
    assert_eq!(file.names()?, ["first"]);
    file.start(ANONYMOUS, |connection| insert(connection, "before")).await??;
    assert_eq!(file.names()?, ["first", "before"]);
    Ok(())
}

/// A full disk makes SQLite end the whole transaction at once. What is written after that must not be committed by itself.
#[tokio::test]
async fn a_transaction_that_ends_early_is_reported_to_all_and_stores_nothing() -> TestResult {
    let file = TestFile::new()?;
    let (release, first) = file.occupy().await?;
    let before = file.queue(ANONYMOUS, |connection| insert(connection, "before")).await;
    let fills = file.queue(ANONYMOUS, |connection| {
        execute(connection, "PRAGMA max_page_count = 1")?;
        insert(connection, &"x".repeat(100_000))
    });
    let fills = fills.await;
    let swallows = file.queue(ANONYMOUS, |connection| insert(connection, "after")).await;
    drop(release);
    first.await??;
    assert!(unavailable(&before.await) && unavailable(&fills.await));
    swallows.await??; // in a transaction of its own
    assert_eq!(file.names()?, ["first", "after"]);
    Ok(())
}

#[tokio::test]
async fn a_write_that_ignores_the_end_of_its_transaction_reports_no_success() -> TestResult {
    let file = TestFile::new()?;
    let ignores = |connection: &mut AnyConnection| {
        execute(connection, "PRAGMA max_page_count = 1")?;
        drop(insert(connection, &"x".repeat(100_000)));
        Ok(())
    };
    let (release, first) = file.occupy().await?;
    let before = file.queue(ANONYMOUS, |connection| insert(connection, "before")).await;
    let ignoring = file.queue(ANONYMOUS, ignores).await;
    drop(release);
    first.await??;
    assert!(unavailable(&before.await) && unavailable(&ignoring.await));
    assert!(unavailable(&file.start(ANONYMOUS, ignores).await), "alone");
    assert_eq!(file.names()?, ["first"]);
    Ok(())
}

#[tokio::test]
async fn a_caller_that_stops_waiting_leaves_no_transaction_open() -> TestResult {
    let file = TestFile::new()?;
    let (release, first) = file.occupy().await?;
    let gone = file.queue(ANONYMOUS, |connection| insert(connection, "gone")).await;
    let last = file.queue(ANONYMOUS, |connection| insert(connection, "last")).await;
    first.abort();
    gone.abort();
    assert!(gone.await.is_err_and(|error| error.is_cancelled()));
    drop(release);
    last.await??;
    execute(&mut file.connect()?, "BEGIN IMMEDIATE; INSERT INTO names VALUES ('other'); COMMIT")?;
    assert_eq!(file.names()?, ["first", "gone", "last", "other"]);
    Ok(())
}

/// diesel may have been in the middle of something.
#[tokio::test]
async fn a_connection_is_replaced_after_a_panic_and_kept_after_a_refused_row() -> TestResult {
    #[derive(QueryableByName)]
    struct CacheSize {
        #[diesel(sql_type = BigInt)]
        cache_size: i64,
    }
    fn mark(connection: &mut AnyConnection) -> QueryResult<i64> {
        let row = diesel::sql_query("PRAGMA cache_size").get_result(connection);
        row.map(|CacheSize { cache_size }| cache_size)
    }
    let file = TestFile::new()?;
    file.start(ANONYMOUS, |connection| execute(connection, "PRAGMA cache_size = 4711")).await??;
    let twice = |connection: &mut AnyConnection| insert(connection, "one").and_then(|()| insert(connection, "one"));
    assert!(matches!(file.start(ANONYMOUS, twice).await?, Err(StoreError::Taken(_))));
    assert_eq!(file.start(ANONYMOUS, mark).await??, 4711);
    let panics = file.start(ANONYMOUS, |_| panic!("on purpose") as QueryResult<()>);
    assert!(panics.await.is_err_and(|error| error.is_panic()));
    assert_ne!(file.start(ANONYMOUS, mark).await??, 4711);
    Ok(())
}

#[tokio::test]
async fn a_transaction_within_a_transaction_is_refused() -> TestResult {
    let file = TestFile::new()?;
    let nested = file.start(ANONYMOUS, |connection| connection.write(|connection| insert(connection, "nested")));
    assert!(matches!(nested.await?, Err(StoreError::Defect(Error::AlreadyInTransaction))));
    file.start(ANONYMOUS, |connection| insert(connection, "next")).await??;
    assert_eq!(file.names()?, ["next"]);
    Ok(())
}

#[tokio::test]
async fn an_owner_writes_before_waiting_anonymous_clients() -> TestResult {
    let file = TestFile::new()?;
    let (release, _first) = file.occupy().await?;
    let owner = Requester::recognized(account(2));
    let mut writes = Vec::new();
    for (requester, name) in [(ANONYMOUS, "anonymous 1"), (ANONYMOUS, "anonymous 2"), (owner, "owner")] {
        writes.push(file.queue(requester, move |connection| insert(connection, name)).await);
    }
    drop(release);
    for write in writes {
        write.await??;
    }
    assert_eq!(file.names()?, ["first", "owner", "anonymous 1", "anonymous 2"]);
    Ok(())
}

#[tokio::test]
async fn the_file_is_closed_with_the_last_clone() -> TestResult {
    let file = TestFile::new()?;
    file.start(ANONYMOUS, |connection| insert(connection, "one")).await??;
    let log = companions_of(&file.path()).into_iter().next().unwrap_or_default();
    assert!(log.exists());
    let TestFile { folder: _folder, writer, .. } = file;
    drop(writer);
    assert!(!log.exists(), "SQLite deletes its log with the last connection");
    Ok(())
}

/// It cannot wait for its own end.
#[tokio::test]
async fn a_write_may_hold_the_last_clone() -> TestResult {
    let file = TestFile::new()?;
    let (release, first) = file.occupy().await?;
    let clone = file.writer.clone();
    let holding = file.queue(ANONYMOUS, move |connection| {
        insert(connection, "holding")?;
        drop(clone);
        Ok(())
    });
    holding.await.abort();
    first.abort();
    let log = companions_of(&file.path()).into_iter().next().unwrap_or_default();
    let TestFile { folder, writer, gate } = file;
    drop(writer);
    drop(release);
    while log.exists() {
        tokio::task::yield_now().await;
    }
    let target = WriteTarget::of(folder.path().join("test.sqlite3"));
    assert_eq!(TestFile { folder, writer: Writer::of(target), gate }.names()?, ["first", "holding"]);
    Ok(())
}
