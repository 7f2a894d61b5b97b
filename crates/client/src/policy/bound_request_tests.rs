//! The steps of a page's request.

use super::fixtures::{after, json, session, sign_in, sign_out, stored, tokens, user};
use super::*;
use crate::policy::response::ApiResponse;
use serde_json::json as value;

const HOUR: i64 = 3600;

/// A tab of a signed-in user, and a request made there.
fn asking(tokens: &SessionTokens) -> (SessionMachine, BoundRequest) {
    let mut machine = SessionMachine::new();
    sign_in(&mut machine, tokens, after(0));
    machine.on_written(true);
    let request = BoundRequest::new(machine.epoch());
    (machine, request)
}

fn sync(machine: &mut SessionMachine, tokens: &SessionTokens) {
    machine.sync_from_storage(StorageSnapshot { stored: stored(tokens), now: after(1) });
}

fn sends(step: &RequestStep, tokens: &SessionTokens) -> bool {
    matches!(step, RequestStep::Send(access) if Some(access.as_str()) == tokens.access())
}

fn refused() -> ApiResponse {
    json(401, &value!({"code": "token_not_valid", "reason": "token_expired"}), 1)
}

#[test]
fn a_repetition_is_sent_with_the_token_as_it_is() {
    let first = tokens(session(1), 1, 0);
    let (mut machine, mut request) = asking(&first);
    request.repeat();
    assert!(sends(&request.next(&machine, after(2 * HOUR)), &first));
    let lost = Err(TransportError::Unreachable);
    assert_eq!(request.on_response(&machine, lost.clone()), ResponseAction::Deliver(lost));
    assert_eq!(request.next(&machine, after(2 * HOUR)), RequestStep::Refresh(None), "only the repetition is sent so");

    request.repeat();
    sign_out(&mut machine, &first, after(1));
    assert_eq!(request.next(&machine, after(2 * HOUR)), RequestStep::Fail(RequestFailure::SignedOut));
}

#[test]
fn a_fresh_token_is_sent_and_the_response_delivered() {
    let first = tokens(session(1), 1, 0);
    let (machine, mut request) = asking(&first);
    assert!(sends(&request.next(&machine, after(1)), &first));
    let response = Ok(json(200, &user(), 1));
    assert_eq!(request.on_response(&machine, response.clone()), ResponseAction::Deliver(response));
}

#[test]
fn a_refused_token_is_refreshed_once_and_the_request_sent_again() {
    let first = tokens(session(1), 1, 0);
    let second = tokens(session(1), 2, 1);
    let (mut machine, mut request) = asking(&first);
    assert!(sends(&request.next(&machine, after(1)), &first));
    assert_eq!(request.on_response(&machine, Ok(refused())), ResponseAction::Retry);
    let RequestStep::Refresh(Some(access)) = request.next(&machine, after(1)) else { panic!("no refresh") };
    assert_eq!(Some(access.as_str()), first.access());
    sync(&mut machine, &second);
    assert!(sends(&request.next(&machine, after(1)), &second));
    assert_eq!(
        request.on_response(&machine, Ok(refused())),
        ResponseAction::Deliver(Ok(refused())),
        "the application's response"
    );
}

#[test]
fn a_refusal_straight_after_a_refresh_is_delivered() {
    let first = tokens(session(1), 1, 0);
    let second = tokens(session(1), 2, HOUR);
    let (mut machine, mut request) = asking(&first);
    assert_eq!(request.next(&machine, after(HOUR)), RequestStep::Refresh(None));
    sync(&mut machine, &second);
    assert!(sends(&request.next(&machine, after(HOUR)), &second));
    assert_eq!(request.on_response(&machine, Ok(refused())), ResponseAction::Deliver(Ok(refused())));
}

#[test]
fn a_refresh_that_did_not_help_is_not_repeated() {
    let first = tokens(session(1), 1, 0);
    let (machine, mut request) = asking(&first);
    assert!(sends(&request.next(&machine, after(1)), &first));
    assert_eq!(request.on_response(&machine, Ok(refused())), ResponseAction::Retry);
    assert!(matches!(request.next(&machine, after(1)), RequestStep::Refresh(Some(_))));
    let given_up = request.next(&machine, after(1));
    assert!(matches!(&given_up, RequestStep::Fail(failure) if failure.is_transient()), "{given_up:?}");
}

#[test]
fn one_persons_request_is_not_sent_for_the_next() {
    let hers = tokens(session(1), 1, 0);
    let his = tokens(session(2), 1, 1);
    // While her request waits for a refresh.
    let (mut machine, mut request) = asking(&hers);
    assert_eq!(request.next(&machine, after(HOUR)), RequestStep::Refresh(None));
    sync(&mut machine, &his);
    assert_eq!(request.next(&machine, after(1)), RequestStep::Fail(RequestFailure::SignedOut));

    // After her request was refused.
    let (mut machine, mut request) = asking(&hers);
    assert!(sends(&request.next(&machine, after(1)), &hers));
    assert_eq!(request.on_response(&machine, Ok(refused())), ResponseAction::Retry);
    sync(&mut machine, &his);
    assert_eq!(request.next(&machine, after(1)), RequestStep::Fail(RequestFailure::SignedOut));

    // While it was on its way.
    let (mut machine, mut request) = asking(&hers);
    assert!(sends(&request.next(&machine, after(1)), &hers));
    sync(&mut machine, &his);
    for response in [Ok(refused()), Ok(json(200, &user(), 1)), Err(TransportError::TimedOut)] {
        assert_eq!(request.on_response(&machine, response.clone()), ResponseAction::Discard(response));
    }
}

#[test]
fn a_request_from_before_a_sign_out_is_not_sent_after_the_same_person_is_back() {
    let before = tokens(session(1), 1, 0);
    let since = tokens(session(2), 1, 1);
    let (mut machine, mut request) = asking(&before);
    sign_out(&mut machine, &before, after(1));
    assert_eq!(request.next(&machine, after(1)), RequestStep::Fail(RequestFailure::SignedOut));
    sign_in(&mut machine, &since, after(1));
    assert_eq!(request.next(&machine, after(1)), RequestStep::Fail(RequestFailure::SignedOut));
}

#[test]
fn debug_output_holds_no_token() {
    let first = tokens(session(1), 1, 0);
    let (machine, mut request) = asking(&first);
    let step = request.next(&machine, after(1));
    let printed = format!("{request:?} {step:?} {:?}", request.on_response(&machine, Ok(refused())));
    assert!(!printed.contains("access-"), "{printed}");
}
