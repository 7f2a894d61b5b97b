//! A tab's rules, one by one.

use super::*;
use crate::policy::answer::{Silence, Trouble, refresh_outcome};
use crate::policy::fixtures::{SERVER_START, after, json, response, session, sign_in, sign_out, stored, tokens, user};
use auth_types::Reason;
use std::time::Duration;

const HOUR: i64 = 3600;

fn seen(what: Stored, seconds: i64) -> Seen {
    Seen { stored: what, now: after(seconds) }
}

fn holding(tokens: &Tokens) -> Keeper {
    let mut keeper = Keeper::new();
    assert_eq!(keeper.look(seen(stored(tokens), 0)), Effect::Switch);
    keeper
}

fn adopt(tokens: &Tokens) -> Outcome {
    Outcome::Adopt(Box::new(tokens.clone()), Box::new(user()))
}

fn fails(after: Option<u64>) -> Outcome {
    Outcome::Retry { trouble: Trouble::Waking, after: after.map(Duration::from_secs) }
}

fn is_use(plan: &Plan) -> bool {
    matches!(plan, Plan::Use(_))
}

#[test]
fn nothing_stored_means_signed_out() {
    let mut keeper = Keeper::new();
    assert_eq!(keeper.look(seen(Stored::Nothing, 0)), Effect::Nothing);
    assert_eq!(keeper.plan(keeper.epoch(), None, after(0)), Plan::SignedOut);
}

#[test]
fn a_token_is_replaced_thirty_seconds_ahead_of_its_hour() {
    let first = tokens(session(1), 1, 0);
    let keeper = holding(&first);
    assert!(is_use(&keeper.plan(keeper.epoch(), None, after(HOUR - 31))));
    assert_eq!(keeper.plan(keeper.epoch(), None, after(HOUR - 30)), Plan::Refresh(Box::new(first)));
}

#[test]
fn a_short_token_is_replaced_a_tenth_of_its_life_ahead() {
    let mut answer = response(session(1), 1, 0);
    answer.access_expires_in = 20;
    let short = Tokens::signed_in(&answer.into(), after(0), after(0), session(1).0).expect("tokens");
    let keeper = holding(&short);
    assert!(is_use(&keeper.plan(keeper.epoch(), None, after(17))));
    assert!(matches!(keeper.plan(keeper.epoch(), None, after(18)), Plan::Refresh(_)));
}

#[test]
fn a_local_clock_that_is_wrong_or_jumps_changes_nothing() {
    for error_ms in [-2 * HOUR * 1000, 2 * HOUR * 1000] {
        let wrong = |seconds| Now { wall_ms: after(seconds).wall_ms + error_ms, ..after(seconds) };
        let answer = response(session(1), 1, 0);
        let first = Tokens::signed_in(&answer.into(), wrong(0), wrong(0), session(1).0).expect("tokens");
        assert_eq!(first.access_expires_at(), (SERVER_START + HOUR) * 1000);
        let mut keeper = Keeper::new();
        sign_in(&mut keeper, &first, wrong(0));
        assert!(is_use(&keeper.plan(keeper.epoch(), None, wrong(HOUR - 31))));
        assert!(matches!(keeper.plan(keeper.epoch(), None, wrong(HOUR - 30)), Plan::Refresh(_)));
        assert!(
            matches!(keeper.plan(keeper.epoch(), None, after(HOUR)), Plan::Refresh(_)),
            "after a jump of the wall clock"
        );
    }
}

#[test]
fn a_refused_token_is_refreshed_however_fresh_it_looks() {
    let first = tokens(session(1), 1, 0);
    let keeper = holding(&first);
    assert!(matches!(keeper.plan(keeper.epoch(), first.access(), after(1)), Plan::Refresh(_)));
    assert!(is_use(&keeper.plan(keeper.epoch(), Some("an older one"), after(1))), "it has been replaced already");
}

#[test]
fn a_retry_sends_the_same_key_after_a_reload_and_in_every_tab() {
    let first = tokens(session(1), 1, 0);
    let text = serde_json::to_string(&first).expect("JSON");
    let reloaded: Tokens = serde_json::from_str(&text).expect("tokens");
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
    let elsewhere =
        Tokens::signed_in(&response(session(1), 1, 0).into(), after(0), after(0), session(9).0).expect("tokens");
    let keys = [&first, &second, &third, &elsewhere].map(Tokens::idempotency_key);
    for (i, key) in keys.iter().enumerate() {
        assert!(!keys[..i].contains(key));
    }
}

#[test]
fn a_successor_is_stored_and_used() {
    let (first, second) = (tokens(session(1), 1, 0), tokens(session(1), 2, HOUR));
    let mut keeper = holding(&first);
    let settled = keeper.settle(&first, adopt(&second), seen(stored(&first), HOUR), 0.5);
    assert_eq!(settled, Effect::Renew(Box::new(second.clone()), Box::new(user())));
    assert_eq!(keeper.plan(keeper.epoch(), None, after(HOUR + 1)), Plan::Use(Box::new(second)));
}

#[test]
fn another_tabs_newer_tokens_are_taken_instead_of_a_refresh() {
    let (first, second) = (tokens(session(1), 1, 0), tokens(session(1), 2, HOUR));
    let mut keeper = holding(&first);
    let before = keeper.epoch();
    assert_eq!(keeper.look(seen(stored(&second), HOUR)), Effect::Newer);
    assert_eq!(keeper.plan(keeper.epoch(), first.access(), after(HOUR)), Plan::Use(Box::new(second)));
    assert_eq!(keeper.epoch(), before, "it is the same session");
}

#[test]
fn the_slower_of_two_tabs_never_goes_back() {
    let [first, second, third] = [1, 2, 3].map(|generation| tokens(session(1), generation, HOUR * (generation - 1)));
    let mut keeper = holding(&first);
    let settled = keeper.settle(&first, adopt(&second), seen(stored(&third), HOUR), 0.5);
    assert_eq!(settled, Effect::Newer);
    assert_eq!(keeper.tokens(), Some(&third));
}

#[test]
fn storage_that_lags_behind_is_brought_up_to_date() {
    let (first, second) = (tokens(session(1), 1, 0), tokens(session(1), 2, HOUR));
    let mut keeper = holding(&second);
    assert_eq!(keeper.look(seen(stored(&first), HOUR)), Effect::Write(Box::new(second.clone())));
    let settled = keeper.settle(&first, Outcome::Ended(Reason::RefreshReused), seen(stored(&first), HOUR), 0.5);
    assert_eq!(settled, Effect::Write(Box::new(second)), "a verdict on older tokens is none on these");
}

#[test]
fn a_terminal_answer_ends_the_session_unless_newer_tokens_are_there() {
    let (first, second) = (tokens(session(1), 1, 0), tokens(session(1), 2, HOUR));
    let ended = || Outcome::Ended(Reason::SessionRevoked);
    let mut alone = holding(&first);
    assert_eq!(alone.settle(&first, ended(), seen(stored(&first), 1), 0.5), Effect::End(Reason::SessionRevoked));
    assert_eq!(alone.plan(alone.epoch(), None, after(1)), Plan::SignedOut);
    let mut overtaken = holding(&first);
    assert_eq!(overtaken.settle(&first, ended(), seen(stored(&second), 1), 0.5), Effect::Newer);
    assert_eq!(overtaken.tokens(), Some(&second));
}

#[test]
fn a_refresh_that_ends_after_a_logout_cannot_bring_the_session_back() {
    let (first, second) = (tokens(session(1), 1, 0), tokens(session(1), 2, 1));
    let mut here = holding(&first);
    let signed_out = here.sign_out(here.epoch(), Farewell::ByUser, seen(stored(&first), 1));
    assert_eq!(signed_out, Effect::Forget(Box::new(first.clone()), Farewell::ByUser));
    let settled = here.settle(&first, adopt(&second), seen(Stored::Nothing, 1), 0.5);
    assert_eq!(settled, Effect::Nothing);
    let mut elsewhere = holding(&first);
    let settled = elsewhere.settle(&first, adopt(&second), seen(Stored::Nothing, 1), 0.5);
    assert_eq!(settled, Effect::Leave);
    for keeper in [here, elsewhere] {
        assert_eq!(keeper.plan(keeper.epoch(), None, after(1)), Plan::SignedOut);
    }
}

#[test]
fn a_refresh_that_ends_after_another_sign_in_changes_nothing() {
    let (first, second) = (tokens(session(1), 1, 0), tokens(session(1), 2, 1));
    let others = tokens(session(2), 1, 1);
    let mut keeper = holding(&first);
    let settled = keeper.settle(&first, adopt(&second), seen(stored(&others), 1), 0.5);
    assert_eq!(settled, Effect::Switch);
    assert_eq!(keeper.tokens(), Some(&others));
}

#[test]
fn a_late_write_of_another_tab_cannot_bring_a_session_back() {
    let (first, second) = (tokens(session(1), 1, 0), tokens(session(1), 2, 1));
    let mut here = holding(&first);
    sign_out(&mut here, &first, after(1));
    assert_eq!(here.look(seen(stored(&second), 1)), Effect::Remove);
    assert_eq!(here.plan(here.epoch(), None, after(1)), Plan::SignedOut);
    let mut elsewhere = holding(&first);
    assert_eq!(elsewhere.told(Some(session(1)), seen(stored(&second), 1)), Effect::Remove);
    assert_eq!(elsewhere.plan(elsewhere.epoch(), None, after(1)), Plan::SignedOut);
}

#[test]
fn a_late_write_does_not_cover_the_next_sign_in() {
    let (first, others) = (tokens(session(1), 1, 0), tokens(session(2), 1, 1));
    let mut keeper = holding(&first);
    sign_out(&mut keeper, &first, after(1));
    sign_in(&mut keeper, &others, after(1));
    keeper.wrote(true);
    assert_eq!(keeper.look(seen(stored(&first), 1)), Effect::Write(Box::new(others.clone())));
    assert_eq!(keeper.tokens(), Some(&others));
}

#[test]
fn a_sign_in_or_sign_out_elsewhere_wins_and_starts_an_epoch() {
    let (first, others) = (tokens(session(1), 1, 0), tokens(session(2), 1, 1));
    let mut keeper = holding(&first);
    let mut epochs = vec![keeper.epoch()];
    assert_eq!(keeper.told(None, seen(stored(&others), 1)), Effect::Switch);
    assert_eq!(keeper.tokens(), Some(&others));
    epochs.push(keeper.epoch());
    assert_eq!(keeper.told(Some(session(2)), seen(Stored::Nothing, 2)), Effect::Leave);
    assert_eq!(keeper.tokens(), None);
    epochs.push(keeper.epoch());
    assert!(epochs[0] != epochs[1] && epochs[1] != epochs[2] && epochs[0] != epochs[2], "{epochs:?}");
}

#[test]
fn without_storage_memory_is_enough() {
    let (first, second) = (tokens(session(1), 1, 0), tokens(session(1), 2, HOUR));
    for nothing in [Stored::Unavailable, Stored::Nothing] {
        let mut keeper = Keeper::new();
        sign_in(&mut keeper, &first, after(0));
        keeper.wrote(false);
        assert_eq!(keeper.look(seen(nothing.clone(), 1)), Effect::Nothing);
        let settled = keeper.settle(&first, adopt(&second), seen(nothing.clone(), HOUR), 0.5);
        assert!(matches!(settled, Effect::Renew(..)));
        keeper.wrote(false);
        assert_eq!(keeper.look(seen(nothing, HOUR)), Effect::Nothing);
        assert_eq!(keeper.tokens(), Some(&second));
    }
}

#[test]
fn failures_pause_refreshing_and_keep_the_session() {
    let first = tokens(session(1), 1, 0);
    let mut keeper = holding(&first);
    let due = HOUR - 20;
    let settled = keeper.settle(&first, fails(None), seen(stored(&first), due), 1.0);
    assert_eq!(settled, Effect::Pause { trouble: Trouble::Waking, wait: Duration::from_secs(1) });
    assert!(is_use(&keeper.plan(keeper.epoch(), None, after(due))), "the access token has not expired yet");
    assert!(matches!(keeper.plan(keeper.epoch(), None, after(due + 1)), Plan::Refresh(_)), "the pause is over");
    let settled = keeper.settle(&first, fails(Some(60)), seen(stored(&first), due + 1), 0.0);
    assert_eq!(settled, Effect::Pause { trouble: Trouble::Waking, wait: Duration::from_mins(1) });
    let plan = keeper.plan(keeper.epoch(), None, after(HOUR + 1));
    assert_eq!(plan, Plan::Wait { trouble: Trouble::Waking, remaining: Duration::from_secs(40) });
    assert!(matches!(keeper.plan(keeper.epoch(), None, after(due + 61)), Plan::Refresh(_)));
}

#[test]
fn a_refused_token_is_not_used_again_during_a_pause() {
    let first = tokens(session(1), 1, 0);
    let mut keeper = holding(&first);
    keeper.settle(&first, fails(None), seen(stored(&first), 1), 1.0);
    assert!(matches!(keeper.plan(keeper.epoch(), first.access(), after(1)), Plan::Wait { .. }));
    assert!(is_use(&keeper.plan(keeper.epoch(), None, after(1))));
}

#[test]
fn a_network_that_comes_back_ends_its_own_pause_but_not_the_servers() {
    let first = tokens(session(1), 1, 0);
    let mut keeper = holding(&first);
    let offline = refresh_outcome(&first, &Err(Silence::Unreachable));
    keeper.settle(&first, offline, seen(stored(&first), HOUR), 1.0);
    assert!(matches!(keeper.plan(keeper.epoch(), None, after(HOUR)), Plan::Wait { .. }));
    keeper.online();
    assert!(matches!(keeper.plan(keeper.epoch(), None, after(HOUR)), Plan::Refresh(_)));
    keeper.settle(&first, fails(Some(30)), seen(stored(&first), HOUR), 1.0);
    keeper.online();
    assert!(matches!(keeper.plan(keeper.epoch(), None, after(HOUR)), Plan::Wait { .. }));
}

#[test]
fn a_session_outlives_its_refresh_token_until_the_server_says_so() {
    let first = tokens(session(1), 1, 0);
    let keeper = holding(&first);
    assert!(matches!(keeper.plan(keeper.epoch(), None, after(365 * 24 * HOUR)), Plan::Refresh(_)));
}

#[test]
fn content_that_is_not_ours_is_not_read_as_tokens() {
    let changed = |field: &str, text: &str| {
        let mut record = serde_json::to_value(tokens(session(1), 1, 0)).expect("JSON");
        record[field] = text.into();
        record.to_string()
    };
    let foreign = [changed("refresh", "from.another.application"), changed("access", ""), changed("access", "a\nb: c")];
    for text in foreign.into_iter().chain(["{}", "null", "\"x\""].map(str::to_owned)) {
        assert!(serde_json::from_str::<Tokens>(&text).is_err(), "{text}");
    }
}

#[test]
fn what_is_stored_holds_no_personal_data_and_debug_holds_no_secret() {
    let first = tokens(session(1), 1, 0);
    let text = serde_json::to_string(&first).expect("JSON");
    assert!(!text.contains("ada") && !text.contains("example.com"), "{text}");
    let answer = response(session(1), 1, 0);
    let printed = format!("{first:?} {:?} {:?} {:?}", first.renewal(), holding(&first), json(200, &answer, 0));
    assert!(!printed.contains(&answer.access) && !printed.contains(&answer.refresh), "{printed}");
    assert!(!printed.contains(&first.idempotency_key()), "{printed}");
}

#[test]
fn a_key_that_the_server_does_not_know_is_waited_for_and_given_up_after_a_quarter_of_an_hour() {
    let first = tokens(session(1), 1, 0);
    let mut keeper = Keeper::new();
    sign_in(&mut keeper, &first, after(0));
    let seen = |seconds| Seen { stored: stored(&first), now: after(seconds) };
    for seconds in [HOUR, HOUR + 60, HOUR + 899] {
        let settled = keeper.settle(&first, Outcome::KeyUnknown, seen(seconds), 0.5);
        assert!(matches!(settled, Effect::Pause { trouble: Trouble::Waking, .. }), "{seconds}: {settled:?}");
    }
    let settled = keeper.settle(&first, Outcome::KeyUnknown, seen(HOUR + 900), 0.5);
    assert_eq!(settled, Effect::End(Reason::KeyUnknown));

    // A refresh that worked in between begins a new quarter.
    let mut keeper = Keeper::new();
    sign_in(&mut keeper, &first, after(0));
    keeper.settle(&first, Outcome::KeyUnknown, seen(HOUR), 0.5);
    let second = tokens(session(1), 2, HOUR);
    keeper.settle(&first, Outcome::Adopt(Box::new(second.clone()), Box::new(user())), seen(HOUR + 1), 0.5);
    let seen = Seen { stored: stored(&second), now: after(3 * HOUR) };
    let settled = keeper.settle(&second, Outcome::KeyUnknown, seen, 0.5);
    assert!(matches!(settled, Effect::Pause { .. }), "{settled:?}");
}

#[test]
fn neither_a_reload_nor_another_tab_gives_an_unknown_key_more_time() {
    let first = tokens(session(1), 1, 0);
    let mut keeper = Keeper::new();
    sign_in(&mut keeper, &first, after(0));
    let unknown = |keeper: &mut Keeper, found: &Tokens, seconds| {
        keeper.settle(&first, Outcome::KeyUnknown, seen(stored(found), seconds), 0.5)
    };
    assert!(matches!(unknown(&mut keeper, &first, HOUR), Effect::Pause { .. }));
    let written = keeper.tokens_of_unknown_key().expect("tokens to write down");
    let text = serde_json::to_string(&written).expect("JSON");
    let read: Tokens = serde_json::from_str(&text).expect("what was written");

    // Another tab held the same tokens before, and one that is opened now finds them in storage.
    let (mut other, mut reloaded) = (Keeper::new(), Keeper::new());
    other.look(Seen { stored: stored(&first), now: after(1) });
    reloaded.look(Seen { stored: stored(&read), now: after(HOUR + 600) });
    for keeper in [&mut other, &mut reloaded] {
        assert!(matches!(unknown(keeper, &read, HOUR + 899), Effect::Pause { .. }));
        assert_eq!(unknown(keeper, &read, HOUR + 900), Effect::End(Reason::KeyUnknown));
    }
}

#[test]
fn a_clock_that_was_set_back_gives_an_unknown_key_no_more_than_its_time() {
    let mut first = tokens(session(1), 1, 0);
    assert_eq!(first.note_key_unknown(5_000), 5_000);
    assert_eq!(first.note_key_unknown(9_000), 5_000);
    assert_eq!(first.note_key_unknown(1_000), 1_000, "since then, not since a time to come");
}
