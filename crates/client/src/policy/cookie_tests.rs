//! The rules of a tab where the refresh token is in a cookie, in addition to those of `session_machine/machine/tests.rs`.

use super::fixtures::{after, cookie_response, json, response, session, sign_in, stored, tokens, user};
use super::*;
use auth_types::Reason;
use serde_json::json as value;

const HOUR: i64 = 3600;

/// The tokens of a sign-in at that time, in a browser of its own.
fn signed_in(number: u128, seconds: i64) -> SessionTokens {
    let response = cookie_response(session(number), seconds).into();
    SessionTokens::from_response(&response, after(seconds), after(seconds), session(number).0).expect("tokens")
}

/// The tokens that a refresh of `parent` returned at that time.
fn next(parent: &SessionTokens, seconds: i64) -> SessionTokens {
    let response = cookie_response(parent.session(), seconds).into();
    parent.succeeded_by(&response, after(seconds), after(seconds)).expect("a successor")
}

/// The tokens as a reload reads them from storage.
fn reloaded(tokens: &SessionTokens) -> SessionTokens {
    let text = serde_json::to_string(tokens).expect("JSON");
    serde_json::from_str(&text).expect("tokens")
}

fn seen(tokens: &SessionTokens, seconds: i64) -> StorageSnapshot {
    StorageSnapshot { stored: stored(&reloaded(tokens)), now: after(seconds) }
}

/// The tab that signed in.
fn tab_with(tokens: &SessionTokens) -> SessionMachine {
    let mut machine = SessionMachine::new();
    sign_in(&mut machine, tokens, after(0));
    machine.on_written(true);
    machine
}

/// Another tab, opened later.
fn opened_later(tokens: &SessionTokens, seconds: i64) -> SessionMachine {
    let mut machine = SessionMachine::new();
    assert_eq!(machine.sync_from_storage(seen(tokens, seconds)), Effect::Switch);
    machine
}

fn adopt(tokens: &SessionTokens) -> RefreshOutcome {
    RefreshOutcome::Adopt(Box::new(tokens.clone()), Box::new(user()))
}

fn lost() -> RefreshOutcome {
    RefreshOutcome::Retry { error: TransientError::Unreachable, after: None }
}

#[test]
fn no_secret_is_stored() {
    let first = signed_in(1, 0);
    let text = serde_json::to_string(&first).expect("JSON");
    assert!(!text.contains(first.access().expect("a token")) && !text.contains("e30."), "{text}");
    let printed = format!("{first:?} {:?} {:?}", first.refresh_credential(), tab_with(&first));
    assert!(!printed.contains("e30.") && !printed.contains("csrf-"), "{printed}");
}

#[test]
fn a_reload_refreshes_before_anything_is_asked() {
    let first = signed_in(1, 0);
    let machine = opened_later(&first, 1);
    assert_eq!(machine.plan(machine.epoch(), None, after(1)), TokenPlan::Refresh(Box::new(reloaded(&first))));
}

#[test]
fn without_an_access_token_a_failed_refresh_is_waited_out() {
    let first = signed_in(1, 0);
    let mut machine = opened_later(&first, 1);
    machine.apply_refresh(&reloaded(&first), lost(), seen(&first, 1), 1.0);
    assert!(matches!(machine.plan(machine.epoch(), None, after(1)), TokenPlan::Wait { .. }));
    assert!(matches!(machine.plan(machine.epoch(), None, after(3)), TokenPlan::Refresh(_)));
}

#[test]
fn a_retry_after_a_lost_response_has_the_same_key_in_every_tab_and_after_a_reload() {
    let first = signed_in(1, 0);
    let mut here = tab_with(&first);
    here.apply_refresh(&first, lost(), seen(&first, HOUR), 1.0);
    let retried = here.tokens().expect("tokens").idempotency_key();
    assert_eq!(retried, first.idempotency_key());
    assert_eq!(opened_later(&first, HOUR).tokens().expect("tokens").idempotency_key(), retried);
}

#[test]
fn every_response_changes_the_key_and_every_session_has_its_own() {
    let first = signed_in(1, 0);
    let second = next(&reloaded(&first), HOUR);
    let third = next(&reloaded(&second), 2 * HOUR);
    let keys = [&first, &second, &third, &signed_in(2, 0)].map(SessionTokens::idempotency_key);
    for (i, key) in keys.iter().enumerate() {
        assert!(!keys[..i].contains(key));
    }
}

#[test]
fn tabs_that_race_agree_on_the_next_key_and_each_has_a_token() {
    let first = signed_in(1, 0);
    let mut here = tab_with(&first);
    let mut there = opened_later(&first, HOUR);
    let first_response = next(&first, HOUR);
    let second_response = next(&reloaded(&first), HOUR + 1);

    let effect = here.apply_refresh(&first, adopt(&first_response), seen(&first, HOUR), 0.5);
    assert!(matches!(effect, Effect::Renew(..)));
    let effect = there.apply_refresh(&reloaded(&first), adopt(&second_response), seen(&first_response, HOUR + 1), 0.5);
    assert_eq!(effect, Effect::Nothing, "what storage holds stays");
    let TokenPlan::Use(tokens) = there.plan(there.epoch(), None, after(HOUR + 1)) else {
        panic!("a refresh for nothing")
    };
    assert_eq!(tokens.access(), second_response.access());
    let keys = [here, there].map(|tab| tab.tokens().expect("tokens").idempotency_key());
    assert_eq!(keys[0], keys[1]);
}

#[test]
fn a_refresh_in_another_tab_leaves_this_one_its_access_token() {
    let first = signed_in(1, 0);
    let second = next(&reloaded(&first), 60);
    let mut machine = tab_with(&first);
    assert_eq!(machine.sync_from_storage(seen(&second, 60)), Effect::Nothing);
    let TokenPlan::Use(tokens) = machine.plan(machine.epoch(), None, after(61)) else {
        panic!("a refresh for nothing")
    };
    assert_eq!((tokens.access(), tokens.sequence()), (first.access(), 2));
    assert!(
        matches!(machine.plan(machine.epoch(), first.access(), after(61)), TokenPlan::Refresh(_)),
        "unless the server refuses it"
    );
}

#[test]
fn an_access_token_is_replaced_by_that_of_the_response() {
    let first = signed_in(1, 0);
    let second = next(&first, 10);
    let mut machine = tab_with(&first);
    machine.apply_refresh(&first, adopt(&second), seen(&first, 10), 0.5);
    assert_eq!(machine.tokens().expect("tokens").access(), second.access());
}

#[test]
fn a_response_for_another_session_is_not_adopted() {
    let first = signed_in(1, 0);
    for other in [json(200, &cookie_response(session(2), 1), 1), json(200, &response(session(2), 2, 1), 1)] {
        let outcome = refresh_outcome(&first, &Ok(other));
        assert_eq!(outcome, RefreshOutcome::Retry { error: TransientError::Unexpected, after: None });
    }
}

#[test]
fn a_missing_cookie_or_another_sessions_ends_the_session() {
    let first = signed_in(1, 0);
    let outcome = |status, body| refresh_outcome(&first, &Ok(json(status, &body, 1)));
    let missing = value!({"code": "not_authenticated", "reason": "credentials_missing"});
    assert_eq!(outcome(401, missing), RefreshOutcome::Ended(Reason::CredentialsMissing));
    let of_another = value!({"code": "permission_denied", "reason": "csrf_failed"});
    assert_eq!(outcome(403, of_another.clone()), RefreshOutcome::Ended(Reason::CsrfFailed));
    let in_body = refresh_outcome(&tokens(session(1), 1, 0), &Ok(json(403, &of_another, 1)));
    assert!(matches!(in_body, RefreshOutcome::Retry { .. }));
    for reason in ["origin_not_allowed", "permission_denied"] {
        let refused = outcome(403, value!({"code": "permission_denied", "reason": reason}));
        assert!(matches!(refused, RefreshOutcome::Retry { .. }), "{reason}");
    }
}

#[test]
fn a_stored_token_is_read_only_if_it_fits_into_a_header() {
    let mut record = serde_json::to_value(signed_in(1, 0)).expect("JSON");
    for text in ["", "a\nb: c", "\u{e9}"] {
        record["csrf_token"] = text.into();
        assert!(serde_json::from_value::<SessionTokens>(record.clone()).is_err(), "{text:?}");
    }
}
