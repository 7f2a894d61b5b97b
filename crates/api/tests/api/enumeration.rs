//! An attacker cannot find out who has an account: neither by the response nor by the work that it costs.
//!
//! Work is what the program itself logs at level `trace`: each statement, and each run of bcrypt with its cost. Time follows
//! from it, and `scripts/bench timing` measures that.

use crate::support::observed::{Observed, VisibleResponse, without_workers};
use crate::support::{Database, PASSWORD, TestDb, create_user, on_both_databases};
use serde_json::{Value, json};
use std::collections::BTreeMap;

on_both_databases![
    a_failed_sign_in_costs_the_same_with_and_without_an_account,
    a_request_for_mail_costs_the_same_with_and_without_an_account,
    a_sign_up_that_must_be_confirmed_costs_the_same_for_a_taken_address,
    the_comparison_detects_a_difference,
];

/// Requests of each kind: enough to see work that differs now and then.
const ROUNDS: usize = 12;

/// How often the same work was done for requests of one kind.
type Distribution = BTreeMap<Vec<String>, usize>;

/// What was seen of the requests of one kind.
#[derive(Default)]
struct Observations {
    responses: Vec<VisibleResponse>,
    work: Distribution,
}

/// Sends the same request for known and for unknown addresses, in turns.
async fn compare(api: &mut Observed, path: &str, known: impl Fn(usize) -> Value, unknown: impl Fn(usize) -> Value) {
    let mut of_known = Observations::default();
    let mut of_unknown = Observations::default();
    for round in 0..ROUNDS {
        for (seen, body) in [(&mut of_known, known(round)), (&mut of_unknown, unknown(round))] {
            let (response, work) = api.ask(path, &body).await;
            seen.responses.push(response);
            *seen.work.entry(work).or_default() += 1;
        }
    }
    assert_eq!(of_known.responses, of_unknown.responses, "{path}: the responses differ");
    assert_eq!(of_known.work, of_unknown.work, "{path}: the work differs");
    assert!(of_known.work.keys().all(|work| !work.is_empty()), "{path}: no work was seen");
}

fn known_address(round: usize) -> String {
    format!("known-{round}@example.com")
}

fn unknown_address(round: usize) -> String {
    format!("nobody-{round}@example.com")
}

fn with_accounts(db: &TestDb) {
    for round in 0..ROUNDS {
        create_user(db, &known_address(round));
    }
}

async fn a_failed_sign_in_costs_the_same_with_and_without_an_account(database: Database) {
    let db = TestDb::migrated(database);
    with_accounts(&db);
    let mut api = Observed::start(&db, &[]).await;
    let attempt = |email: String| json!({"email": email, "password": "not the right one at all"});
    compare(&mut api, "/api/auth/login/", |n| attempt(known_address(n)), |n| attempt(unknown_address(n))).await;
}

async fn a_request_for_mail_costs_the_same_with_and_without_an_account(database: Database) {
    let db = TestDb::migrated(database);
    with_accounts(&db);
    // Half of the addresses are not confirmed: these take another path.
    db.execute("UPDATE users SET email_verified_at = NULL WHERE id % 2 = 0");
    without_workers(&db);
    let mut api = Observed::start(&db, &[]).await;
    for path in ["/api/auth/password/reset/", "/api/auth/email/resend/"] {
        let body = |email: String| json!({"email": email});
        compare(&mut api, path, |n| body(known_address(n)), |n| body(unknown_address(n))).await;
    }
}

async fn a_sign_up_that_must_be_confirmed_costs_the_same_for_a_taken_address(database: Database) {
    let db = TestDb::migrated(database);
    with_accounts(&db);
    without_workers(&db);
    let mut api = Observed::start(&db, &[("EMAIL_VERIFICATION", "mandatory")]).await;
    let plain = |email: String| json!({"email": email, "password": PASSWORD});
    let named =
        |email: String| json!({"email": email, "username": email.replace(['@', '.'], "-"), "password": PASSWORD});
    let path = "/api/auth/register/";
    compare(&mut api, path, |n| plain(known_address(n)), |n| plain(unknown_address(n))).await;
    // A username that is free makes no difference.
    let free = |n| format!("free-{}", unknown_address(n));
    compare(&mut api, path, |n| named(known_address(n)), |n| named(free(n))).await;
}

async fn the_comparison_detects_a_difference(database: Database) {
    let db = TestDb::migrated(database);
    with_accounts(&db);
    let mut api = Observed::start(&db, &[]).await;
    let (accepted, work_of_accepted) =
        api.ask("/api/auth/login/", &json!({"email": known_address(0), "password": PASSWORD})).await;
    let (refused, work_of_refused) =
        api.ask("/api/auth/login/", &json!({"email": known_address(0), "password": "something else"})).await;
    assert_ne!(accepted.status, refused.status);
    assert_ne!(work_of_accepted, work_of_refused, "a sign-in inserts a session");
    assert!(work_of_refused.iter().any(|step| step == "cost 4"), "{work_of_refused:?}");
}
