//! Two people share a browser: no request or response of the first affects the second.

use super::fixtures::{after, session, sign_in, sign_out, stored, tokens, user};
use super::*;
use auth_types::Reason;

fn seen(what: StorageContent) -> StorageSnapshot {
    StorageSnapshot { stored: what, now: after(2) }
}

/// A tab with these tokens, which are also in storage.
fn tab_with(tokens: &SessionTokens) -> SessionMachine {
    let mut machine = SessionMachine::new();
    assert_eq!(machine.sync_from_storage(seen(stored(tokens))), Effect::Switch);
    machine
}

fn people() -> (SessionTokens, SessionTokens) {
    (tokens(session(1), 1, 0), tokens(session(2), 1, 1))
}

#[test]
fn a_late_response_to_a_sign_in_changes_nothing_after_another_sign_in() {
    let (hers, his) = people();
    let mut machine = SessionMachine::new();
    let page = machine.epoch();
    assert_eq!(machine.sign_in(page, &hers, user(), seen(stored(&his))), Effect::Switch);
    assert_eq!(machine.tokens(), Some(&his));
    assert_eq!(machine.sign_in(page, &hers, user(), seen(stored(&his))), Effect::Nothing);
}

#[test]
fn a_late_response_to_a_sign_in_changes_nothing_after_another_one_came_and_went() {
    let (hers, his) = people();
    let mut machine = SessionMachine::new();
    let page = machine.epoch();
    machine.sync_from_storage(seen(stored(&his)));
    assert_eq!(machine.on_storage_event(Some(his.session()), seen(StorageContent::Empty)), Effect::ShowSignedOut);
    assert_eq!(machine.sign_in(page, &hers, user(), seen(StorageContent::Empty)), Effect::Nothing);
    assert_eq!(machine.tokens(), None);
}

#[test]
fn a_late_response_to_a_password_change_changes_nothing_after_another_user_signed_in() {
    let (hers, his) = people();
    let mut machine = tab_with(&hers);
    let page = machine.epoch();
    let replacing = tokens(session(3), 1, 2);
    assert_eq!(machine.sign_in(page, &replacing, user(), seen(stored(&his))), Effect::Switch);
    assert_eq!(machine.tokens(), Some(&his));
}

#[test]
fn a_password_change_ends_the_session_that_it_replaces() {
    let (first, _) = people();
    let mut machine = tab_with(&first);
    let replacing = tokens(session(3), 1, 2);
    let signed_in = machine.sign_in(machine.epoch(), &replacing, user(), seen(stored(&first)));
    assert!(matches!(signed_in, Effect::Begin(..)), "{signed_in:?}");
    let late = machine.sync_from_storage(seen(stored(&first)));
    assert_eq!(late, Effect::Write(Box::new(replacing)), "a late write of the session before");
}

#[test]
fn a_sign_out_on_one_persons_page_leaves_the_next_one_signed_in() {
    let (hers, his) = people();
    let mut machine = tab_with(&hers);
    let page = machine.epoch();
    assert_eq!(machine.sign_out(page, SignOutReason::ByUser, seen(stored(&his))), Effect::Switch);
    assert_eq!(machine.sign_out(page, SignOutReason::ByUser, seen(stored(&his))), Effect::Nothing);
    assert_eq!(machine.tokens(), Some(&his));
}

#[test]
fn a_verdict_on_one_persons_session_does_not_affect_the_next() {
    let (hers, his) = people();
    for reason in [Reason::SessionRevoked, Reason::SessionExpired, Reason::RefreshReused, Reason::UserInactive] {
        let mut machine = tab_with(&hers);
        let effect = machine.apply_refresh(&hers, RefreshOutcome::Ended(reason), seen(stored(&his)), 0.5);
        assert_eq!(effect, Effect::Switch, "{reason:?}");
        assert_eq!(machine.tokens(), Some(&his));
    }
}

#[test]
fn a_refresh_for_one_person_does_not_pause_the_next() {
    let (hers, his) = people();
    let mut machine = tab_with(&hers);
    let failed = RefreshOutcome::Retry { error: TransientError::Unavailable, after: None };
    machine.apply_refresh(&hers, failed, seen(stored(&his)), 0.5);
    assert!(matches!(machine.plan(machine.epoch(), his.access(), after(2)), TokenPlan::Refresh(_)));
}

#[test]
fn a_successor_of_one_persons_tokens_is_not_stored_over_the_next() {
    let (hers, his) = people();
    let mut machine = tab_with(&hers);
    let successor = RefreshOutcome::Adopt(Box::new(tokens(session(1), 2, 2)), Box::new(user()));
    assert_eq!(machine.apply_refresh(&hers, successor, seen(stored(&his)), 0.5), Effect::Switch);
}

/// The tab has synced the second person's session from storage before the event of the first one's sign-out arrives.
#[test]
fn a_late_event_of_one_persons_sign_out_does_not_sign_the_next_out() {
    let (hers, his) = people();
    let mut machine = tab_with(&hers);
    assert_eq!(machine.sync_from_storage(seen(stored(&his))), Effect::Switch);
    assert_eq!(machine.on_storage_event(Some(hers.session()), seen(stored(&his))), Effect::Nothing);
    assert_eq!(machine.on_storage_event(None, seen(stored(&his))), Effect::Nothing, "storage was emptied as a whole");
    assert_eq!(machine.tokens(), Some(&his));
}

#[test]
fn no_epoch_comes_back() {
    let (hers, his) = people();
    let mut machine = SessionMachine::new();
    let mut epochs = vec![machine.epoch()];
    for tokens in [&hers, &his] {
        sign_in(&mut machine, tokens, after(2));
        machine.on_written(true);
        epochs.push(machine.epoch());
        sign_out(&mut machine, tokens, after(2));
        epochs.push(machine.epoch());
    }
    for (i, epoch) in epochs.iter().enumerate() {
        assert!(!epochs[..i].contains(epoch), "{epochs:?}");
    }
}
