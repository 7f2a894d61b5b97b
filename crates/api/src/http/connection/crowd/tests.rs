use super::{BodySeat, ConnectionMetrics, Crowd, Line, Seat, ShareKey, TrustedProxies, Wait};
use futures_util::FutureExt;
use futures_util::task::noop_waker_ref;
use std::net::IpAddr;
use std::task::Context;
use std::time::Duration;

fn metrics() -> ConnectionMetrics {
    ConnectionMetrics::default()
}

fn crowd(most: usize, hops: usize) -> Crowd {
    Crowd::of_at_most(most, TrustedProxies::Hops(hops), &metrics())
}

fn enter(crowd: &Crowd, peer: &str) -> Seat {
    crowd.enter(peer.parse::<IpAddr>().ok())
}

/// One of a proxy's connections, which waits for its client.
fn waiting(crowd: &Crowd) -> (Seat, Wait) {
    let seat = enter(crowd, "10.0.0.7");
    let wait = seat.wait(Line::Request);
    (seat, wait)
}

fn must_end(seat: &Seat) -> bool {
    seat.poll_end(&Context::from_waker(noop_waker_ref())).is_ready()
}

/// Which of them must end, by their numbers.
fn ending<'a>(seats: impl IntoIterator<Item = &'a Seat>) -> Vec<usize> {
    seats.into_iter().enumerate().filter(|(_, seat)| must_end(seat)).map(|(number, _)| number).collect()
}

#[test]
fn one_peer_has_at_most_an_eighth() {
    let crowd = crowd(64, 0);
    let mut seats: Vec<_> = (0..8).map(|_| enter(&crowd, "203.0.113.9")).collect();
    assert!(seats.iter().all(|seat| !seat.is_refused() && !seat.is_dense()));
    assert!(enter(&crowd, "::ffff:203.0.113.9").is_refused());
    assert!(seats[0].is_dense(), "others of this peer are refused");
    let other = enter(&crowd, "203.0.113.8");
    assert!(!other.is_refused() && !other.is_dense());
    seats.truncate(4);
    assert!(!seats[0].is_dense());
    assert!(!enter(&crowd, "203.0.113.9").is_refused());
}

#[test]
fn the_addresses_of_one_ipv6_network_are_one_peer() {
    let crowd = crowd(16, 0);
    let _seats = ["2001:db8:0:1::1", "2001:db8:0:1::2"].map(|peer| enter(&crowd, peer));
    assert!(enter(&crowd, "2001:db8:0:1:a::3").is_refused());
    assert!(!enter(&crowd, "2001:db8:0:2::3").is_refused());
}

#[test]
fn a_trusted_proxy_has_as_many_as_there_are() {
    let crowd = crowd(16, 1);
    let seats: Vec<_> = (0..16).map(|_| enter(&crowd, "10.0.0.7")).collect();
    assert!(seats.iter().all(|seat| !seat.is_refused()));
    assert!(seats[0].is_dense(), "more than three quarters of all");
}

#[test]
fn past_three_quarters_each_new_one_ends_the_one_that_has_waited_the_longest() {
    let (metrics, proxies) = (metrics(), TrustedProxies::Hops(1));
    let crowd = Crowd::of_at_most(16, proxies, &metrics);
    let mut seats: Vec<_> = (0..12).map(|_| waiting(&crowd)).collect();
    assert!(ending(seats.iter().map(|(seat, _)| seat)).is_empty());
    // The first one waits for something else now.
    seats[0].1 = seats[0].0.wait(Line::Request);
    for told in 1..=3 {
        seats.push(waiting(&crowd));
        assert_eq!(ending(seats.iter().map(|(seat, _)| seat)), (1..=told).collect::<Vec<_>>());
    }
    assert_eq!(metrics.displaced.get(), 3);
    assert_eq!(metrics.refused.get(), 0);
    // Those that have ended have made room.
    seats.drain(1..=3);
    let last = waiting(&crowd);
    assert_eq!(ending(seats.iter().map(|(seat, _)| seat)), [1], "and no more than there are too many");
    drop(last);
}

#[test]
fn who_waits_for_no_client_stays() {
    let crowd = crowd(16, 1);
    let busy: Vec<_> = (0..15).map(|_| enter(&crowd, "10.0.0.7")).collect();
    let waiting = waiting(&crowd);
    assert!(!must_end(&waiting.0), "it is the newest");
    let next = enter(&crowd, "10.0.0.7");
    assert!(must_end(&waiting.0));
    assert!(ending(busy.iter().chain([&next])).is_empty());
}

#[test]
fn where_nobody_waited_as_the_newest_came_room_is_made_later() {
    let crowd = crowd(16, 1);
    let seats: Vec<_> = (0..14).map(|_| enter(&crowd, "10.0.0.7")).collect();
    let _first = seats[5].wait(Line::Request);
    assert!(ending(&seats).is_empty(), "nobody makes room for itself");
    let _others = [seats[9].wait(Line::Answer), seats[2].wait(Line::Request), seats[3].wait(Line::Request)];
    assert_eq!(ending(&seats), [5, 9], "fourteen were two too many");
}

#[test]
fn a_body_on_its_way_is_waited_for_too_and_a_whole_one_is_not() {
    let crowd = crowd(16, 1);
    let seats: Vec<_> = (0..12).map(|_| enter(&crowd, "10.0.0.7")).collect();
    let whole = seats[3].begin_body(ShareKey::Unknown);
    let slow = seats[7].begin_body(ShareKey::Unknown);
    drop(whole);
    let _next = enter(&crowd, "10.0.0.7");
    assert_eq!(ending(&seats), [7]);
    let is_displaced = |slow: &BodySeat| slow.displaced(Duration::ZERO).now_or_never().is_some();
    assert!(slow.as_ref().is_some_and(is_displaced));
}

#[test]
fn one_that_was_told_does_not_make_room_again() {
    let crowd = crowd(16, 1);
    let seats: Vec<_> = (0..12).map(|_| enter(&crowd, "10.0.0.7")).collect();
    let _waits = [seats[0].wait(Line::Answer), seats[0].wait(Line::Request), seats[1].wait(Line::Request)];
    let _first = enter(&crowd, "10.0.0.7");
    assert_eq!(ending(&seats), [0]);
    let _again = seats[0].wait(Line::Request);
    let _second = enter(&crowd, "10.0.0.7");
    assert_eq!(ending(&seats), [0, 1]);
}

#[test]
fn a_wait_that_outlives_its_connection_makes_no_room() {
    let crowd = crowd(16, 1);
    let left = waiting(&crowd);
    let wait = left.1;
    drop(left.0);
    let mut seats: Vec<_> = (0..12).map(|_| waiting(&crowd)).collect();
    seats.push(waiting(&crowd));
    assert_eq!(ending(seats.iter().map(|(seat, _)| seat)), [0]);
    drop(wait);
}

#[test]
fn whoever_takes_an_answer_stays_unless_most_of_them_do() {
    let crowd = crowd(16, 1);
    let seats: Vec<_> = (0..12).map(|_| enter(&crowd, "10.0.0.7")).collect();
    let taking: Vec<_> = (0..5).map(|number| seats[number].wait(Line::Answer)).collect();
    let sending: Vec<_> = (5..12).map(|number| seats[number].wait(Line::Request)).collect();
    let next = [(); 3].map(|()| enter(&crowd, "10.0.0.7"));
    // Seven send and five take; then six, then five; and in doubt it is who sends.
    assert_eq!(ending(&seats), [5, 6, 7]);
    let _last = enter(&crowd, "10.0.0.7");
    assert_eq!(ending(&seats), [0, 5, 6, 7]);
    drop((taking, sending, next));
}

#[test]
fn a_refused_one_makes_nobody_end() {
    let crowd = crowd(16, 0);
    let of_others: Vec<_> = (1..=10).map(|last| enter(&crowd, &format!("198.51.100.{last}"))).collect();
    let waits: Vec<_> = of_others.iter().map(|seat| seat.wait(Line::Request)).collect();
    let of_one = [(); 2].map(|()| enter(&crowd, "203.0.113.9"));
    assert!(enter(&crowd, "203.0.113.9").is_refused());
    let refused = enter(&crowd, "203.0.113.9");
    let _wait = refused.wait(Line::Request);
    assert!(ending(of_others.iter().chain(&of_one)).is_empty());
    let _newcomer = enter(&crowd, "198.51.100.99");
    assert_eq!(ending(&of_others), [0]);
    drop(waits);
}

#[test]
fn the_bodies_of_one_client_have_an_eighth_and_must_hurry_when_more_are_refused() {
    let (crowd, eve, ada) = (crowd(64, 1), ShareKey::Account(1), ShareKey::Account(2));
    let seat = enter(&crowd, "10.0.0.7");
    let mut bodies: Vec<_> = (0..8).filter_map(|_| seat.begin_body(eve)).collect();
    assert_eq!(bodies.len(), 8);
    assert!(!bodies[0].is_pressed());
    assert!(seat.begin_body(eve).is_none());
    assert!(bodies[0].is_pressed());
    let other = seat.begin_body(ada);
    assert!(other.is_some_and(|other| !other.is_pressed()), "the same proxy's, and another client's");
    bodies.truncate(4);
    assert!(!bodies[0].is_pressed());
    assert!(seat.begin_body(eve).is_some());
    let unknown: Vec<_> = (0..64).filter_map(|_| seat.begin_body(ShareKey::Unknown)).collect();
    assert_eq!(unknown.len(), 64, "they are not one client");
}
