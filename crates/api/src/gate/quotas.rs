//! How many of something countable each holder has, and which holders must make room because a further request of that holder was refused.

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
    /// Whether one was refused since the holder last had half of its quota or less: its others must make room.
    pressed: bool,
}

impl<K: Eq + Hash + Copy> HolderQuotas<K> {
    pub fn of_at_most(quota: usize) -> Self {
        Self { quota: quota.max(1), held: HashMap::new() }
    }

    /// Takes one, and returns whether the holder's quota allowed it.
    pub fn take(&mut self, holder: K) -> bool {
        let held = self.held.entry(holder).or_default();
        if held.number >= self.quota {
            held.pressed = true;
            return false;
        }
        held.number += 1;
        true
    }

    pub fn release(&mut self, holder: K) {
        let Some(held) = self.held.get_mut(&holder) else { return };
        held.number -= 1;
        held.pressed &= held.number > self.quota / 2;
        if held.number == 0 {
            self.held.remove(&holder);
        }
    }

    /// Whether some of what the holder has must make room for more from the same holder.
    pub fn is_pressed(&self, holder: K) -> bool {
        self.held.get(&holder).is_some_and(|held| held.pressed)
    }
}

#[cfg(test)]
mod tests {
    use super::HolderQuotas;

    #[test]
    fn a_holder_is_pressed_from_a_refusal_until_it_has_half_of_its_quota() {
        let mut parts = HolderQuotas::of_at_most(4);
        assert!((0..4).all(|_| parts.take("eve")) && !parts.is_pressed("eve"));
        assert!(!parts.take("eve") && parts.is_pressed("eve"));
        assert!(parts.take("ada") && !parts.is_pressed("ada"));
        parts.release("eve");
        assert!(parts.is_pressed("eve"));
        parts.release("eve");
        assert!(!parts.is_pressed("eve") && parts.take("eve"));
    }

    #[test]
    fn a_holder_without_any_is_dropped() {
        let mut parts = HolderQuotas::of_at_most(0);
        assert!(parts.take("eve"), "the quota is at least one");
        assert!(!parts.take("eve"));
        parts.release("eve");
        parts.release("eve");
        assert!(parts.held.is_empty());
    }
}
