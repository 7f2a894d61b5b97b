//! The rules of a tab.

use super::*;
use crate::policy::fixtures::{SERVER_START, after, json, response, session, sign_in, sign_out, stored, tokens, user};
use crate::policy::response::{TransientError, TransportError, refresh_outcome};
use auth_types::Reason;
use std::time::Duration;

const HOUR: i64 = 3600;

fn seen(what: StorageContent, seconds: i64) -> StorageSnapshot {
    StorageSnapshot { stored: what, now: after(seconds) }
}

fn tab_with(tokens: &SessionTokens) -> SessionMachine {
    let mut machine = SessionMachine::new();
    assert_eq!(machine.sync_from_storage(seen(stored(tokens), 0)), Effect::Switch);
    machine
}

fn adopt(tokens: &SessionTokens) -> RefreshOutcome {
    RefreshOutcome::Adopt(Box::new(tokens.clone()), Box::new(user()))
}

fn fails(after: Option<u64>) -> RefreshOutcome {
    RefreshOutcome::Retry { error: TransientError::Unavailable, after: after.map(Duration::from_secs) }
}

fn is_use(plan: &TokenPlan) -> bool {
    matches!(plan, TokenPlan::Use(_))
}

#[test]
fn nothing_stored_means_signed_out() {
    let mut machine = SessionMachine::new();
    assert_eq!(machine.sync_from_storage(seen(StorageContent::Empty, 0)), Effect::Nothing);
    assert_eq!(machine.plan(machine.epoch(), None, after(0)), TokenPlan::SignedOut);
}

#[test]
fn a_token_is_replaced_thirty_seconds_ahead_of_its_hour() {
    let first = tokens(session(1), 1, 0);
    let machine = tab_with(&first);
    assert!(is_use(&machine.plan(machine.epoch(), None, after(HOUR - 31))));
    assert_eq!(machine.plan(machine.epoch(), None, after(HOUR - 30)), TokenPlan::Refresh(Box::new(first)));
}

#[test]
fn a_short_token_is_replaced_a_tenth_of_its_life_ahead() {
    let mut response = response(session(1), 1, 0);
    response.access_expires_in = 20;
    let short = SessionTokens::from_response(&response.into(), after(0), after(0), session(1).0).expect("tokens");
    let machine = tab_with(&short);
    assert!(is_use(&machine.plan(machine.epoch(), None, after(17))));
    assert!(matches!(machine.plan(machine.epoch(), None, after(18)), TokenPlan::Refresh(_)));
}

#[test]
fn a_local_clock_that_is_wrong_or_jumps_changes_nothing() {
    for error_ms in [-2 * HOUR * 1000, 2 * HOUR * 1000] {
        let wrong = |seconds| Now { wall_ms: after(seconds).wall_ms + error_ms, ..after(seconds) };
        let response = response(session(1), 1, 0);
        let first = SessionTokens::from_response(&response.into(), wrong(0), wrong(0), session(1).0).expect("tokens");
        assert_eq!(first.access_expires_at(), (SERVER_START + HOUR) * 1000);
        let mut machine = SessionMachine::new();
        sign_in(&mut machine, &first, wrong(0));
        assert!(is_use(&machine.plan(machine.epoch(), None, wrong(HOUR - 31))));
        assert!(matches!(machine.plan(machine.epoch(), None, wrong(HOUR - 30)), TokenPlan::Refresh(_)));
        assert!(
            matches!(machine.plan(machine.epoch(), None, after(HOUR)), TokenPlan::Refresh(_)),
            "after a jump of the wall clock"
        );
    }
}

#[test]
fn a_refused_token_is_refreshed_however_fresh_it_looks() {
    let first = tokens(session(1), 1, 0);
    let machine = tab_with(&first);
    assert!(matches!(machine.plan(machine.epoch(), first.access(), after(1)), TokenPlan::Refresh(_)));
    assert!(is_use(&machine.plan(machine.epoch(), Some("an older one"), after(1))), "it has been replaced already");
}

#[test]
fn a_retry_sends_the_same_key_after_a_reload_and_in_every_tab() {
    let first = tokens(session(1), 1, 0);
    let text = serde_json::to_string(&first).expect("JSON");
    let reloaded: SessionTokens = serde_json::from_str(&text).expect("tokens");
    assert_eq!(reloaded, first);
    assert_eq!(reloaded.idempotency_key(), first.idempotency_key());
}

#[test]
fn a_new_parent_and_a_new_session_have_new_keys() {
    let first = tokens(session(1), 1, 0);
    let second =
        first.succeeded_by(&response(session(1), 2, HOUR).into(), after(HOUR), after(HOUR)).expect("a successor");
    let third =
        second.succeeded_by(&response(session(1), 3, HOUR).into(), after(HOUR), after(HOUR)).expect("a successor");
    let elsewhere = SessionTokens::from_response(&response(session(1), 1, 0).into(), after(0), after(0), session(9).0)
        .expect("tokens");
    let keys = [&first, &second, &third, &elsewhere].map(SessionTokens::idempotency_key);
    for (i, key) in keys.iter().enumerate() {
        assert!(!keys[..i].contains(key));
    }
}

#[test]
fn a_successor_is_stored_and_used() {
    let first = tokens(session(1), 1, 0);
    let second = tokens(session(1), 2, HOUR);
    let mut machine = tab_with(&first);
    let effect = machine.apply_refresh(&first, adopt(&second), seen(stored(&first), HOUR), 0.5);
    assert_eq!(effect, Effect::Renew(Box::new(second.clone()), Box::new(user())));
    assert_eq!(machine.plan(machine.epoch(), None, after(HOUR + 1)), TokenPlan::Use(Box::new(second)));
}

#[test]
fn another_tabs_newer_tokens_are_taken_instead_of_a_refresh() {
    let first = tokens(session(1), 1, 0);
    let second = tokens(session(1), 2, HOUR);
    let mut machine = tab_with(&first);
    let before = machine.epoch();
    assert_eq!(machine.sync_from_storage(seen(stored(&second), HOUR)), Effect::Nothing);
    assert_eq!(machine.plan(machine.epoch(), first.access(), after(HOUR)), TokenPlan::Use(Box::new(second)));
    assert_eq!(machine.epoch(), before, "it is the same session");
}

#[test]
fn the_slower_of_two_tabs_never_goes_back() {
    let [first, second, third] = [1, 2, 3].map(|generation| tokens(session(1), generation, HOUR * (generation - 1)));
    let mut machine = tab_with(&first);
    let effect = machine.apply_refresh(&first, adopt(&second), seen(stored(&third), HOUR), 0.5);
    assert_eq!(effect, Effect::Nothing);
    assert_eq!(machine.tokens(), Some(&third));
}

#[test]
fn storage_that_lags_behind_is_brought_up_to_date() {
    let first = tokens(session(1), 1, 0);
    let second = tokens(session(1), 2, HOUR);
    let mut machine = tab_with(&second);
    assert_eq!(machine.sync_from_storage(seen(stored(&first), HOUR)), Effect::Write(Box::new(second.clone())));
    let effect =
        machine.apply_refresh(&first, RefreshOutcome::Ended(Reason::RefreshReused), seen(stored(&first), HOUR), 0.5);
    assert_eq!(effect, Effect::Write(Box::new(second)), "a verdict on older tokens is none on these");
}

#[test]
fn a_terminal_response_ends_the_session_unless_newer_tokens_are_stored() {
    let first = tokens(session(1), 1, 0);
    let second = tokens(session(1), 2, HOUR);
    let ended = || RefreshOutcome::Ended(Reason::SessionRevoked);
    let mut alone = tab_with(&first);
    assert_eq!(
        alone.apply_refresh(&first, ended(), seen(stored(&first), 1), 0.5),
        Effect::EndSession(Reason::SessionRevoked)
    );
    assert_eq!(alone.plan(alone.epoch(), None, after(1)), TokenPlan::SignedOut);
    let mut overtaken = tab_with(&first);
    assert_eq!(overtaken.apply_refresh(&first, ended(), seen(stored(&second), 1), 0.5), Effect::Nothing);
    assert_eq!(overtaken.tokens(), Some(&second));
}

#[test]
fn a_refresh_that_ends_after_a_logout_cannot_bring_the_session_back() {
    let first = tokens(session(1), 1, 0);
    let second = tokens(session(1), 2, 1);
    let mut here = tab_with(&first);
    let signed_out = here.sign_out(here.epoch(), SignOutReason::ByUser, seen(stored(&first), 1));
    assert_eq!(signed_out, Effect::SignOut(Box::new(first.clone()), SignOutReason::ByUser));
    let effect = here.apply_refresh(&first, adopt(&second), seen(StorageContent::Empty, 1), 0.5);
    assert_eq!(effect, Effect::Nothing);
    let mut elsewhere = tab_with(&first);
    let effect = elsewhere.apply_refresh(&first, adopt(&second), seen(StorageContent::Empty, 1), 0.5);
    assert_eq!(effect, Effect::ShowSignedOut);
    for machine in [here, elsewhere] {
        assert_eq!(machine.plan(machine.epoch(), None, after(1)), TokenPlan::SignedOut);
    }
}

#[test]
fn a_refresh_that_ends_after_another_sign_in_changes_nothing() {
    let first = tokens(session(1), 1, 0);
    let second = tokens(session(1), 2, 1);
    let others = tokens(session(2), 1, 1);
    let mut machine = tab_with(&first);
    let effect = machine.apply_refresh(&first, adopt(&second), seen(stored(&others), 1), 0.5);
    assert_eq!(effect, Effect::Switch);
    assert_eq!(machine.tokens(), Some(&others));
}

#[test]
fn a_late_write_of_another_tab_cannot_bring_a_session_back() {
    let first = tokens(session(1), 1, 0);
    let second = tokens(session(1), 2, 1);
    let mut here = tab_with(&first);
    sign_out(&mut here, &first, after(1));
    assert_eq!(here.sync_from_storage(seen(stored(&second), 1)), Effect::DeleteEndedSession);
    assert_eq!(here.plan(here.epoch(), None, after(1)), TokenPlan::SignedOut);
    let mut elsewhere = tab_with(&first);
    assert_eq!(elsewhere.on_storage_event(Some(session(1)), seen(stored(&second), 1)), Effect::DeleteEndedSession);
    assert_eq!(elsewhere.plan(elsewhere.epoch(), None, after(1)), TokenPlan::SignedOut);
}

#[test]
fn a_late_write_does_not_cover_the_next_sign_in() {
    let first = tokens(session(1), 1, 0);
    let others = tokens(session(2), 1, 1);
    let mut machine = tab_with(&first);
    sign_out(&mut machine, &first, after(1));
    sign_in(&mut machine, &others, after(1));
    machine.on_written(true);
    assert_eq!(machine.sync_from_storage(seen(stored(&first), 1)), Effect::Write(Box::new(others.clone())));
    assert_eq!(machine.tokens(), Some(&others));
}

#[test]
fn a_sign_in_or_sign_out_elsewhere_wins_and_starts_an_epoch() {
    let first = tokens(session(1), 1, 0);
    let others = tokens(session(2), 1, 1);
    let mut machine = tab_with(&first);
    let mut epochs = vec![machine.epoch()];
    assert_eq!(machine.on_storage_event(None, seen(stored(&others), 1)), Effect::Switch);
    assert_eq!(machine.tokens(), Some(&others));
    epochs.push(machine.epoch());
    assert_eq!(machine.on_storage_event(Some(session(2)), seen(StorageContent::Empty, 2)), Effect::ShowSignedOut);
    assert_eq!(machine.tokens(), None);
    epochs.push(machine.epoch());
    assert!(epochs[0] != epochs[1] && epochs[1] != epochs[2] && epochs[0] != epochs[2], "{epochs:?}");
}

#[test]
fn without_storage_memory_is_enough() {
    let first = tokens(session(1), 1, 0);
    let second = tokens(session(1), 2, HOUR);
    for nothing in [StorageContent::Unavailable, StorageContent::Empty] {
        let mut machine = SessionMachine::new();
        sign_in(&mut machine, &first, after(0));
        machine.on_written(false);
        assert_eq!(machine.sync_from_storage(seen(nothing.clone(), 1)), Effect::Nothing);
        let effect = machine.apply_refresh(&first, adopt(&second), seen(nothing.clone(), HOUR), 0.5);
        assert!(matches!(effect, Effect::Renew(..)));
        machine.on_written(false);
        assert_eq!(machine.sync_from_storage(seen(nothing, HOUR)), Effect::Nothing);
        assert_eq!(machine.tokens(), Some(&second));
    }
}

#[test]
fn failures_pause_refreshing_and_keep_the_session() {
    let first = tokens(session(1), 1, 0);
    let mut machine = tab_with(&first);
    let due = HOUR - 20;
    let effect = machine.apply_refresh(&first, fails(None), seen(stored(&first), due), 1.0);
    assert_eq!(effect, Effect::Pause { error: TransientError::Unavailable, wait: Duration::from_secs(1) });
    assert!(is_use(&machine.plan(machine.epoch(), None, after(due))), "the access token has not expired yet");
    assert!(matches!(machine.plan(machine.epoch(), None, after(due + 1)), TokenPlan::Refresh(_)), "the pause is over");
    let effect = machine.apply_refresh(&first, fails(Some(60)), seen(stored(&first), due + 1), 0.0);
    assert_eq!(effect, Effect::Pause { error: TransientError::Unavailable, wait: Duration::from_mins(1) });
    let plan = machine.plan(machine.epoch(), None, after(HOUR + 1));
    assert_eq!(plan, TokenPlan::Wait { error: TransientError::Unavailable, remaining: Duration::from_secs(40) });
    assert!(matches!(machine.plan(machine.epoch(), None, after(due + 61)), TokenPlan::Refresh(_)));
}

#[test]
fn a_refused_token_is_not_used_again_during_a_pause() {
    let first = tokens(session(1), 1, 0);
    let mut machine = tab_with(&first);
    machine.apply_refresh(&first, fails(None), seen(stored(&first), 1), 1.0);
    assert!(matches!(machine.plan(machine.epoch(), first.access(), after(1)), TokenPlan::Wait { .. }));
    assert!(is_use(&machine.plan(machine.epoch(), None, after(1))));
}

#[test]
fn a_network_that_comes_back_ends_its_own_pause_but_not_the_servers() {
    let first = tokens(session(1), 1, 0);
    let mut machine = tab_with(&first);
    let offline = refresh_outcome(&first, &Err(TransportError::Unreachable));
    machine.apply_refresh(&first, offline, seen(stored(&first), HOUR), 1.0);
    assert!(matches!(machine.plan(machine.epoch(), None, after(HOUR)), TokenPlan::Wait { .. }));
    machine.online();
    assert!(matches!(machine.plan(machine.epoch(), None, after(HOUR)), TokenPlan::Refresh(_)));
    machine.apply_refresh(&first, fails(Some(30)), seen(stored(&first), HOUR), 1.0);
    machine.online();
    assert!(matches!(machine.plan(machine.epoch(), None, after(HOUR)), TokenPlan::Wait { .. }));
}

#[test]
fn a_session_outlives_its_refresh_token_until_the_server_says_so() {
    let first = tokens(session(1), 1, 0);
    let machine = tab_with(&first);
    assert!(matches!(machine.plan(machine.epoch(), None, after(365 * 24 * HOUR)), TokenPlan::Refresh(_)));
}

#[test]
fn foreign_content_is_not_read_as_tokens() {
    let changed = |field: &str, text: &str| {
        let mut record = serde_json::to_value(tokens(session(1), 1, 0)).expect("JSON");
        record[field] = text.into();
        record.to_string()
    };
    let foreign = [changed("refresh", "from.another.application"), changed("access", ""), changed("access", "a\nb: c")];
    for text in foreign.into_iter().chain(["{}", "null", "\"x\""].map(str::to_owned)) {
        assert!(serde_json::from_str::<SessionTokens>(&text).is_err(), "{text}");
    }
}

#[test]
fn storage_holds_no_personal_data_and_debug_output_no_secret() {
    let first = tokens(session(1), 1, 0);
    let text = serde_json::to_string(&first).expect("JSON");
    assert!(!text.contains("ada") && !text.contains("example.com"), "{text}");
    let response = response(session(1), 1, 0);
    let printed =
        format!("{first:?} {:?} {:?} {:?}", first.refresh_credential(), tab_with(&first), json(200, &response, 0));
    assert!(!printed.contains(&response.access) && !printed.contains(&response.refresh), "{printed}");
    assert!(!printed.contains(&first.idempotency_key()), "{printed}");
}

#[test]
fn a_key_that_the_server_does_not_know_is_waited_for_and_given_up_after_a_quarter_of_an_hour() {
    let first = tokens(session(1), 1, 0);
    let mut machine = SessionMachine::new();
    sign_in(&mut machine, &first, after(0));
    let seen = |seconds| StorageSnapshot { stored: stored(&first), now: after(seconds) };
    for seconds in [HOUR, HOUR + 60, HOUR + 899] {
        let effect = machine.apply_refresh(&first, RefreshOutcome::KeyUnknown, seen(seconds), 0.5);
        assert!(matches!(effect, Effect::Pause { error: TransientError::Unavailable, .. }), "{seconds}: {effect:?}");
    }
    let effect = machine.apply_refresh(&first, RefreshOutcome::KeyUnknown, seen(HOUR + 900), 0.5);
    assert_eq!(effect, Effect::EndSession(Reason::KeyUnknown));

    // A successful refresh in between starts a new quarter of an hour.
    let mut machine = SessionMachine::new();
    sign_in(&mut machine, &first, after(0));
    machine.apply_refresh(&first, RefreshOutcome::KeyUnknown, seen(HOUR), 0.5);
    let second = tokens(session(1), 2, HOUR);
    machine.apply_refresh(
        &first,
        RefreshOutcome::Adopt(Box::new(second.clone()), Box::new(user())),
        seen(HOUR + 1),
        0.5,
    );
    let seen = StorageSnapshot { stored: stored(&second), now: after(3 * HOUR) };
    let effect = machine.apply_refresh(&second, RefreshOutcome::KeyUnknown, seen, 0.5);
    assert!(matches!(effect, Effect::Pause { .. }), "{effect:?}");
}

#[test]
fn neither_a_reload_nor_another_tab_gives_an_unknown_key_more_time() {
    let first = tokens(session(1), 1, 0);
    let mut machine = SessionMachine::new();
    sign_in(&mut machine, &first, after(0));
    let unknown = |machine: &mut SessionMachine, found: &SessionTokens, seconds| {
        machine.apply_refresh(&first, RefreshOutcome::KeyUnknown, seen(stored(found), seconds), 0.5)
    };
    assert!(matches!(unknown(&mut machine, &first, HOUR), Effect::Pause { .. }));
    let written = machine.tokens_of_unknown_key().expect("tokens to write down");
    let text = serde_json::to_string(&written).expect("JSON");
    let read: SessionTokens = serde_json::from_str(&text).expect("what was written");

    // Another tab had the same tokens before, and one that is opened now reads them from storage.
    let mut other = SessionMachine::new();
    let mut reloaded = SessionMachine::new();
    other.sync_from_storage(StorageSnapshot { stored: stored(&first), now: after(1) });
    reloaded.sync_from_storage(StorageSnapshot { stored: stored(&read), now: after(HOUR + 600) });
    for machine in [&mut other, &mut reloaded] {
        assert!(matches!(unknown(machine, &read, HOUR + 899), Effect::Pause { .. }));
        assert_eq!(unknown(machine, &read, HOUR + 900), Effect::EndSession(Reason::KeyUnknown));
    }
}

#[test]
fn a_clock_that_was_set_back_gives_an_unknown_key_no_more_than_its_time() {
    let mut first = tokens(session(1), 1, 0);
    assert_eq!(first.note_key_unknown(5_000), 5_000);
    assert_eq!(first.note_key_unknown(9_000), 5_000);
    assert_eq!(first.note_key_unknown(1_000), 1_000, "since then, not since a time to come");
}
