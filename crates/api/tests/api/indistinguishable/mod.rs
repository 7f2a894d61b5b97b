//! An attacker's requests must not reveal whether an address has an account, or what state that account is in.
//!
//! Each state that must look like another one gets its own database and program. An attacker then calls every route of the
//! OpenAPI document several times, because the effect of one request may show in the response to another. The routes and
//! their fields come from the document, so that a new route takes part without being listed.
//!
//! There are two kinds of run. [`observed`] is the real program, which logs its work: status, headers, body, budgets,
//! statements, hashing and waiting mails are compared. [`timed`] has a clock that the test moves: times and waits to the
//! second, the mails that are sent, and what the attacker's own accounts show afterwards are compared.

mod observation;
mod observed;
mod operations;
mod states;
mod timed;

use crate::support::{Database, on_both_databases, send};
use futures_util::future::{join, join_all};
use observation::Observation;
use observed::World;
use operations::{ROUNDS, operations};
use reqwest::Method;
use serde_json::Value;
use states::{PBKDF2, State, UNUSABLE};
use timed::TimedWorld;

on_both_databases![
    with_mandatory_confirmation_no_route_reveals_the_state_of_an_address,
    with_mandatory_confirmation_no_wait_mail_or_later_response_reveals_the_state_of_an_address,
    with_optional_confirmation_no_route_reveals_the_state_of_an_account,
    with_optional_confirmation_no_wait_mail_or_later_response_reveals_the_state_of_an_account,
    the_run_reaches_every_route_and_detects_a_difference,
];

/// The address that the attacker asks about, and the username of its account, if it has one.
const SUBJECT: &str = "subject@example.com";
const SUBJECT_NAME: &str = "subject";
/// The domain of the attacker's own addresses.
const ATTACKERS_DOMAIN: &str = "@example.org";

/// States that must look alike where registrations have to be confirmed.
const MANDATORY: [State; 13] = [
    State::Unknown,
    State::Pending,
    State::PendingOfAttacker,
    State::Expired,
    State::Deleted,
    State::Confirmed,
    State::Unconfirmed,
    State::NeverUsed,
    State::Inactive,
    State::InactiveKnown,
    State::Cheap,
    State::Hash(PBKDF2),
    State::Hash(UNUSABLE),
];
/// The same where they do not have to be. There a registration reveals whether an address has an account, and nothing reveals
/// more than that.
const OPTIONAL: [State; 5] =
    [State::Confirmed, State::Unconfirmed, State::NeverUsed, State::Inactive, State::Hash(UNUSABLE)];

/// The email address and the network address of one of the attacker's accounts.
fn attacker(account: usize) -> (String, String) {
    (format!("s{account}{ATTACKERS_DOMAIN}"), format!("198.51.100.{}", account + 1))
}

/// How many states run at the same time: the program delays refusals, and there are many of them.
const AT_ONCE: usize = 5;

async fn compare_observed(database: Database, verification: &str, states: &[State]) {
    let mut results = Vec::new();
    for states in states.chunks(AT_ONCE) {
        let mut worlds = Vec::new();
        // One after the other, because a start blocks this thread, and requests that wait meanwhile time out.
        for state in states {
            worlds.push(World::new(database, *state, verification).await);
        }
        let observations = join_all(worlds.into_iter().map(|world| async { world.run().await.observations })).await;
        results.extend(states.iter().copied().zip(observations));
    }
    compare(&results, verification);
}

async fn compare_timed(database: Database, verification: &str, states: &[State]) {
    let mut results = Vec::new();
    for state in states {
        results.push((*state, TimedWorld::new(database, *state, verification).await.run().await.observations));
    }
    compare(&results, verification);
}

fn compare(results: &[(State, Vec<Observation>)], verification: &str) {
    let ((first, expected), others) = results.split_first().unwrap();
    for (other, observations) in others {
        assert_eq!(expected.len(), observations.len());
        for (one, another) in expected.iter().zip(observations) {
            assert_eq!(one, another, "{first:?} and {other:?} look different, {verification}");
        }
    }
}

async fn with_mandatory_confirmation_no_route_reveals_the_state_of_an_address(database: Database) {
    compare_observed(database, "mandatory", &MANDATORY).await;
}

async fn with_mandatory_confirmation_no_wait_mail_or_later_response_reveals_the_state_of_an_address(
    database: Database,
) {
    compare_timed(database, "mandatory", &MANDATORY).await;
}

async fn with_optional_confirmation_no_route_reveals_the_state_of_an_account(database: Database) {
    compare_observed(database, "optional", &OPTIONAL).await;
}

async fn with_optional_confirmation_no_wait_mail_or_later_response_reveals_the_state_of_an_account(database: Database) {
    compare_timed(database, "optional", &OPTIONAL).await;
}

async fn the_run_reaches_every_route_and_detects_a_difference(database: Database) {
    let unknown = World::new(database, State::Unknown, "optional").await;
    let confirmed = World::new(database, State::Confirmed, "optional").await;
    let (world, other) = join(unknown.run(), confirmed.run()).await;
    let document: Value = send(world.api.process.request(Method::GET, "/api/openapi.json")).await.json();
    for operation in operations(&document) {
        let name = format!("{} of", operation.name());
        assert_eq!(
            world.observations.iter().filter(|observation| observation.what.starts_with(&name)).count(),
            ROUNDS.len(),
            "{name}"
        );
    }
    let worked = |path: &str| {
        world.observations.iter().any(|observation| observation.what.contains(path) && !observation.work.is_empty())
    };
    assert!(worked("/register/") && worked("/login/") && worked("/email/change/") && worked("/email/verify/"));
    let differ = world
        .observations
        .iter()
        .zip(&other.observations)
        .filter(|(one, other)| one != other)
        .map(|(one, _)| &one.what);
    assert!(
        differ.clone().any(|what| what.starts_with("POST /api/auth/register/")),
        "{:?}",
        differ.collect::<Vec<_>>()
    );
}
