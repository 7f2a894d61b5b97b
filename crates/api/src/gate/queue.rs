//! The order in which a gate lets in: class by class, in each class share by share, in each share first come first served.
//! Pure: it waits for nothing and knows no time.

use super::share::{Class, Share, ShareKey};
use std::collections::{HashMap, VecDeque};

/// How much a gate takes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// So many are in at once.
    pub inside: usize,
    /// Of one share.
    pub inside_by_share: usize,
    /// So many wait.
    pub waiting: usize,
}

impl Capacity {
    /// One share never has more than half of what there is.
    #[must_use]
    pub fn of(inside: usize, waiting: usize) -> Self {
        Self { inside, inside_by_share: (inside / 2).max(1), waiting }
    }
}

/// What became of somebody who wanted to wait.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pushed<T> {
    Waits {
        ticket: u64,
        /// Whoever had to make room.
        evicted: Option<T>,
    },
    Refused,
}

#[derive(Debug)]
pub(super) struct FairQueue<T> {
    capacity: Capacity,
    strangers: Line<T>,
    proven: Line<T>,
    /// Whose turn it was last.
    last: Class,
    inside: HashMap<ShareKey, usize>,
    inside_total: usize,
    next_ticket: u64,
}

/// Those of one class.
#[derive(Debug)]
struct Line<T> {
    /// Shares with somebody waiting, the next one first.
    order: VecDeque<ShareKey>,
    waiting: HashMap<ShareKey, VecDeque<(u64, T)>>,
    total: usize,
}

impl<T> FairQueue<T> {
    pub(super) fn new(capacity: Capacity) -> Self {
        let (strangers, proven) = (Line::new(), Line::new());
        let (inside, last) = (HashMap::new(), Class::Stranger);
        Self { capacity, strangers, proven, last, inside, inside_total: 0, next_ticket: 0 }
    }

    /// How many wait, and how many are in.
    pub(super) fn load(&self) -> (usize, usize) {
        (self.strangers.total + self.proven.total, self.inside_total)
    }

    /// Puts somebody into the queue; in a full one whoever's share holds most loses the last of them.
    pub(super) fn push(&mut self, share: Share, waiter: T) -> Pushed<T> {
        let Ok(evicted) = self.make_room(share) else { return Pushed::Refused };
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.line(share.class).push(share.key, (ticket, waiter));
        Pushed::Waits { ticket, evicted }
    }

    /// Takes the next in turn out of the queue and lets them in, if there is room.
    pub(super) fn next(&mut self) -> Option<(ShareKey, T)> {
        if self.inside_total >= self.capacity.inside {
            return None;
        }
        let classes = match self.last {
            Class::Stranger => [Class::Proven, Class::Stranger],
            Class::Proven => [Class::Stranger, Class::Proven],
        };
        classes.into_iter().find_map(|class| self.next_of(class))
    }

    /// Somebody of this share is out again.
    pub(super) fn leave(&mut self, key: ShareKey) {
        self.inside_total -= 1;
        if let Some(inside) = self.inside.get_mut(&key) {
            *inside -= 1;
            if *inside == 0 {
                self.inside.remove(&key);
            }
        }
    }

    /// Takes somebody out who stopped waiting, if they still do.
    pub(super) fn remove(&mut self, share: Share, ticket: u64) -> Option<T> {
        self.line(share.class).remove(share.key, ticket)
    }

    fn line(&mut self, class: Class) -> &mut Line<T> {
        match class {
            Class::Stranger => &mut self.strangers,
            Class::Proven => &mut self.proven,
        }
    }

    fn next_of(&mut self, class: Class) -> Option<(ShareKey, T)> {
        let (inside, most) = (&self.inside, self.capacity.inside_by_share);
        let may_enter = |key: &ShareKey| inside.get(key).is_none_or(|inside| *inside < most);
        let line = match class {
            Class::Stranger => &mut self.strangers,
            Class::Proven => &mut self.proven,
        };
        let (key, waiter) = line.next(may_enter)?;
        self.last = class;
        *self.inside.entry(key).or_default() += 1;
        self.inside_total += 1;
        Some((key, waiter))
    }

    /// A class that has less than its half of the queue takes the room from the other; else its own shares settle it.
    ///
    /// Returns who lost their place, or `Err` when the new one is the one to be refused: to put somebody who has one
    /// place out for somebody who would have one is no gain.
    fn make_room(&mut self, share: Share) -> Result<Option<T>, ()> {
        let (waiting, _) = self.load();
        if waiting < self.capacity.waiting {
            return Ok(None);
        }
        let half = self.capacity.waiting / 2;
        if self.line(share.class).total < half {
            let other = if share.class == Class::Stranger { Class::Proven } else { Class::Stranger };
            return Ok(self.line(other).evict_more_than(0));
        }
        let own = self.line(share.class);
        own.evict_more_than(own.held_by(share.key) + 1).map(Some).ok_or(())
    }
}

impl<T> Line<T> {
    fn new() -> Self {
        Self { order: VecDeque::new(), waiting: HashMap::new(), total: 0 }
    }

    fn held_by(&self, key: ShareKey) -> usize {
        self.waiting.get(&key).map_or(0, VecDeque::len)
    }

    fn push(&mut self, key: ShareKey, waiter: (u64, T)) {
        let own = self.waiting.entry(key).or_default();
        if own.is_empty() {
            self.order.push_back(key);
        }
        own.push_back(waiter);
        self.total += 1;
    }

    fn next(&mut self, may_enter: impl Fn(&ShareKey) -> bool) -> Option<(ShareKey, T)> {
        let index = self.order.iter().position(may_enter)?;
        let key = self.order.remove(index)?;
        let own = self.waiting.get_mut(&key)?;
        let (_, waiter) = own.pop_front()?;
        self.total -= 1;
        if own.is_empty() {
            self.waiting.remove(&key);
        } else {
            self.order.push_back(key);
        }
        Some((key, waiter))
    }

    fn remove(&mut self, key: ShareKey, ticket: u64) -> Option<T> {
        let own = self.waiting.get_mut(&key)?;
        let index = own.iter().position(|(own, _)| *own == ticket)?;
        let (_, waiter) = own.remove(index)?;
        self.removed(key);
        Some(waiter)
    }

    /// The latest of the share that holds most, if it holds more than `least`.
    fn evict_more_than(&mut self, least: usize) -> Option<T> {
        let (key, held) = self.waiting.iter().map(|(key, own)| (*key, own.len())).max_by_key(|(_, held)| *held)?;
        if held <= least {
            return None;
        }
        let (_, waiter) = self.waiting.get_mut(&key)?.pop_back()?;
        self.removed(key);
        Some(waiter)
    }

    fn removed(&mut self, key: ShareKey) {
        self.total -= 1;
        if self.held_by(key) == 0 {
            self.waiting.remove(&key);
            self.order.retain(|other| *other != key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Capacity, FairQueue, Pushed};
    use crate::gate::share::{Share, ShareKey};

    type Queue = FairQueue<&'static str>;

    const fn stranger(number: i64) -> Share {
        Share::stranger(ShareKey::Account(number))
    }

    const fn proven(number: i64) -> Share {
        Share::proven(ShareKey::Account(number))
    }

    fn queue(inside: usize, waiting: usize) -> Queue {
        FairQueue::new(Capacity { inside, inside_by_share: inside, waiting })
    }

    fn waits(queue: &mut Queue, share: Share, name: &'static str) {
        assert!(matches!(queue.push(share, name), Pushed::Waits { evicted: None, .. }), "{name}");
    }

    /// Everybody in the order of their turns, each leaving before the next comes in.
    fn turns(queue: &mut Queue) -> Vec<&'static str> {
        let mut served = Vec::new();
        while let Some((key, name)) = queue.next() {
            served.push(name);
            queue.leave(key);
        }
        served
    }

    #[test]
    fn shares_are_served_in_turn_whoever_came_first() {
        let mut queue = queue(1, 16);
        for name in ["a1", "a2", "a3", "a4"] {
            waits(&mut queue, stranger(1), name);
        }
        waits(&mut queue, stranger(2), "b1");
        waits(&mut queue, stranger(2), "b2");
        waits(&mut queue, stranger(3), "c1");
        assert_eq!(turns(&mut queue), ["a1", "b1", "c1", "a2", "b2", "a3", "a4"]);
    }

    #[test]
    fn each_class_has_every_other_turn_while_both_wait() {
        let mut queue = queue(1, 1_000);
        for number in 0..900 {
            waits(&mut queue, stranger(number), "stranger");
        }
        waits(&mut queue, proven(1), "owner");
        waits(&mut queue, proven(2), "owner");
        assert_eq!(turns(&mut queue)[..5], ["owner", "stranger", "owner", "stranger", "stranger"]);
    }

    #[test]
    fn one_share_never_has_more_than_its_part_inside() {
        let mut queue = FairQueue::new(Capacity::of(4, 16));
        for name in ["a1", "a2", "a3"] {
            waits(&mut queue, stranger(1), name);
        }
        let entered: Vec<_> = std::iter::from_fn(|| queue.next()).map(|(_, name)| name).collect();
        assert_eq!(entered, ["a1", "a2"], "half of four");
        waits(&mut queue, stranger(2), "b1");
        assert_eq!(queue.next().map(|(_, name)| name), Some("b1"), "the share that waits in front stops nobody");
        queue.leave(ShareKey::Account(1));
        assert_eq!(queue.next().map(|(_, name)| name), Some("a3"));
        assert_eq!(queue.load(), (0, 3));
    }

    #[test]
    fn a_full_queue_takes_from_the_share_that_holds_most() {
        let mut queue = queue(1, 4);
        for name in ["a1", "a2", "a3"] {
            waits(&mut queue, stranger(1), name);
        }
        waits(&mut queue, stranger(2), "b1");
        assert_eq!(queue.push(stranger(1), "a4"), Pushed::Refused, "it would only take from itself");
        assert!(matches!(queue.push(stranger(3), "c1"), Pushed::Waits { evicted: Some("a3"), .. }));
        assert_eq!(queue.push(stranger(2), "b2"), Pushed::Refused, "two and two is no gain");
        assert!(matches!(queue.push(stranger(4), "d1"), Pushed::Waits { evicted: Some("a2"), .. }));
        assert_eq!(queue.push(stranger(5), "e1"), Pushed::Refused, "everybody has one");
        assert_eq!(turns(&mut queue), ["a1", "b1", "c1", "d1"]);
    }

    #[test]
    fn a_class_keeps_its_half_of_a_full_queue() {
        let mut queue = queue(1, 4);
        for number in 0..4 {
            waits(&mut queue, stranger(number), "stranger");
        }
        for _ in 0..2 {
            assert!(matches!(queue.push(proven(1), "owner"), Pushed::Waits { evicted: Some("stranger"), .. }));
        }
        assert_eq!(queue.push(stranger(9), "stranger"), Pushed::Refused);
        assert_eq!(queue.push(proven(1), "owner"), Pushed::Refused);
        assert_eq!(queue.load(), (4, 0));
    }

    #[test]
    fn who_stops_waiting_leaves_no_trace() {
        let mut queue = queue(1, 4);
        let Pushed::Waits { ticket, .. } = queue.push(stranger(1), "a1") else { panic!("there is room") };
        waits(&mut queue, stranger(2), "b1");
        assert_eq!(queue.remove(stranger(1), ticket), Some("a1"));
        assert_eq!(queue.remove(stranger(1), ticket), None);
        assert_eq!(turns(&mut queue), ["b1"]);
        assert_eq!(queue.load(), (0, 0));
        assert!(queue.inside.is_empty() && queue.strangers.waiting.is_empty() && queue.strangers.order.is_empty());
    }
}
