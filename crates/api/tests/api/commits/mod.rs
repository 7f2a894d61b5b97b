//! What is answered as done is committed: every route that changes something, on a disk that fails at each of its writes.
//!
//! Whatever was answered 2xx is there after `kill -9`; whatever was answered 503 can be repeated once the disk is well. The
//! routes come from the OpenAPI document: one of Latchkey's that [`acts`] does not know fails the tests, and those of features are
//! played by what the document says of them.
#![cfg(target_os = "linux")]

mod acts;
mod feature_routes;
mod postgres;

use crate::support::surface::is_own;
use crate::support::{
    Database, DiskError, FaultyDisk, PASSWORD, Process, TestDb, TestResponse, create_user, execute, send,
};
use acts::{Act, Person};
use auth_types::Reason;
use reqwest::Method;
use serde_json::{Value, json};

/// Far more than a request makes: a sweep that gets here would not end.
const CALLS_AT_MOST: i64 = 400;

/// The program on a disk that fails when it is told to.
struct Stage {
    disk: FaultyDisk,
    process: Option<Process>,
    people: u32,
    // The last field: the database goes after everything that uses it.
    db: TestDb,
}

impl Stage {
    fn set() -> Self {
        let db = TestDb::migrated(Database::Sqlite);
        // No mail is due while a test runs: its worker writes at no time of its own, and spends no link.
        db.execute(
            "CREATE TRIGGER keep_mail AFTER INSERT ON mail_outbox
             BEGIN
                UPDATE mail_outbox SET due_at = strftime('%Y-%m-%d %H:%M:%f000', 'now', '+1 hour') WHERE id = new.id;
             END",
        );
        let disk = FaultyDisk::of(&db);
        let mut stage = Self { disk, process: None, people: 0, db };
        stage.start();
        stage
    }

    fn start(&mut self) {
        self.process = Some(Process::start_with(self.db.url(), &self.disk.variables()));
    }

    fn process(&self) -> &Process {
        self.process.as_ref().unwrap()
    }

    /// What was not flushed is lost with the process, as far as a test can make it.
    fn kill_and_start_again(&mut self) {
        self.process.take().unwrap().kill();
        self.start();
    }

    /// Somebody new for whom `act` is possible.
    async fn person(&mut self, act: Act) -> Person {
        self.people += 1;
        act.prepare(&self.db, self.process(), self.people).await
    }

    /// One attempt on a disk that fails after `passing` calls, and how many calls there were.
    async fn attempt(&self, act: Act, person: &Person, passing: i64, error: DiskError) -> (TestResponse, i64) {
        self.disk.fail_after(passing, error);
        let answer = act.send(self.process(), person).await;
        let calls = self.disk.recover();
        if !answer.status.is_success() {
            answer.clone().failed(503, Reason::Unavailable);
        }
        (answer, calls)
    }

    /// Fails at the first call of `act`, at the second, and so on until it is not hit any more. Returns what was answered
    /// with success, whether at once or when it was repeated, and how many calls `act` makes.
    async fn sweep(&mut self, act: Act, error: DiskError) -> (Vec<(Person, TestResponse)>, i64) {
        let mut done = Vec::new();
        for passing in 0..CALLS_AT_MOST {
            let person = self.person(act).await;
            let (answer, calls) = self.attempt(act, &person, passing, error).await;
            if answer.status.is_success() {
                done.push((person, answer));
                if calls <= passing {
                    return (done, calls);
                }
            } else {
                let again = act.send(self.process(), &person).await;
                assert!(again.status.is_success(), "{act:?}, failed after {passing} calls: {}", again.text());
                done.push((person, again));
            }
        }
        panic!("{act:?} never ends");
    }

    /// The process dies right after an attempt whose commit failed.
    async fn fail_and_die(&mut self, act: Act, passing: i64, error: DiskError) {
        let person = self.person(act).await;
        let (answer, _) = self.attempt(act, &person, passing, error).await;
        self.kill_and_start_again();
        if answer.status.is_success() {
            act.check(&self.db, self.process(), &person, &answer).await;
            return;
        }
        let again = act.send(self.process(), &person).await;
        if again.status.is_success() {
            act.check(&self.db, self.process(), &person, &again).await;
        } else {
            // SQLite may find a commit in its log that it could not flush: then what was asked for is done.
            assert!(act.is_done(&self.db, self.process(), &person).await, "{act:?}: {}", again.text());
        }
    }
}

/// Every operation of the document that may change something.
async fn acts(db: &TestDb, process: &Process) -> Vec<Act> {
    let document: Value = process.get("/api/openapi.json").await.json();
    let mut acts = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys().filter(|method| *method != "get") {
            let name = format!("{} {path}", method.to_uppercase());
            if is_own(&name) {
                acts.push(Act::named(&name).unwrap_or_else(|| panic!("{name}: say in acts.rs what it does")));
            } else {
                acts.extend(feature_routes::act(&document, (path, method), (db, process)).await);
            }
        }
    }
    acts
}

async fn no_route_reports_what_is_not_committed(error: DiskError) {
    let mut stage = Stage::set();
    let acts = acts(&stage.db, stage.process()).await;
    assert!(acts.len() >= 17, "the document lost its routes");
    for act in acts {
        let (done, calls) = stage.sweep(act, error).await;
        stage.fail_and_die(act, calls - 1, error).await;
        for (person, answer) in &done {
            act.check(&stage.db, stage.process(), person, answer).await;
        }
    }
    assert_eq!(stage.db.value("SELECT integrity_check FROM pragma_integrity_check").as_deref(), Some("ok"));
}

#[actix_web::test]
async fn no_route_reports_what_is_not_committed_on_a_full_disk() {
    no_route_reports_what_is_not_committed(DiskError::Full).await;
}

#[actix_web::test]
async fn no_route_reports_what_is_not_committed_past_a_quota() {
    no_route_reports_what_is_not_committed(DiskError::Quota).await;
}

#[actix_web::test]
async fn no_route_reports_what_is_not_committed_on_a_broken_disk() {
    no_route_reports_what_is_not_committed(DiskError::Broken).await;
}

/// SQLite's log is copied into the file from time to time, right after a commit and in the same call: what fails then has
/// no bearing on what was committed.
#[actix_web::test]
async fn a_log_that_cannot_be_copied_after_the_commit_fails_no_request() {
    const ADA: &str = "ada@example.com";
    let db = TestDb::migrated(Database::Sqlite);
    create_user(&db, ADA); // without a mail: nobody else writes
    let disk = FaultyDisk::of(&db);
    let process = Process::start_with(db.url(), &disk.variables());
    let login = async |passing: i64| {
        disk.fail_after(passing, DiskError::Full);
        let body = json!({"email": ADA, "password": PASSWORD});
        let answer = send(process.request(Method::POST, "/api/auth/login/").json(&body)).await;
        (answer, disk.recover())
    };
    fill_log(&db);
    for passing in 0..CALLS_AT_MOST {
        let (answer, calls) = login(passing).await;
        if answer.status.is_success() {
            assert!(calls > passing, "the log was not copied");
            process.kill();
            let process = Process::start(db.url());
            let tokens = process.refresh(&answer.ok(), None).await.ok();
            return process.me(&tokens).await.done();
        }
        answer.failed(503, Reason::Unavailable);
    }
    panic!("the sign-in never succeeds");
}

/// Makes the log so long that the next commit copies it.
fn fill_log(db: &TestDb) {
    let mut writer = db.connect();
    execute(&mut writer, "PRAGMA wal_autocheckpoint = 0");
    execute(&mut writer, "CREATE TABLE filling AS SELECT randomblob(8000000) AS bytes");
}
