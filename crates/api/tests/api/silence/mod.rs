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
use futures_util::future::{join, join_all};
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

/// So many states are played at once: the program holds back refusals, and there are many of them.
const AT_ONCE: usize = 5;

async fn compare_observed(database: Database, verification: &str, states: &[State]) {
    let mut played = Vec::new();
    for states in states.chunks(AT_ONCE) {
        let mut worlds = Vec::new();
        // One after the other: a start holds this thread, and what waits for an answer meanwhile is given up.
        for state in states {
            worlds.push(World::new(database, *state, verification).await);
        }
        let seen = join_all(worlds.into_iter().map(|world| async { world.play().await.seen })).await;
        played.extend(states.iter().copied().zip(seen));
    }
    compare(&played, verification);
}

async fn compare_timed(database: Database, verification: &str, states: &[State]) {
    let mut played = Vec::new();
    for state in states {
        played.push((*state, TimedWorld::new(database, *state, verification).await.play().await.seen));
    }
    compare(&played, verification);
}

fn compare(played: &[(State, Vec<Seen>)], verification: &str) {
    let ((first, expected), others) = played.split_first().unwrap();
    for (other, seen) in others {
        assert_eq!(expected.len(), seen.len());
        for (one, another) in expected.iter().zip(seen) {
            assert_eq!(one, another, "{first:?} and {other:?} look different, {verification}");
        }
    }
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
    let nobodys = World::new(database, State::Nobody, "optional").await;
    let confirmed = World::new(database, State::Confirmed, "optional").await;
    let (world, other) = join(nobodys.play(), confirmed.play()).await;
    let document: Value = send(world.api.process.request(Method::GET, "/api/openapi.json")).await.json();
    for operation in operations(&document) {
        let name = format!("{} of", operation.name());
        assert_eq!(world.seen.iter().filter(|seen| seen.what.starts_with(&name)).count(), ROUNDS.len(), "{name}");
    }
    let worked = |path: &str| world.seen.iter().any(|seen| seen.what.contains(path) && !seen.work.is_empty());
    assert!(worked("/register/") && worked("/login/") && worked("/email/change/") && worked("/email/verify/"));
    let differ = world.seen.iter().zip(&other.seen).filter(|(one, other)| one != other).map(|(one, _)| &one.what);
    assert!(
        differ.clone().any(|what| what.starts_with("POST /api/auth/register/")),
        "{:?}",
        differ.collect::<Vec<_>>()
    );
}
