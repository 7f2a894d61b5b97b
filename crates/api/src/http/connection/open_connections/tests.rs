use super::{
    BodySlot, ClientWait, ConnectionMetrics, ConnectionSlot, OpenConnections, RequesterId, TrustedProxies, WaitKind,
};
use futures_util::FutureExt;
use futures_util::task::noop_waker_ref;
use std::net::IpAddr;
use std::task::Context;
use std::time::Duration;

fn metrics() -> ConnectionMetrics {
    ConnectionMetrics::default()
}

fn connections(most: usize, hops: usize) -> OpenConnections {
    OpenConnections::of_at_most(most, TrustedProxies::Hops(hops), &metrics())
}

fn enter(connections: &OpenConnections, peer: &str) -> ConnectionSlot {
    connections.enter(peer.parse::<IpAddr>().ok())
}

/// A connection through a proxy, waiting for its client.
fn waiting(connections: &OpenConnections) -> (ConnectionSlot, ClientWait) {
    let slot = enter(connections, "10.0.0.7");
    let wait = slot.wait(WaitKind::Request);
    (slot, wait)
}

fn must_end(slot: &ConnectionSlot) -> bool {
    slot.poll_end(&Context::from_waker(noop_waker_ref())).is_ready()
}

/// The indices of those that must end.
fn ending<'a>(slots: impl IntoIterator<Item = &'a ConnectionSlot>) -> Vec<usize> {
    slots.into_iter().enumerate().filter(|(_, slot)| must_end(slot)).map(|(number, _)| number).collect()
}

#[test]
fn one_peer_has_at_most_an_eighth() {
    let connections = connections(64, 0);
    let mut slots: Vec<_> = (0..8).map(|_| enter(&connections, "203.0.113.9")).collect();
    assert!(slots.iter().all(|slot| !slot.is_refused() && !slot.connections_are_scarce()));
    assert!(enter(&connections, "::ffff:203.0.113.9").is_refused());
    assert!(slots[0].connections_are_scarce(), "further connections of this peer are refused");
    let other = enter(&connections, "203.0.113.8");
    assert!(!other.is_refused() && !other.connections_are_scarce());
    slots.truncate(4);
    assert!(!slots[0].connections_are_scarce());
    assert!(!enter(&connections, "203.0.113.9").is_refused());
}

#[test]
fn the_addresses_of_one_ipv6_network_are_one_peer() {
    let connections = connections(16, 0);
    let _slots = ["2001:db8:0:1::1", "2001:db8:0:1::2"].map(|peer| enter(&connections, peer));
    assert!(enter(&connections, "2001:db8:0:1:a::3").is_refused());
    assert!(!enter(&connections, "2001:db8:0:2::3").is_refused());
}

#[test]
fn a_trusted_proxy_may_use_every_connection() {
    let connections = connections(16, 1);
    let slots: Vec<_> = (0..16).map(|_| enter(&connections, "10.0.0.7")).collect();
    assert!(slots.iter().all(|slot| !slot.is_refused()));
    assert!(slots[0].connections_are_scarce(), "more than three quarters of all");
}

#[test]
fn past_three_quarters_each_new_connection_displaces_the_one_that_has_waited_the_longest() {
    let metrics = metrics();
    let proxies = TrustedProxies::Hops(1);
    let connections = OpenConnections::of_at_most(16, proxies, &metrics);
    let mut slots: Vec<_> = (0..12).map(|_| waiting(&connections)).collect();
    assert!(ending(slots.iter().map(|(slot, _)| slot)).is_empty());
    // The first connection begins another wait.
    slots[0].1 = slots[0].0.wait(WaitKind::Request);
    for signalled in 1..=3 {
        slots.push(waiting(&connections));
        assert_eq!(ending(slots.iter().map(|(slot, _)| slot)), (1..=signalled).collect::<Vec<_>>());
    }
    assert_eq!(metrics.displaced.get(), 3);
    assert_eq!(metrics.refused.get(), 0);
    // Those that have ended have made room.
    slots.drain(1..=3);
    let last = waiting(&connections);
    assert_eq!(ending(slots.iter().map(|(slot, _)| slot)), [1], "no more than the excess");
    drop(last);
}

#[test]
fn a_connection_that_does_not_wait_for_its_client_is_not_displaced() {
    let connections = connections(16, 1);
    let busy: Vec<_> = (0..15).map(|_| enter(&connections, "10.0.0.7")).collect();
    let waiting = waiting(&connections);
    assert!(!must_end(&waiting.0), "it is the newest");
    let next = enter(&connections, "10.0.0.7");
    assert!(must_end(&waiting.0));
    assert!(ending(busy.iter().chain([&next])).is_empty());
}

#[test]
fn when_no_connection_waits_room_is_made_at_the_next_wait() {
    let connections = connections(16, 1);
    let slots: Vec<_> = (0..14).map(|_| enter(&connections, "10.0.0.7")).collect();
    let _first = slots[5].wait(WaitKind::Request);
    assert!(ending(&slots).is_empty(), "a connection does not make room for itself");
    let _others =
        [slots[9].wait(WaitKind::Response), slots[2].wait(WaitKind::Request), slots[3].wait(WaitKind::Request)];
    assert_eq!(ending(&slots), [5, 9], "fourteen were two too many");
}

#[test]
fn an_unfinished_body_counts_as_a_wait_and_a_finished_one_does_not() {
    let connections = connections(16, 1);
    let slots: Vec<_> = (0..12).map(|_| enter(&connections, "10.0.0.7")).collect();
    let whole = slots[3].begin_body(RequesterId::UnknownClient);
    let slow = slots[7].begin_body(RequesterId::UnknownClient);
    drop(whole);
    let _next = enter(&connections, "10.0.0.7");
    assert_eq!(ending(&slots), [7]);
    let is_displaced = |slow: &BodySlot| slow.displaced(Duration::ZERO).now_or_never().is_some();
    assert!(slow.as_ref().is_some_and(is_displaced));
}

#[test]
fn a_connection_that_was_signalled_does_not_make_room_again() {
    let connections = connections(16, 1);
    let slots: Vec<_> = (0..12).map(|_| enter(&connections, "10.0.0.7")).collect();
    let _waits =
        [slots[0].wait(WaitKind::Response), slots[0].wait(WaitKind::Request), slots[1].wait(WaitKind::Request)];
    let _first = enter(&connections, "10.0.0.7");
    assert_eq!(ending(&slots), [0]);
    let _again = slots[0].wait(WaitKind::Request);
    let _second = enter(&connections, "10.0.0.7");
    assert_eq!(ending(&slots), [0, 1]);
}

#[test]
fn a_wait_that_outlives_its_connection_makes_no_room() {
    let connections = connections(16, 1);
    let left = waiting(&connections);
    let wait = left.1;
    drop(left.0);
    let mut slots: Vec<_> = (0..12).map(|_| waiting(&connections)).collect();
    slots.push(waiting(&connections));
    assert_eq!(ending(slots.iter().map(|(slot, _)| slot)), [0]);
    drop(wait);
}

#[test]
fn a_client_that_reads_a_response_is_not_displaced_unless_most_do() {
    let connections = connections(16, 1);
    let slots: Vec<_> = (0..12).map(|_| enter(&connections, "10.0.0.7")).collect();
    let taking: Vec<_> = (0..5).map(|number| slots[number].wait(WaitKind::Response)).collect();
    let sending: Vec<_> = (5..12).map(|number| slots[number].wait(WaitKind::Request)).collect();
    let next = [(); 3].map(|()| enter(&connections, "10.0.0.7"));
    // Seven send and five read; then six send, then five; on a tie a sender is displaced.
    assert_eq!(ending(&slots), [5, 6, 7]);
    let _last = enter(&connections, "10.0.0.7");
    assert_eq!(ending(&slots), [0, 5, 6, 7]);
    drop((taking, sending, next));
}

#[test]
fn a_refused_connection_displaces_none() {
    let connections = connections(16, 0);
    let of_others: Vec<_> = (1..=10).map(|last| enter(&connections, &format!("198.51.100.{last}"))).collect();
    let waits: Vec<_> = of_others.iter().map(|slot| slot.wait(WaitKind::Request)).collect();
    let of_one = [(); 2].map(|()| enter(&connections, "203.0.113.9"));
    assert!(enter(&connections, "203.0.113.9").is_refused());
    let refused = enter(&connections, "203.0.113.9");
    let _wait = refused.wait(WaitKind::Request);
    assert!(ending(of_others.iter().chain(&of_one)).is_empty());
    let _newcomer = enter(&connections, "198.51.100.99");
    assert_eq!(ending(&of_others), [0]);
    drop(waits);
}

#[test]
fn the_bodies_of_one_client_have_an_eighth_and_less_time_when_more_are_refused() {
    let connections = connections(64, 1);
    let eve = RequesterId::Account(1);
    let ada = RequesterId::Account(2);
    let slot = enter(&connections, "10.0.0.7");
    let mut bodies: Vec<_> = (0..8).filter_map(|_| slot.begin_body(eve)).collect();
    assert_eq!(bodies.len(), 8);
    assert!(!bodies[0].must_make_room());
    assert!(slot.begin_body(eve).is_none());
    assert!(bodies[0].must_make_room());
    let other = slot.begin_body(ada);
    assert!(other.is_some_and(|other| !other.must_make_room()), "through the same proxy, of another client");
    bodies.truncate(4);
    assert!(!bodies[0].must_make_room());
    assert!(slot.begin_body(eve).is_some());
    let unknown: Vec<_> = (0..64).filter_map(|_| slot.begin_body(RequesterId::UnknownClient)).collect();
    assert_eq!(unknown.len(), 64, "unknown clients are not one client");
}
