//! Charges counted in this process, in bounded memory for any number of keys.

use super::budgets::Budget;
use super::charge::Charge;
use super::window::{ChargeLog, Decision};
use crate::service::hashed_key::HashedKey;
use parking_lot::Mutex;
use std::collections::HashMap;

/// Keys are spread over this many maps, so that requests do not wait for one lock.
const SHARDS: usize = 16;
/// Maximum number of keys, about 13 MB. A flood of new keys evicts those that have spent least.
pub(super) const MOST_KEYS: usize = 1 << 16;
/// The fraction that is evicted from a full map at once, so that many insertions share the cost of the search.
const EVICTED_PART: usize = 8;

type Shard = HashMap<HashedKey, (Budget, ChargeLog)>;

/// The charges of all keys, as this process has seen them.
#[derive(Debug, Default)]
pub(super) struct LocalCounts {
    shards: [Mutex<Shard>; SHARDS],
}

impl LocalCounts {
    fn shard(&self, key: HashedKey) -> &Mutex<Shard> {
        &self.shards[usize::from(key.0[0]) % SHARDS]
    }

    /// Makes one charge, if the budget allows it.
    pub(super) fn charge(&self, budget: Budget, key: HashedKey, now: i64) -> Decision {
        let mut shard = self.shard(key).lock();
        if shard.len() >= MOST_KEYS / SHARDS && !shard.contains_key(&key) {
            make_room(&mut shard, now);
        }
        shard.entry(key).or_insert_with(|| (budget, ChargeLog::default())).1.charge(budget.rule(), now)
    }

    /// How long `key` has to wait if nothing is left, microseconds.
    pub(super) fn time_until_free_if_spent(&self, budget: Budget, key: HashedKey, now: i64) -> Option<i64> {
        let mut shard = self.shard(key).lock();
        let (_, log) = shard.get_mut(&key)?;
        log.time_until_free_if_spent(budget.rule(), now)
    }

    pub(super) fn refund(&self, charge: &Charge) {
        let mut shard = self.shard(charge.key).lock();
        if let Some((_, log)) = shard.get_mut(&charge.key) {
            log.refund(charge.at);
            if log.used() == 0 {
                shard.remove(&charge.key);
            }
        }
    }

    /// The number of keys.
    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }
}

/// Drops keys whose charges no longer count; if that is not enough, those that have spent the smallest part of their budget,
/// least recent first. A key close to its limit has cost an attacker many attempts, and is evicted last.
fn make_room(shard: &mut Shard, now: i64) {
    shard.retain(|_, (budget, log)| {
        log.prune(budget.rule(), now);
        log.used() > 0
    });
    let evicted = (MOST_KEYS / SHARDS / EVICTED_PART).min(shard.len());
    if shard.len() + evicted <= MOST_KEYS / SHARDS || evicted == 0 {
        return;
    }
    let spent = |budget: &Budget, log: &ChargeLog| u64::from(log.used()) * 1_000 / u64::from(budget.rule().quota);
    let mut keys: Vec<_> = shard.iter().map(|(key, (budget, log))| (spent(budget, log), log.latest(), *key)).collect();
    keys.select_nth_unstable_by_key(evicted - 1, |(spent, latest, _)| (*spent, *latest));
    for (_, _, key) in &keys[..evicted] {
        shard.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::{Budget, Charge, HashedKey, LocalCounts, MOST_KEYS};

    fn key(number: u128) -> HashedKey {
        // The first byte selects the map, so the low bits must vary.
        HashedKey(number.to_le_bytes())
    }

    #[test]
    fn a_flood_of_keys_takes_bounded_memory_and_frees_no_limited_key() {
        let counts = LocalCounts::default();
        let limited = key(u128::MAX);
        for now in 0..10 {
            assert!(counts.charge(Budget::FailedSignInUnknownNetwork, limited, now).allowed);
        }
        for number in 0..3 * MOST_KEYS {
            counts.charge(
                Budget::FailedSignInUnknownNetwork,
                key(number as u128),
                10 + i64::try_from(number).unwrap_or(0),
            );
            assert!(
                !(number % 1_000 == 0 && counts.charge(Budget::FailedSignInUnknownNetwork, limited, 11).allowed),
                "at {number}"
            );
        }
        assert!(counts.len() <= MOST_KEYS, "{} keys", counts.len());
        assert!(counts.len() > MOST_KEYS / 2, "no more is evicted than necessary");
    }

    #[test]
    fn keys_that_no_longer_count_are_evicted_first() {
        let counts = LocalCounts::default();
        for number in 0..MOST_KEYS {
            counts.charge(Budget::RefreshSession, key(number as u128), 0);
        }
        let later = Budget::RefreshSession.rule().window_us();
        let fresh = key(u128::MAX);
        counts.charge(Budget::ExportUser, fresh, later);
        for number in 0..MOST_KEYS / 2 {
            counts.charge(Budget::ExportUser, key((MOST_KEYS + number) as u128), later);
        }
        assert_eq!(counts.charge(Budget::ExportUser, fresh, later).remaining, 3, "the second one of five");
    }

    #[test]
    fn a_key_whose_charges_were_all_refunded_is_dropped() {
        let counts = LocalCounts::default();
        counts.charge(Budget::FailedSignInUnknownNetwork, key(1), 5);
        counts.refund(&Charge { budget: Budget::FailedSignInUnknownNetwork, key: key(1), at: 5 });
        assert_eq!(counts.len(), 0);
    }
}
