//! The same on PostgreSQL: a commit that it refuses, a connection that is lost in one, and a commit that nobody hears of.

use super::acts;
use super::acts::{Act, Person};
use crate::support::{Database, Process, Proxy, TestDb, TestResponse};
use auth_types::Reason;

/// What a deferred trigger does: it runs in the commit, after `RETURNING` has given its rows.
const REFUSES: &str = "RAISE EXCEPTION 'no room for this commit'";
const IS_LOST: &str = "PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(60)";

/// A database whose commits fail while `failing` says so.
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

/// No mail is ever due: its worker writes at no time of its own, and spends no link.
fn keep_mail(db: &TestDb) {
    db.execute(
        "CREATE FUNCTION keep_mail() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN NEW.due_at = now() + interval '1 hour'; RETURN NEW; END $$",
    );
    db.execute("CREATE TRIGGER keep_mail BEFORE INSERT ON mail_outbox FOR EACH ROW EXECUTE FUNCTION keep_mail()");
}

async fn person(db: &TestDb, process: &Process, act: Act, number: u32) -> Person {
    act.prepare(db, process, number).await
}

/// Whoever gets 503 asks again, and then it is done; or it was done, and that shows.
async fn ask_again(db: &TestDb, process: &Process, (act, person): (Act, &Person), answer: TestResponse) {
    if answer.status.is_success() {
        return act.check(db, process, person, &answer).await;
    }
    answer.failed(503, Reason::Unavailable);
    let again = act.send(process, person).await;
    if again.status.is_success() {
        act.check(db, process, person, &again).await;
    } else {
        assert!(act.is_done(db, process, person).await, "{act:?}: {}", again.text());
    }
}

async fn no_route_reports_a_commit_that_fails(failure: &str) {
    let db = database(failure);
    let process = Process::start(db.url());
    for act in acts(&db, &process).await {
        let person = person(&db, &process, act, 1).await;
        let before = db.content();
        db.execute("UPDATE failing SET is_on = true");
        let answer = act.send(&process, &person).await;
        db.execute("UPDATE failing SET is_on = false");
        let is_done = answer.status.is_success();
        // A feature's route that changes nothing may commit all the same.
        assert!(
            if act.changes_nothing() { is_done || act != Act::Verify } else { !is_done },
            "{act:?}: {}",
            answer.text()
        );
        assert_eq!(db.content(), before, "{act:?} has left something");
        ask_again(&db, &process, (act, &person), answer).await;
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

/// PostgreSQL has committed, and nobody hears of it.
#[actix_web::test]
async fn what_was_committed_unheard_can_be_asked_for_again() {
    let db = TestDb::migrated(Database::Postgres);
    keep_mail(&db);
    let proxy = Proxy::before(db.server_address());
    let process = Process::start(&db.url_through(proxy.address()));
    for act in acts(&db, &process).await.into_iter().filter(|act| !act.changes_nothing()) {
        let mut unheard = false;
        // The process commits something of its own now and then, whose answer is lost instead.
        for number in 1..=ATTEMPTS {
            let person = person(&db, &process, act, number).await;
            proxy.cut_after(if act == Act::Refresh { "UPDATE \"sessions\"" } else { "COMMIT" });
            let answer = act.send(&process, &person).await;
            unheard |= !answer.status.is_success();
            ask_again(&db, &process, (act, &person), answer).await;
            if unheard {
                break;
            }
        }
        assert!(unheard, "{act:?} never lost its answer");
    }
}
