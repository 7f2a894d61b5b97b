//! Memory that requests reserve while their bodies arrive: bounded in all, for each class and for each requester.
//!
//! No request waits here: a body that does not fit is refused, and the client sends it again.

use super::rejections::Rejections;
use super::requester::{Class, Requester, RequesterId, current_requester};
use super::resource::Busy;
use crate::metrics::Metrics;
use parking_lot::Mutex;
use prometheus_client::metrics::counter::Counter;
use std::collections::HashMap;
use std::sync::Arc;

/// In all.
const BODIES_BYTES: usize = 64 * 1024 * 1024;
/// One account, and one client with all its accounts, has at most this fraction.
const REQUESTER_FRACTION: usize = 8;
/// The first bytes of a body are not counted: the requests of honest clients are smaller than this, and one for each
/// connection takes little memory.
const FREE_BYTES: usize = 4 * 1024;

/// The memory; clones share it.
#[derive(Debug, Clone)]
pub struct BodyMemory(Arc<MemoryInner>);

#[derive(Debug)]
struct MemoryInner {
    bytes: usize,
    held: Mutex<HeldBytes>,
    rejections: Rejections,
}

#[derive(Debug, Default)]
struct HeldBytes {
    anonymous: usize,
    recognized: usize,
    by_requester: HashMap<RequesterId, usize>,
}

/// The memory of one body, until it is dropped.
#[derive(Debug)]
pub struct MemoryReservation {
    memory: BodyMemory,
    requester: Requester,
    bytes: usize,
    counted: usize,
}

impl BodyMemory {
    pub fn for_bodies(metrics: &Metrics) -> Self {
        let refused = Counter::default();
        metrics.register("bodies_refused", "Bodies beyond their client's share", refused.clone());
        Self::of(BODIES_BYTES, refused)
    }

    fn of(bytes: usize, refused: Counter) -> Self {
        Self(Arc::new(MemoryInner { bytes, held: Mutex::default(), rejections: Rejections::of("bodies", refused) }))
    }

    /// Counts and logs a body that is rejected.
    #[must_use = "the client gets it as a 503"]
    pub fn record_rejection(&self) -> Busy {
        self.0.rejections.record();
        Busy
    }

    /// An empty reservation, counted for the requester that this task serves.
    pub fn reserve(&self) -> MemoryReservation {
        MemoryReservation { memory: self.clone(), requester: current_requester(), bytes: 0, counted: 0 }
    }
}

impl MemoryReservation {
    /// Reserves memory for `more` bytes.
    pub fn grow(&mut self, more: usize) -> Result<(), Busy> {
        self.bytes += more;
        let needed = self.bytes.saturating_sub(FREE_BYTES) - self.counted;
        if needed == 0 {
            return Ok(());
        }
        let inner = &self.memory.0;
        let mut held = inner.held.lock();
        let of_requester = |id| held.by_requester.get(&id).copied().unwrap_or_default();
        let fits = self.requester.ids().all(|id| of_requester(id) + needed <= inner.bytes / REQUESTER_FRACTION);
        if !fits || *held.of(self.requester.class) + needed > inner.bytes / 2 {
            drop(held);
            return Err(self.memory.record_rejection());
        }
        *held.of(self.requester.class) += needed;
        for id in self.requester.ids() {
            *held.by_requester.entry(id).or_default() += needed;
        }
        self.counted += needed;
        Ok(())
    }
}

impl HeldBytes {
    fn of(&mut self, class: Class) -> &mut usize {
        match class {
            Class::Anonymous => &mut self.anonymous,
            Class::Recognized => &mut self.recognized,
        }
    }
}

impl Drop for MemoryReservation {
    fn drop(&mut self) {
        if self.counted == 0 {
            return;
        }
        let mut held = self.memory.0.held.lock();
        *held.of(self.requester.class) -= self.counted;
        for id in self.requester.ids() {
            if let Some(of_requester) = held.by_requester.get_mut(&id) {
                *of_requester -= self.counted;
                if *of_requester == 0 {
                    held.by_requester.remove(&id);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BodyMemory, Busy, FREE_BYTES, MemoryReservation};
    use crate::gate::requester::Requester;
    use crate::gate::requester::fixtures::{account, client};

    fn reserve(memory: &BodyMemory, requester: Requester) -> MemoryReservation {
        let mut reservation = memory.reserve();
        reservation.requester = requester;
        reservation
    }

    #[test]
    fn a_requester_has_its_fraction_a_class_its_half_and_dropped_memory_is_free_again() {
        let memory = BodyMemory::of(1_600_000, super::Counter::default());
        let anonymous = |number| Requester::anonymous(client(number));
        let fill = |requester| {
            let mut reservation = reserve(&memory, requester);
            reservation.grow(FREE_BYTES + 200_000).map(|()| reservation)
        };
        let mut held: Vec<_> = (0..4).filter_map(|number| fill(anonymous(number)).ok()).collect();
        assert_eq!(held.len(), 4);
        assert_eq!(reserve(&memory, anonymous(0)).grow(FREE_BYTES + 1), Err(Busy), "its fraction is used up");
        assert_eq!(reserve(&memory, anonymous(9)).grow(FREE_BYTES + 1), Err(Busy), "the anonymous half is full");
        assert_eq!(reserve(&memory, anonymous(9)).grow(FREE_BYTES), Ok(()), "a small body always fits");
        assert!(fill(Requester::recognized(account(9))).is_ok());
        held.pop();
        assert!(fill(anonymous(9)).is_ok());
    }

    #[test]
    fn the_accounts_of_one_client_share_one_fraction() {
        let memory = BodyMemory::of(1_600_000, super::Counter::default());
        let of_machine = |number, machine| Requester::recognized(account(number)).with_client(client(machine));
        let fill = |requester| {
            let mut reservation = reserve(&memory, requester);
            reservation.grow(FREE_BYTES + 150_000).map(|()| reservation)
        };
        let held = fill(of_machine(1, 1));
        assert!(held.is_ok());
        assert!(fill(of_machine(2, 1)).is_err(), "another account of this machine");
        assert!(fill(of_machine(1, 2)).is_err(), "the same account from elsewhere");
        assert!(fill(of_machine(2, 2)).is_ok());
        drop(held);
        assert!(fill(of_machine(2, 1)).is_ok());
    }
}
