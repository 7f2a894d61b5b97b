//! The numbers of events as their owners see them.
//!
//! A row's id counts the events of all accounts. A user who saw it could fail to sign in with another address between two
//! events of their own: the second id would show whether that address has an account. So each id is replaced by another
//! number, in an order that only the holder of the key knows, by a Feistel network of four rounds.

use crate::config::Settings;
use crate::service::derived_key;
use aws_lc_rs::hmac;

/// Bits of each half. JavaScript numbers are exact up to 53 bits.
const BITS: u32 = 26;
const MASK: i64 = (1 << BITS) - 1;
const ROUNDS: [u8; 4] = [0, 1, 2, 3];

#[derive(Debug, Clone)]
pub(in crate::service) struct EventNumbers {
    key: hmac::Key,
}

impl EventNumbers {
    pub(in crate::service) fn of(settings: &Settings) -> Self {
        Self { key: derived_key(&settings.keys.secret_key, b"latchkey numbers of events") }
    }

    /// The number shown for the row `id`.
    pub(in crate::service) fn shown(&self, id: i64) -> i64 {
        let halves = (id >> BITS & MASK, id & MASK);
        let (left, right) = ROUNDS.iter().fold(halves, |(l, r), round| (r, l ^ self.mix(*round, r)));
        left << BITS | right
    }

    /// The id of the row whose number is `shown`.
    pub(in crate::service) fn stored(&self, shown: i64) -> i64 {
        let halves = (shown >> BITS & MASK, shown & MASK);
        let (left, right) = ROUNDS.iter().rev().fold(halves, |(l, r), round| (r ^ self.mix(*round, l), l));
        left << BITS | right
    }

    fn mix(&self, round: u8, half: i64) -> i64 {
        let mut input = vec![round];
        input.extend_from_slice(&half.to_be_bytes());
        let tag = hmac::sign(&self.key, &input);
        tag.as_ref().iter().take(4).fold(0, |number, byte| number << 8 | i64::from(*byte)) & MASK
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::{BITS, EventNumbers, hmac};
    use std::collections::HashSet;

    pub(in crate::service) fn numbers() -> EventNumbers {
        EventNumbers { key: hmac::Key::new(hmac::HMAC_SHA256, b"key") }
    }

    #[test]
    fn each_row_has_a_unique_number_that_maps_back_to_it() {
        let numbers = numbers();
        let most = (1_i64 << (2 * BITS)) - 1;
        let rows: Vec<_> = (0..1_000).chain([most / 2, most]).collect();
        let shown: HashSet<_> = rows.iter().map(|row| numbers.shown(*row)).collect();
        assert_eq!(shown.len(), rows.len());
        assert!(shown.iter().all(|number| (0..=most).contains(number)));
        assert!(rows.iter().all(|row| numbers.stored(numbers.shown(*row)) == *row));
    }

    #[test]
    fn numbers_of_neighbours_are_far_apart() {
        let numbers = numbers();
        let near = (0..1_000).filter(|row| (numbers.shown(row + 1) - numbers.shown(*row)).abs() < 1_000_000).count();
        assert!(near < 5, "{near}");
    }
}
