//! What a page asks for, step by step.

use super::fixtures::{after, json, session, sign_in, sign_out, stored, tokens, user};
use super::*;
use crate::policy::answer::Answer;
use serde_json::json as value;

const HOUR: i64 = 3600;

/// A tab of somebody who signed in, and a request that they made there.
fn asking(tokens: &Tokens) -> (Keeper, BoundRequest) {
    let mut keeper = Keeper::new();
    sign_in(&mut keeper, tokens, after(0));
    keeper.wrote(true);
    let request = BoundRequest::new(keeper.epoch());
    (keeper, request)
}

fn look(keeper: &mut Keeper, tokens: &Tokens) {
    keeper.look(Seen { stored: stored(tokens), now: after(1) });
}

fn sends(step: &Step, tokens: &Tokens) -> bool {
    matches!(step, Step::Send(access) if Some(access.as_str()) == tokens.access())
}

fn refused() -> Answer {
    json(401, &value!({"code": "token_not_valid", "reason": "token_expired"}), 1)
}

#[test]
fn a_repetition_is_sent_with_the_token_as_it_is() {
    let first = tokens(session(1), 1, 0);
    let (mut keeper, mut request) = asking(&first);
    request.repeat();
    assert!(sends(&request.next(&keeper, after(2 * HOUR)), &first));
    let lost = Err(Silence::Unreachable);
    assert_eq!(request.answered(&keeper, lost.clone()), Answered::Take(lost));
    assert_eq!(request.next(&keeper, after(2 * HOUR)), Step::Refresh(None), "only the repetition is sent so");

    request.repeat();
    sign_out(&mut keeper, &first, after(1));
    assert_eq!(request.next(&keeper, after(2 * HOUR)), Step::Fail(Failure::SignedOut));
}

#[test]
fn a_fresh_token_is_sent_and_the_answer_taken() {
    let first = tokens(session(1), 1, 0);
    let (keeper, mut request) = asking(&first);
    assert!(sends(&request.next(&keeper, after(1)), &first));
    let answer = Ok(json(200, &user(), 1));
    assert_eq!(request.answered(&keeper, answer.clone()), Answered::Take(answer));
}

#[test]
fn a_refused_token_is_refreshed_once_and_the_request_sent_once_more() {
    let (first, second) = (tokens(session(1), 1, 0), tokens(session(1), 2, 1));
    let (mut keeper, mut request) = asking(&first);
    assert!(sends(&request.next(&keeper, after(1)), &first));
    assert_eq!(request.answered(&keeper, Ok(refused())), Answered::Again);
    let Step::Refresh(Some(access)) = request.next(&keeper, after(1)) else { panic!("no refresh") };
    assert_eq!(Some(access.as_str()), first.access());
    look(&mut keeper, &second);
    assert!(sends(&request.next(&keeper, after(1)), &second));
    assert_eq!(request.answered(&keeper, Ok(refused())), Answered::Take(Ok(refused())), "the application's answer");
}

#[test]
fn a_refusal_straight_after_a_refresh_is_the_applications_answer() {
    let (first, second) = (tokens(session(1), 1, 0), tokens(session(1), 2, HOUR));
    let (mut keeper, mut request) = asking(&first);
    assert_eq!(request.next(&keeper, after(HOUR)), Step::Refresh(None));
    look(&mut keeper, &second);
    assert!(sends(&request.next(&keeper, after(HOUR)), &second));
    assert_eq!(request.answered(&keeper, Ok(refused())), Answered::Take(Ok(refused())));
}

#[test]
fn a_refresh_that_did_not_help_is_not_repeated() {
    let first = tokens(session(1), 1, 0);
    let (keeper, mut request) = asking(&first);
    assert!(sends(&request.next(&keeper, after(1)), &first));
    assert_eq!(request.answered(&keeper, Ok(refused())), Answered::Again);
    assert!(matches!(request.next(&keeper, after(1)), Step::Refresh(Some(_))));
    let given_up = request.next(&keeper, after(1));
    assert!(matches!(&given_up, Step::Fail(failure) if failure.passes()), "{given_up:?}");
}

#[test]
fn what_one_person_asked_is_not_sent_for_the_next() {
    let (hers, his) = (tokens(session(1), 1, 0), tokens(session(2), 1, 1));
    // While her request waits for a refresh.
    let (mut keeper, mut request) = asking(&hers);
    assert_eq!(request.next(&keeper, after(HOUR)), Step::Refresh(None));
    look(&mut keeper, &his);
    assert_eq!(request.next(&keeper, after(1)), Step::Fail(Failure::SignedOut));

    // After her request was refused.
    let (mut keeper, mut request) = asking(&hers);
    assert!(sends(&request.next(&keeper, after(1)), &hers));
    assert_eq!(request.answered(&keeper, Ok(refused())), Answered::Again);
    look(&mut keeper, &his);
    assert_eq!(request.next(&keeper, after(1)), Step::Fail(Failure::SignedOut));

    // While it was on its way.
    let (mut keeper, mut request) = asking(&hers);
    assert!(sends(&request.next(&keeper, after(1)), &hers));
    look(&mut keeper, &his);
    for answer in [Ok(refused()), Ok(json(200, &user(), 1)), Err(Silence::TimedOut)] {
        assert_eq!(request.answered(&keeper, answer.clone()), Answered::Dropped(answer));
    }
}

#[test]
fn what_was_asked_before_a_sign_out_is_not_sent_after_the_same_person_is_back() {
    let (before, since) = (tokens(session(1), 1, 0), tokens(session(2), 1, 1));
    let (mut keeper, mut request) = asking(&before);
    sign_out(&mut keeper, &before, after(1));
    assert_eq!(request.next(&keeper, after(1)), Step::Fail(Failure::SignedOut));
    sign_in(&mut keeper, &since, after(1));
    assert_eq!(request.next(&keeper, after(1)), Step::Fail(Failure::SignedOut));
}

#[test]
fn debug_output_holds_no_token() {
    let first = tokens(session(1), 1, 0);
    let (keeper, mut request) = asking(&first);
    let step = request.next(&keeper, after(1));
    let printed = format!("{request:?} {step:?} {:?}", request.answered(&keeper, Ok(refused())));
    assert!(!printed.contains("access-"), "{printed}");
}
