//! The order in which a gate admits callers: the classes take turns, and each [`ClassQueue`] orders its class. Pure: it neither
//! waits nor reads the time.

use super::class_queue::ClassQueue;
use super::requester::{Class, Requester, RequesterId};
use std::collections::HashMap;

/// How many callers a gate accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GateCapacity {
    /// Permits in all.
    pub permits: usize,
    /// Permits of one account, and of one client with all its accounts.
    pub permits_per_requester: usize,
    /// Slots in the queue.
    pub waiting: usize,
}

impl GateCapacity {
    /// One requester never has more than half of the permits.
    pub fn of(permits: usize, waiting: usize) -> Self {
        Self { permits, permits_per_requester: (permits / 2).max(1), waiting }
    }
}

/// Whether a caller was queued.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Pushed<T> {
    Waits {
        ticket: u64,
        /// The waiter that had to make room.
        evicted: Option<T>,
    },
    Refused,
}

#[derive(Debug)]
pub(crate) struct FairQueue<T> {
    capacity: GateCapacity,
    anonymous: ClassQueue<T>,
    recognized: ClassQueue<T>,
    /// The class served last.
    last: Class,
    /// How many permits each account and each client holds.
    held: HashMap<RequesterId, usize>,
    held_total: usize,
    next_ticket: u64,
}

impl<T> FairQueue<T> {
    pub(crate) fn new(capacity: GateCapacity) -> Self {
        Self {
            capacity,
            anonymous: ClassQueue::new(),
            recognized: ClassQueue::new(),
            last: Class::Anonymous,
            held: HashMap::new(),
            held_total: 0,
            next_ticket: 0,
        }
    }

    /// How many callers wait, and how many hold a permit.
    pub(crate) fn load(&self) -> (usize, usize) {
        (self.anonymous.total() + self.recognized.total(), self.held_total)
    }

    /// Queues a caller. In a full queue another waiter is evicted or this one is refused; see `make_room`.
    pub(crate) fn push(&mut self, requester: Requester, waiter: T) -> Pushed<T> {
        let Ok(evicted) = self.make_room(requester) else { return Pushed::Refused };
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.class_queue(requester.class).push(requester, (ticket, waiter));
        Pushed::Waits { ticket, evicted }
    }

    /// Removes the next caller from the queue and admits it, if a permit is free.
    pub(crate) fn next(&mut self) -> Option<(Requester, T)> {
        if self.held_total >= self.capacity.permits {
            return None;
        }
        let classes = match self.last {
            Class::Anonymous => [Class::Recognized, Class::Anonymous],
            Class::Recognized => [Class::Anonymous, Class::Recognized],
        };
        classes.into_iter().find_map(|class| self.next_of(class))
    }

    /// Returns a permit of this requester.
    pub(crate) fn leave(&mut self, requester: Requester) {
        self.held_total -= 1;
        for id in requester.ids() {
            if let Some(held) = self.held.get_mut(&id) {
                *held -= 1;
                if *held == 0 {
                    self.held.remove(&id);
                }
            }
        }
    }

    /// Removes a caller that stopped waiting, if it is still queued.
    pub(super) fn remove(&mut self, requester: Requester, ticket: u64) -> Option<T> {
        self.class_queue(requester.class).remove(requester.id, ticket)
    }

    fn class_queue(&mut self, class: Class) -> &mut ClassQueue<T> {
        match class {
            Class::Anonymous => &mut self.anonymous,
            Class::Recognized => &mut self.recognized,
        }
    }

    fn next_of(&mut self, class: Class) -> Option<(Requester, T)> {
        let held = &self.held;
        let most = self.capacity.permits_per_requester;
        let may_enter = |id: RequesterId| held.get(&id).is_none_or(|held| *held < most);
        let queue = match class {
            Class::Anonymous => &mut self.anonymous,
            Class::Recognized => &mut self.recognized,
        };
        let (id, client, waiter) = queue.next(may_enter)?;
        let requester = Requester { class, id, client };
        self.last = class;
        for id in requester.ids() {
            *self.held.entry(id).or_default() += 1;
        }
        self.held_total += 1;
        Some((requester, waiter))
    }

    /// A class with less than its half of the queue takes a slot from the other class; otherwise a requester of the same class
    /// loses one.
    ///
    /// Returns the evicted waiter, or `Err` when the new caller is refused: evicting a requester's only waiter for another
    /// requester's first one gains nothing.
    fn make_room(&mut self, requester: Requester) -> Result<Option<T>, ()> {
        let (waiting, _) = self.load();
        if waiting < self.capacity.waiting {
            return Ok(None);
        }
        let half = self.capacity.waiting / 2;
        if self.class_queue(requester.class).total() < half {
            let other = if requester.class == Class::Anonymous { Class::Recognized } else { Class::Anonymous };
            return Ok(self.class_queue(other).evict());
        }
        self.class_queue(requester.class).evict_for(requester).map(Some).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::{FairQueue, GateCapacity, Pushed};
    use crate::gate::requester::Requester;
    use crate::gate::requester::fixtures::{account, client};

    type Queue = FairQueue<&'static str>;

    const fn anonymous(number: u32) -> Requester {
        Requester::anonymous(client(number))
    }

    const fn recognized(number: i64) -> Requester {
        Requester::recognized(account(number))
    }

    /// One of several accounts that are used from one machine.
    fn of_machine(account: i64, machine: u32) -> Requester {
        recognized(account).with_client(client(machine))
    }

    fn queue(permits: usize, waiting: usize) -> Queue {
        FairQueue::new(GateCapacity { permits, permits_per_requester: permits, waiting })
    }

    fn waits(queue: &mut Queue, requester: Requester, name: &'static str) {
        assert!(matches!(queue.push(requester, name), Pushed::Waits { evicted: None, .. }), "{name}");
    }

    /// All waiters in the order of their turns, each leaving before the next enters.
    fn turns(queue: &mut Queue) -> Vec<&'static str> {
        let mut served = Vec::new();
        while let Some((requester, name)) = queue.next() {
            served.push(name);
            queue.leave(requester);
        }
        served
    }

    #[test]
    fn requesters_are_served_in_turn_in_any_order_of_arrival() {
        let mut queue = queue(1, 16);
        for name in ["a1", "a2", "a3", "a4"] {
            waits(&mut queue, anonymous(1), name);
        }
        waits(&mut queue, anonymous(2), "b1");
        waits(&mut queue, anonymous(2), "b2");
        waits(&mut queue, anonymous(3), "c1");
        assert_eq!(turns(&mut queue), ["a1", "b1", "c1", "a2", "b2", "a3", "a4"]);
    }

    #[test]
    fn each_class_has_every_other_turn_while_both_wait() {
        let mut queue = queue(1, 1_000);
        for number in 0..900 {
            waits(&mut queue, anonymous(number), "anonymous");
        }
        waits(&mut queue, recognized(1), "owner");
        waits(&mut queue, recognized(2), "owner");
        assert_eq!(turns(&mut queue)[..5], ["owner", "anonymous", "owner", "anonymous", "anonymous"]);
    }

    #[test]
    fn one_requester_never_has_more_than_half_of_the_permits() {
        let mut queue = FairQueue::new(GateCapacity::of(4, 16));
        for name in ["a1", "a2", "a3"] {
            waits(&mut queue, anonymous(1), name);
        }
        let entered: Vec<_> = std::iter::from_fn(|| queue.next()).map(|(_, name)| name).collect();
        assert_eq!(entered, ["a1", "a2"], "half of four");
        waits(&mut queue, anonymous(2), "b1");
        assert_eq!(
            queue.next().map(|(_, name)| name),
            Some("b1"),
            "the requester at the front does not block the others"
        );
        queue.leave(anonymous(1));
        assert_eq!(queue.next().map(|(_, name)| name), Some("a3"));
        assert_eq!(queue.load(), (0, 3));
    }

    #[test]
    fn all_accounts_of_one_client_share_its_turns() {
        let mut queue = queue(1, 1_000);
        for number in 0..300 {
            waits(&mut queue, of_machine(number, 1), if number < 3 { "first" } else { "other" });
        }
        waits(&mut queue, of_machine(0, 1), "again");
        waits(&mut queue, of_machine(900, 2), "owner");
        waits(&mut queue, of_machine(901, 2), "owner");
        let served = turns(&mut queue);
        assert_eq!(served[..5], ["first", "owner", "first", "owner", "first"]);
        assert_eq!(served[302], "again", "after one turn of each of its accounts");
    }

    #[test]
    fn one_account_has_one_turn_from_any_number_of_addresses() {
        let mut queue = queue(1, 1_000);
        for machine in 0..300 {
            waits(&mut queue, of_machine(1, machine), "shared token");
        }
        waits(&mut queue, of_machine(2, 999), "owner");
        assert_eq!(turns(&mut queue)[..3], ["shared token", "owner", "shared token"]);
    }

    #[test]
    fn all_accounts_of_one_client_share_half_of_the_permits_with_anonymous_requests_from_its_address() {
        let mut queue = FairQueue::new(GateCapacity::of(4, 16));
        for (requester, name) in [(of_machine(1, 1), "a"), (of_machine(2, 1), "b"), (of_machine(3, 1), "c")] {
            waits(&mut queue, requester, name);
        }
        waits(&mut queue, anonymous(1), "d");
        let entered: Vec<_> = std::iter::from_fn(|| queue.next()).map(|(_, name)| name).collect();
        assert_eq!(entered.len(), 2, "half of four: {entered:?}");
        waits(&mut queue, of_machine(4, 2), "e");
        assert_eq!(queue.next().map(|(_, name)| name), Some("e"));
        assert_eq!(turns(&mut queue), [""; 0], "all of the others wait for a permit of the machine");
    }

    #[test]
    fn one_account_has_half_of_the_permits_from_any_number_of_addresses() {
        let mut queue = FairQueue::new(GateCapacity::of(4, 16));
        let mut entered = Vec::new();
        for machine in 0..4 {
            waits(&mut queue, of_machine(1, machine), "shared token");
            entered.extend(queue.next());
        }
        assert_eq!(entered.len(), 2, "half of four");
        queue.leave(entered[0].0);
        assert!(queue.next().is_some() && queue.next().is_none());
    }

    #[test]
    fn a_caller_that_stops_waiting_passes_the_turn_to_another_account_of_its_client() {
        let mut queue = queue(1, 4);
        let Pushed::Waits { ticket, .. } = queue.push(of_machine(1, 1), "a1") else { panic!("there is room") };
        waits(&mut queue, of_machine(2, 1), "b1");
        assert_eq!(queue.remove(of_machine(1, 1), ticket), Some("a1"));
        assert_eq!(turns(&mut queue), ["b1"]);
    }

    #[test]
    fn a_full_queue_evicts_from_the_largest_account_of_the_client_with_the_most_waiters() {
        let mut queue = queue(1, 6);
        for (account, name) in [(1, "a"), (2, "b"), (3, "c"), (3, "c2"), (3, "c3")] {
            waits(&mut queue, of_machine(account, 1), name);
        }
        waits(&mut queue, of_machine(9, 2), "owner");
        assert!(matches!(queue.push(of_machine(10, 3), "d"), Pushed::Waits { evicted: Some("c3"), .. }));
        assert_eq!(queue.push(of_machine(3, 1), "c4"), Pushed::Refused, "it would only evict its own waiter");
        assert!(matches!(queue.push(of_machine(4, 1), "e"), Pushed::Waits { evicted: Some("c2"), .. }));
        assert_eq!(
            queue.push(of_machine(5, 1), "f"),
            Pushed::Refused,
            "evicting an account's only waiter gains nothing"
        );
        assert!(matches!(
            queue.push(of_machine(9, 2), "owner2"),
            Pushed::Waits { evicted: Some("a" | "b" | "c" | "e"), .. }
        ));
        assert_eq!(queue.load(), (6, 0));
    }

    #[test]
    fn an_account_in_a_busy_office_is_not_evicted_by_its_neighbour() {
        let mut queue = queue(1, 4);
        for name in ["a1", "a2", "a3", "a4"] {
            waits(&mut queue, of_machine(1, 1), name);
        }
        assert!(matches!(queue.push(of_machine(2, 1), "b1"), Pushed::Waits { evicted: Some("a4"), .. }));
    }

    #[test]
    fn a_full_queue_evicts_from_the_requester_with_the_most_waiters() {
        let mut queue = queue(1, 4);
        for name in ["a1", "a2", "a3"] {
            waits(&mut queue, anonymous(1), name);
        }
        waits(&mut queue, anonymous(2), "b1");
        assert_eq!(queue.push(anonymous(1), "a4"), Pushed::Refused, "it would only evict its own waiter");
        assert!(matches!(queue.push(anonymous(3), "c1"), Pushed::Waits { evicted: Some("a3"), .. }));
        assert_eq!(queue.push(anonymous(2), "b2"), Pushed::Refused, "two for two gains nothing");
        assert!(matches!(queue.push(anonymous(4), "d1"), Pushed::Waits { evicted: Some("a2"), .. }));
        assert_eq!(queue.push(anonymous(5), "e1"), Pushed::Refused, "every requester has one");
        assert_eq!(turns(&mut queue), ["a1", "b1", "c1", "d1"]);
    }

    #[test]
    fn a_class_keeps_its_half_of_a_full_queue() {
        let mut queue = queue(1, 4);
        for number in 0..4 {
            waits(&mut queue, anonymous(number), "anonymous");
        }
        for _ in 0..2 {
            assert!(matches!(queue.push(recognized(1), "owner"), Pushed::Waits { evicted: Some("anonymous"), .. }));
        }
        assert_eq!(queue.push(anonymous(9), "anonymous"), Pushed::Refused);
        assert_eq!(queue.push(recognized(1), "owner"), Pushed::Refused);
        assert_eq!(queue.load(), (4, 0));
    }

    #[test]
    fn a_caller_that_stops_waiting_leaves_no_trace() {
        let mut queue = queue(1, 4);
        let Pushed::Waits { ticket, .. } = queue.push(anonymous(1), "a1") else { panic!("there is room") };
        waits(&mut queue, anonymous(2), "b1");
        assert_eq!(queue.remove(anonymous(1), ticket), Some("a1"));
        assert_eq!(queue.remove(anonymous(1), ticket), None);
        assert_eq!(turns(&mut queue), ["b1"]);
        assert_eq!(queue.load(), (0, 0));
        assert!(queue.held.is_empty() && queue.anonymous.is_empty());
    }
}
