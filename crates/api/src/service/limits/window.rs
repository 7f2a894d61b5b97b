//! How charges are counted: each for exactly one window, from its own time on.
//!
//! This is a sliding log. A counter that is reset would allow the quota at the end of one window and again at the start of
//! the next; a leaky bucket allows the quota at once and then more all the time. The cost of a log is bounded: a key has at
//! most a hundred entries, and usually a few.

use super::budgets::BudgetRule;
use std::collections::VecDeque;

/// Whether a budget allows one more charge. Times are microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) allowed: bool,
    /// Further charges that are possible after this one.
    pub(super) remaining: u32,
    /// Until the oldest charge stops counting.
    pub(super) wait: i64,
}

#[derive(Debug, Clone, Copy)]
struct LogEntry {
    at: i64,
    count: u32,
}

/// The charges of one key that may still count.
#[derive(Debug, Clone, Default)]
pub(super) struct ChargeLog(VecDeque<LogEntry>);

impl ChargeLog {
    /// Makes one charge, if the budget allows it.
    pub(super) fn charge(&mut self, rule: BudgetRule, now: i64) -> Decision {
        self.prune(rule, now);
        let used = self.used();
        let allowed = used < rule.quota;
        if allowed {
            self.add(rule.stored_at(now));
        }
        let remaining = rule.quota.saturating_sub(used.saturating_add(1));
        Decision { allowed, remaining, wait: self.time_until_free(rule, now) }
    }

    /// The time until a charge is possible again, if nothing is left; charges nothing.
    pub(super) fn time_until_free_if_spent(&mut self, rule: BudgetRule, now: i64) -> Option<i64> {
        self.prune(rule, now);
        (self.used() >= rule.quota).then(|| self.time_until_free(rule, now))
    }

    fn time_until_free(&self, rule: BudgetRule, now: i64) -> i64 {
        let oldest = self.0.iter().map(|entry| entry.at).min().unwrap_or(now);
        time_until_free(rule, oldest, now)
    }

    /// Refunds a charge that was stored with the time `at`.
    pub(super) fn refund(&mut self, at: i64) {
        if let Some(index) = self.0.iter().position(|entry| entry.at == at) {
            self.0[index].count -= 1;
            if self.0[index].count == 0 {
                self.0.remove(index);
            }
        }
    }

    /// Drops what no longer counts. A charge that is later than another process's may be was made by a clock that was wrong:
    /// it counts as made now, so for one window from here on.
    pub(super) fn prune(&mut self, rule: BudgetRule, now: i64) {
        let latest = rule.latest_at(now);
        let ahead: u32 = self.0.iter().filter(|entry| entry.at > latest).map(|entry| entry.count).sum();
        self.0.retain(|entry| entry.at > now - rule.window_us() && entry.at <= latest);
        if ahead > 0 {
            self.0.push_back(LogEntry { at: rule.stored_at(now), count: ahead });
        }
    }

    pub(super) fn used(&self) -> u32 {
        self.0.iter().map(|entry| entry.count).sum()
    }

    /// The time of the latest charge.
    pub(super) fn latest(&self) -> Option<i64> {
        self.0.iter().map(|entry| entry.at).max()
    }

    fn add(&mut self, at: i64) {
        match self.0.back_mut() {
            Some(last) if last.at == at => last.count += 1,
            _ => self.0.push_back(LogEntry { at, count: 1 }),
        }
    }
}

/// From `now` until a charge at `oldest` stops counting.
pub(super) fn time_until_free(rule: BudgetRule, oldest: i64, now: i64) -> i64 {
    (oldest.saturating_add(rule.window_us()) - now).max(0)
}

#[cfg(test)]
mod tests {
    use super::super::budgets::Budget;
    use super::{ChargeLog, Decision};
    use proptest::prelude::*;

    const SECOND: i64 = 1_000_000;
    const MINUTE: i64 = 60 * SECOND;

    #[test]
    fn each_charge_of_a_spent_quota_is_free_again_after_one_window() {
        let rule = Budget::FailedSignInUnknownNetwork.rule();
        let mut log = ChargeLog::default();
        for number in 0..10 {
            let decision = log.charge(rule, i64::from(number) * MINUTE);
            assert_eq!((decision.allowed, decision.remaining), (true, 9 - number));
        }
        assert_eq!(log.charge(rule, 10 * MINUTE), Decision { allowed: false, remaining: 0, wait: 5 * MINUTE });
        assert!(!log.charge(rule, 15 * MINUTE - 1).allowed);
        assert!(log.charge(rule, 15 * MINUTE).allowed, "the first one no longer counts");
        assert!(!log.charge(rule, 15 * MINUTE).allowed, "and only the first");
        assert!(log.charge(rule, 16 * MINUTE).allowed);
    }

    #[test]
    fn a_refunded_charge_no_longer_counts() {
        let rule = Budget::ExportUser.rule();
        let mut log = ChargeLog::default();
        for at in 0..5 {
            assert!(log.charge(rule, at).allowed);
        }
        assert!(!log.charge(rule, 5).allowed);
        log.refund(3);
        log.refund(3);
        log.refund(99);
        assert!(log.charge(rule, 6).allowed);
        assert!(!log.charge(rule, 7).allowed);
    }

    #[test]
    fn a_large_budget_has_few_entries() {
        let rule = Budget::RequestsClient.rule();
        let mut log = ChargeLog::default();
        for now in 0..6000 {
            assert!(log.charge(rule, now * 10_000).allowed);
        }
        assert!(log.0.len() <= 61, "{} entries", log.0.len());
        assert!(!log.charge(rule, MINUTE - 1).allowed);
        assert!(!log.charge(rule, MINUTE).allowed, "a charge counts for at least the window");
        assert!(log.charge(rule, MINUTE + SECOND).allowed, "and for a sixtieth more at most");
    }

    #[test]
    fn charges_by_a_clock_that_was_ahead_count_for_one_window_from_when_it_is_right() {
        for budget in [Budget::FailedSignInUnknownNetwork, Budget::RequestsUnauthenticated] {
            let rule = budget.rule();
            let window = rule.window_us();
            for ahead in [MINUTE, window - MINUTE / 2, 60 * window] {
                let mut log = ChargeLog::default();
                let now = 1_000 * MINUTE;
                for _ in 0..rule.quota {
                    assert!(log.charge(rule, now + ahead).allowed);
                }
                let refused = log.charge(rule, now);
                let counted = rule.stored_at(now) - now + window;
                assert_eq!(refused, Decision { allowed: false, remaining: 0, wait: counted }, "{ahead}");
                assert_eq!(
                    log.time_until_free_if_spent(rule, now + MINUTE / 2),
                    Some(counted - MINUTE / 2),
                    "moved only once"
                );
                assert!(!log.charge(rule, now + counted - 1).allowed);
                assert!(log.charge(rule, now + counted).allowed);
            }
        }
    }

    /// The charge keeps its time, by which it can be refunded.
    #[test]
    fn a_charge_of_a_process_whose_clock_is_ahead_as_far_as_tolerated_is_not_moved() {
        let rule = Budget::ExportUser.rule();
        let mut log = ChargeLog::default();
        assert!(log.charge(rule, 8 * SECOND).allowed);
        assert_eq!(log.charge(rule, 0).remaining, 3);
        log.refund(8 * SECOND);
        assert_eq!(log.charge(rule, 0).remaining, 3);
    }

    proptest! {
        /// For any sequence of charges, no window of time allows more than the quota.
        #[test]
        fn no_window_allows_more_than_the_quota(pauses in prop::collection::vec(0..4 * MINUTE, 1..200)) {
            let rule = Budget::FailedSignInUnknownNetwork.rule();
            let mut log = ChargeLog::default();
            let mut now = 0;
            let mut allowed = Vec::new();
            for pause in pauses {
                now += pause;
                if log.charge(rule, now).allowed {
                    allowed.push(now);
                }
            }
            for start in &allowed {
                let within = allowed.iter().filter(|at| (*start..start + rule.window_us()).contains(*at)).count();
                prop_assert!(within <= rule.quota as usize);
            }
        }
    }
}
