//! How many of something countable each of its holders has, and who must make room because others of theirs are refused.

use std::collections::HashMap;
use std::hash::Hash;

/// No holder has more than its part.
#[derive(Debug)]
pub struct HolderQuotas<K> {
    part: usize,
    held: HashMap<K, HolderCount>,
}

#[derive(Debug, Default)]
struct HolderCount {
    number: usize,
    /// Whether one was refused since the holder had less than half of its part: the others must make room.
    pressed: bool,
}

impl<K: Eq + Hash + Copy> HolderQuotas<K> {
    pub fn of_at_most(part: usize) -> Self {
        Self { part: part.max(1), held: HashMap::new() }
    }

    /// Takes one; whether the holder had room for it.
    pub fn take(&mut self, holder: K) -> bool {
        let held = self.held.entry(holder).or_default();
        if held.number >= self.part {
            held.pressed = true;
            return false;
        }
        held.number += 1;
        true
    }

    pub fn release(&mut self, holder: K) {
        let Some(held) = self.held.get_mut(&holder) else { return };
        held.number -= 1;
        held.pressed &= held.number > self.part / 2;
        if held.number == 0 {
            self.held.remove(&holder);
        }
    }

    /// Whether what the holder has must make room for more of the same holder's.
    pub fn is_pressed(&self, holder: K) -> bool {
        self.held.get(&holder).is_some_and(|held| held.pressed)
    }
}

#[cfg(test)]
mod tests {
    use super::HolderQuotas;

    #[test]
    fn a_holder_has_its_part_and_is_pressed_until_it_has_half_of_it() {
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
    fn who_has_nothing_is_forgotten() {
        let mut parts = HolderQuotas::of_at_most(0);
        assert!(parts.take("eve"), "a part is never nothing");
        assert!(!parts.take("eve"));
        parts.release("eve");
        parts.release("eve");
        assert!(parts.held.is_empty());
    }
}
