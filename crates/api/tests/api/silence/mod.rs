//! What a stranger does after the same start must look the same, whoever an address belongs to.
//!
//! Each state that must look like another one gets databases and programs of its own. A stranger then plays every route
//! of the OpenAPI document, several times, because what one request leaves behind may show in the answer to another. The
//! routes and their fields come from the document, so that a new route takes part without being listed.
//!
//! It is played twice. [`observed`] is the real program, which logs what it does: status, headers, body, budgets, statements,
//! hashing and the mail that waits are compared. [`timed`] has a clock that the test moves: times and waits to the second, the
//! mail that leaves, and what the stranger's own accounts show afterwards are compared.

mod observed;
mod operations;
mod seen;
mod states;
mod timed;

use crate::support::{Database, on_both_databases, send};
use observed::World;
use operations::{ROUNDS, operations};
use reqwest::Method;
use seen::Seen;
use serde_json::Value;
use states::{PBKDF2, State, UNUSABLE};
use timed::TimedWorld;

on_both_databases![
    where_confirmation_is_mandatory_no_route_tells_whose_an_address_is,
    where_confirmation_is_mandatory_no_later_look_tells_whose_an_address_is,
    where_confirmation_is_optional_no_route_tells_what_an_account_is_like,
    where_confirmation_is_optional_no_later_look_tells_what_an_account_is_like,
    the_play_reaches_every_route_and_sees_a_difference,
];

/// The address that the stranger is curious about, and the username of its account where it has one.
const SUBJECT: &str = "subject@example.com";
const SUBJECT_NAME: &str = "subject";
/// The stranger's own addresses end so.
const STRANGERS: &str = "@example.org";

/// States that must look alike where sign-ups have to be confirmed.
const MANDATORY: [State; 13] = [
    State::Nobody,
    State::Pending,
    State::PendingOfStranger,
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
/// The same where they do not have to. There a sign-up says whether an address has an account; nothing says more than that.
const OPTIONAL: [State; 5] =
    [State::Confirmed, State::Unconfirmed, State::NeverUsed, State::Inactive, State::Hash(UNUSABLE)];

/// Address and network of an account of the stranger's.
fn stranger(account: usize) -> (String, String) {
    (format!("s{account}{STRANGERS}"), format!("198.51.100.{}", account + 1))
}

/// Plays in each state, one after the other: a start holds this thread, and what waits for an answer meanwhile is given up.
async fn compare(states: &[State], verification: &str, play: impl AsyncFn(State) -> Vec<Seen>) {
    let (first, others) = states.split_first().unwrap();
    let expected = play(*first).await;
    for other in others {
        let seen = play(*other).await;
        assert_eq!(expected.len(), seen.len());
        for (one, another) in expected.iter().zip(&seen) {
            assert_eq!(one, another, "{first:?} and {other:?} look different, {verification}");
        }
    }
}

async fn compare_observed(database: Database, verification: &str, states: &[State]) {
    compare(states, verification, async |state| World::new(database, state, verification).await.play().await.seen)
        .await;
}

async fn compare_timed(database: Database, verification: &str, states: &[State]) {
    let play = async |state| TimedWorld::new(database, state, verification).await.play().await.seen;
    compare(states, verification, play).await;
}

async fn where_confirmation_is_mandatory_no_route_tells_whose_an_address_is(database: Database) {
    compare_observed(database, "mandatory", &MANDATORY).await;
}

async fn where_confirmation_is_mandatory_no_later_look_tells_whose_an_address_is(database: Database) {
    compare_timed(database, "mandatory", &MANDATORY).await;
}

async fn where_confirmation_is_optional_no_route_tells_what_an_account_is_like(database: Database) {
    compare_observed(database, "optional", &OPTIONAL).await;
}

async fn where_confirmation_is_optional_no_later_look_tells_what_an_account_is_like(database: Database) {
    compare_timed(database, "optional", &OPTIONAL).await;
}

async fn the_play_reaches_every_route_and_sees_a_difference(database: Database) {
    let world = World::new(database, State::Nobody, "optional").await.play().await;
    let document: Value = send(world.api.process.request(Method::GET, "/api/openapi.json")).await.json();
    for operation in operations(&document) {
        let name = format!("{} of", operation.name());
        assert_eq!(world.seen.iter().filter(|seen| seen.what.starts_with(&name)).count(), ROUNDS.len(), "{name}");
    }
    let worked = |path: &str| world.seen.iter().any(|seen| seen.what.contains(path) && !seen.work.is_empty());
    assert!(worked("/register/") && worked("/login/") && worked("/email/change/") && worked("/email/verify/"));
    let other = World::new(database, State::Confirmed, "optional").await.play().await;
    let differ = world.seen.iter().zip(&other.seen).filter(|(one, other)| one != other).map(|(one, _)| &one.what);
    assert!(
        differ.clone().any(|what| what.starts_with("POST /api/auth/register/")),
        "{:?}",
        differ.collect::<Vec<_>>()
    );
}
