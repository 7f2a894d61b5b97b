//! How many of something countable each holder has, and which holders must make room, because they were refused another one.

use std::collections::HashMap;
use std::hash::Hash;

/// Counts per holder, none of which exceeds the quota.
#[derive(Debug)]
pub struct HolderQuotas<K> {
    quota: usize,
    held: HashMap<K, HolderCount>,
}

#[derive(Debug, Default)]
struct HolderCount {
    number: usize,
    /// Whether the holder was refused one since it last had half of its quota or less.
    must_make_room: bool,
}

impl<K: Eq + Hash + Copy> HolderQuotas<K> {
    pub fn of_at_most(quota: usize) -> Self {
        Self { quota: quota.max(1), held: HashMap::new() }
    }

    /// Takes one, and returns whether the holder's quota allowed it.
    pub fn take(&mut self, holder: K) -> bool {
        let held = self.held.entry(holder).or_default();
        if held.number >= self.quota {
            held.must_make_room = true;
            return false;
        }
        held.number += 1;
        true
    }

    pub fn release(&mut self, holder: K) {
        let Some(held) = self.held.get_mut(&holder) else { return };
        held.number -= 1;
        held.must_make_room &= held.number > self.quota / 2;
        if held.number == 0 {
            self.held.remove(&holder);
        }
    }

    /// Whether some of what the holder has must make room for more from the same holder.
    pub fn must_make_room(&self, holder: K) -> bool {
        self.held.get(&holder).is_some_and(|held| held.must_make_room)
    }
}

#[cfg(test)]
mod tests {
    use super::HolderQuotas;

    #[test]
    fn a_holder_must_make_room_from_a_refusal_until_it_has_half_of_its_quota() {
        let mut quotas = HolderQuotas::of_at_most(4);
        assert!((0..4).all(|_| quotas.take("eve")) && !quotas.must_make_room("eve"));
        assert!(!quotas.take("eve") && quotas.must_make_room("eve"));
        assert!(quotas.take("ada") && !quotas.must_make_room("ada"));
        quotas.release("eve");
        assert!(quotas.must_make_room("eve"));
        quotas.release("eve");
        assert!(!quotas.must_make_room("eve") && quotas.take("eve"));
    }

    #[test]
    fn a_holder_without_any_is_dropped() {
        let mut quotas = HolderQuotas::of_at_most(0);
        assert!(quotas.take("eve"), "the quota is at least one");
        assert!(!quotas.take("eve"));
        quotas.release("eve");
        quotas.release("eve");
        assert!(quotas.held.is_empty());
    }
}
