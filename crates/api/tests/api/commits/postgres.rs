//! The same on PostgreSQL: a commit that it refuses, a connection that is lost during a commit, and a commit whose response
//! is lost.

use super::operations;
use super::operations::{Account, Operation};
use crate::support::{Database, Process, Proxy, TestDb, TestResponse};
use auth_types::Reason;

/// The action of a deferred trigger, which runs in the commit, after `RETURNING` has returned its rows.
const REFUSES: &str = "RAISE EXCEPTION 'no room for this commit'";
const IS_LOST: &str = "PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(60)";

/// A database whose commits fail while `failing.is_on` is true.
fn database(failure: &str) -> TestDb {
    let db = TestDb::of_the_program(Database::Postgres);
    keep_mail(&db);
    let tables = db.tables();
    db.execute("CREATE TABLE failing (is_on bool)");
    db.execute("INSERT INTO failing VALUES (false)");
    db.execute(&format!(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN IF (SELECT is_on FROM failing) THEN {failure}; END IF; RETURN NULL; END $$"
    ));
    for table in tables {
        db.execute(&format!(
            "CREATE CONSTRAINT TRIGGER fails AFTER INSERT OR UPDATE OR DELETE ON {table}
             DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail()"
        ));
    }
    db
}

/// No mail becomes due, so the mail worker neither writes nor replaces a link.
fn keep_mail(db: &TestDb) {
    db.execute(
        "CREATE FUNCTION keep_mail() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN NEW.due_at = now() + interval '1 hour'; RETURN NEW; END $$",
    );
    db.execute("CREATE TRIGGER keep_mail BEFORE INSERT ON mail_outbox FOR EACH ROW EXECUTE FUNCTION keep_mail()");
}

async fn account(db: &TestDb, process: &Process, operation: Operation, number: u32) -> Account {
    operation.prepare(db, process, number).await
}

/// After a 503 the client repeats the request: it succeeds, or the first attempt was committed after all.
async fn repeat(db: &TestDb, process: &Process, operation: Operation, account: &Account, response: TestResponse) {
    if response.status.is_success() {
        return operation.check(db, process, account, &response).await;
    }
    response.problem_of(503, Reason::Unavailable);
    let again = operation.send(process, account).await;
    if again.status.is_success() {
        operation.check(db, process, account, &again).await;
    } else {
        assert!(operation.is_done(db, process, account).await, "{operation:?}: {}", again.text());
    }
}

async fn no_route_reports_a_commit_that_fails(failure: &str) {
    let db = database(failure);
    let process = Process::start(db.url());
    for operation in operations(&db, &process).await {
        let account = account(&db, &process, operation, 1).await;
        let before = db.content();
        db.execute("UPDATE failing SET is_on = true");
        let response = operation.send(&process, &account).await;
        db.execute("UPDATE failing SET is_on = false");
        let is_done = response.status.is_success();
        // A feature's route that changes nothing may commit all the same.
        assert!(
            if operation.changes_nothing() { is_done || operation != Operation::Verify } else { !is_done },
            "{operation:?}: {}",
            response.text()
        );
        assert_eq!(db.content(), before, "{operation:?} has changed the database");
        repeat(&db, &process, operation, &account, response).await;
    }
}

#[actix_web::test]
async fn no_route_reports_a_commit_that_postgres_refuses() {
    no_route_reports_a_commit_that_fails(REFUSES).await;
}

#[actix_web::test]
async fn no_route_reports_a_commit_in_which_the_connection_is_lost() {
    no_route_reports_a_commit_that_fails(IS_LOST).await;
}

const ATTEMPTS: u32 = 5;

/// PostgreSQL has committed, but its response does not reach the process.
#[actix_web::test]
async fn a_request_whose_commit_was_not_confirmed_can_be_repeated() {
    let db = TestDb::migrated(Database::Postgres);
    keep_mail(&db);
    let proxy = Proxy::before(db.server_address());
    let process = Process::start(&db.url_through(proxy.address()));
    for operation in operations(&db, &process).await.into_iter().filter(|operation| !operation.changes_nothing()) {
        let mut is_lost = false;
        // The process sometimes commits for itself, and then that response is lost instead.
        for number in 1..=ATTEMPTS {
            let account = account(&db, &process, operation, number).await;
            proxy.cut_after(if operation == Operation::Refresh { "UPDATE \"sessions\"" } else { "COMMIT" });
            let response = operation.send(&process, &account).await;
            is_lost |= !response.status.is_success();
            repeat(&db, &process, operation, &account, response).await;
            if is_lost {
                break;
            }
        }
        assert!(is_lost, "{operation:?} never lost its response");
    }
}
