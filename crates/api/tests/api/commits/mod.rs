//! A success is committed: every route that changes something, on a disk that fails at each of its writes in turn.
//!
//! The effect of every 2xx response exists after `kill -9`, and every request with a 503 can be repeated once the disk works.
//! The routes come from the OpenAPI document: a route of Latchkey's that [`operations`] does not know fails the tests, and
//! requests to features' routes are built from their description in the document.
#![cfg(target_os = "linux")]

mod feature_routes;
mod operations;
mod postgres;

use crate::support::surface::is_own;
use crate::support::{
    Database, DiskError, FaultyDisk, PASSWORD, Process, TestDb, TestResponse, create_user, execute, send,
};
use auth_types::Reason;
use operations::{Account, Operation};
use reqwest::Method;
use serde_json::{Value, json};

/// Far more calls than a request makes, so that a sweep ends.
const CALLS_AT_MOST: i64 = 400;

/// The program on a disk that fails on demand.
struct FaultyApi {
    disk: FaultyDisk,
    process: Option<Process>,
    accounts: u32,
    // The last field, so that the database is dropped after everything that uses it.
    db: TestDb,
}

impl FaultyApi {
    fn new() -> Self {
        let db = TestDb::migrated(Database::Sqlite);
        // No mail becomes due during a test, so the mail worker neither writes nor replaces a link.
        db.execute(
            "CREATE TRIGGER keep_mail AFTER INSERT ON mail_outbox
             BEGIN
                UPDATE mail_outbox SET due_at = strftime('%Y-%m-%d %H:%M:%f000', 'now', '+1 hour') WHERE id = new.id;
             END",
        );
        let disk = FaultyDisk::of(&db);
        let mut api = Self { disk, process: None, accounts: 0, db };
        api.start();
        api
    }

    fn start(&mut self) {
        self.process = Some(Process::start_with(self.db.url(), &self.disk.variables()));
    }

    fn process(&self) -> &Process {
        self.process.as_ref().unwrap()
    }

    /// Kills the process, so that data that was not flushed is lost, as far as a test can cause that.
    fn kill_and_start_again(&mut self) {
        self.process.take().unwrap().kill();
        self.start();
    }

    /// A new account for which `operation` is possible.
    async fn account(&mut self, operation: Operation) -> Account {
        self.accounts += 1;
        operation.prepare(&self.db, self.process(), self.accounts).await
    }

    /// One attempt on a disk that fails after `passing` calls; returns the response and the number of calls.
    async fn attempt(
        &self,
        operation: Operation,
        account: &Account,
        passing: i64,
        error: DiskError,
    ) -> (TestResponse, i64) {
        self.disk.fail_after(passing, error);
        let response = operation.send(self.process(), account).await;
        let calls = self.disk.recover();
        if !response.status.is_success() {
            response.clone().problem_of(503, Reason::Unavailable);
        }
        (response, calls)
    }

    /// Fails the first call of `operation`, then the second, and so on until none of its calls fails. Returns each account with
    /// the successful response, of the first attempt or the repeated one, and how many calls `operation` makes.
    async fn sweep(&mut self, operation: Operation, error: DiskError) -> (Vec<(Account, TestResponse)>, i64) {
        let mut done = Vec::new();
        for passing in 0..CALLS_AT_MOST {
            let account = self.account(operation).await;
            let (response, calls) = self.attempt(operation, &account, passing, error).await;
            if response.status.is_success() {
                done.push((account, response));
                if calls <= passing {
                    return (done, calls);
                }
            } else {
                let again = operation.send(self.process(), &account).await;
                assert!(again.status.is_success(), "{operation:?}, failed after {passing} calls: {}", again.text());
                done.push((account, again));
            }
        }
        panic!("{operation:?} needs too many calls");
    }

    /// Kills the process right after an attempt whose commit failed.
    async fn fail_and_kill(&mut self, operation: Operation, passing: i64, error: DiskError) {
        let account = self.account(operation).await;
        let (response, _) = self.attempt(operation, &account, passing, error).await;
        self.kill_and_start_again();
        if response.status.is_success() {
            operation.check(&self.db, self.process(), &account, &response).await;
            return;
        }
        let again = operation.send(self.process(), &account).await;
        if again.status.is_success() {
            operation.check(&self.db, self.process(), &account, &again).await;
        } else {
            // SQLite may find a commit in its log that it could not flush. Then the operation is done.
            assert!(operation.is_done(&self.db, self.process(), &account).await, "{operation:?}: {}", again.text());
        }
    }
}

/// Every operation of the document that may change something.
async fn operations(db: &TestDb, process: &Process) -> Vec<Operation> {
    let document: Value = process.get("/api/openapi.json").await.json();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys().filter(|method| *method != "get") {
            let name = format!("{} {path}", method.to_uppercase());
            if is_own(&name) {
                operations.push(Operation::named(&name).unwrap_or_else(|| panic!("{name}: add it to operations.rs")));
            } else {
                let route = feature_routes::FeatureRoute::of(&document, path, method);
                operations.extend(feature_routes::operation(route, db, process).await);
            }
        }
    }
    operations
}

async fn no_route_reports_what_is_not_committed(error: DiskError) {
    let mut api = FaultyApi::new();
    let operations = operations(&api.db, api.process()).await;
    assert!(operations.len() >= 17, "the document lacks routes");
    for operation in operations {
        let (done, calls) = api.sweep(operation, error).await;
        api.fail_and_kill(operation, calls - 1, error).await;
        for (account, response) in &done {
            operation.check(&api.db, api.process(), account, response).await;
        }
    }
    assert_eq!(api.db.value("SELECT integrity_check FROM pragma_integrity_check").as_deref(), Some("ok"));
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

/// SQLite copies its log into the file from time to time, right after a commit and in the same call. A failure of the copy does
/// not affect the commit.
#[actix_web::test]
async fn a_log_that_cannot_be_copied_after_the_commit_fails_no_request() {
    const ADA: &str = "ada@example.com";
    let db = TestDb::migrated(Database::Sqlite);
    create_user(&db, ADA); // sends no mail, so no worker writes
    let disk = FaultyDisk::of(&db);
    let process = Process::start_with(db.url(), &disk.variables());
    let login = async |passing: i64| {
        disk.fail_after(passing, DiskError::Full);
        let body = json!({"email": ADA, "password": PASSWORD});
        let response = send(process.request(Method::POST, "/api/auth/login/").json(&body)).await;
        (response, disk.recover())
    };
    fill_log(&db);
    for passing in 0..CALLS_AT_MOST {
        let (response, calls) = login(passing).await;
        if response.status.is_success() {
            assert!(calls > passing, "the log was not copied");
            process.kill();
            let process = Process::start(db.url());
            let tokens = process.refresh(&response.tokens(), None).await.tokens();
            return process.me(&tokens).await.done();
        }
        response.problem_of(503, Reason::Unavailable);
    }
    panic!("the sign-in never succeeds");
}

/// Fills the log until the next commit copies it.
fn fill_log(db: &TestDb) {
    let mut writer = db.connect();
    execute(&mut writer, "PRAGMA wal_autocheckpoint = 0");
    execute(&mut writer, "CREATE TABLE filling AS SELECT randomblob(8000000) AS bytes");
}
