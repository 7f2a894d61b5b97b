//! No permit is lost, and no caller waits while one is free.

use crate::gate::{Busy, Gate, GateCapacity, GateMetrics, Permit, Requester, RequesterId, Resource, on_behalf_of};
use futures_util::FutureExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;

type Entering<'g> = Pin<Box<dyn Future<Output = Result<Permit, Busy>> + Send + 'g>>;

fn gate(permits: usize, waiting: usize) -> Gate {
    let capacity = GateCapacity { permits, permits_per_requester: permits, waiting };
    Gate::new(Resource::Hashing, capacity, GateMetrics::default())
}

fn enter(gate: &Gate, account: i64) -> Entering<'_> {
    Box::pin(on_behalf_of(Requester::recognized(RequesterId::Account(account)), gate.enter()))
}

/// Polls a caller once.
fn poll(entering: &mut Entering<'_>) -> Option<Result<Permit, Busy>> {
    entering.now_or_never()
}

#[test]
fn a_permit_that_comes_back_goes_to_the_next_in_turn() {
    let gate = gate(1, 4);
    let mut first = enter(&gate, 1);
    let mut second = enter(&gate, 2);
    let mut third = enter(&gate, 3);
    let permit = poll(&mut first);
    assert!(matches!(permit, Some(Ok(_))));
    assert!(poll(&mut second).is_none() && poll(&mut third).is_none());
    assert_eq!(gate.load(), (2, 1));
    drop(permit);
    let permit = poll(&mut second);
    assert!(matches!(permit, Some(Ok(_))) && poll(&mut third).is_none());
    drop(permit);
    assert!(matches!(poll(&mut third), Some(Ok(_))));
    assert_eq!(gate.load(), (0, 0));
}

#[test]
fn a_caller_that_stops_waiting_leaves_the_queue() {
    let gate = gate(1, 4);
    let permit = poll(&mut enter(&gate, 1));
    let mut dropped = enter(&gate, 2);
    let mut stays = enter(&gate, 3);
    assert!(poll(&mut dropped).is_none() && poll(&mut stays).is_none());
    drop(dropped);
    assert_eq!(gate.load(), (1, 1));
    drop(permit);
    assert!(matches!(poll(&mut stays), Some(Ok(_))));
    assert_eq!(gate.load(), (0, 0));
}

/// The permit is in the channel when its caller disconnects.
#[test]
fn a_permit_whose_caller_disconnected_goes_to_the_next_in_turn() {
    let gate = gate(1, 4);
    let permit = poll(&mut enter(&gate, 1));
    let mut dropped = enter(&gate, 2);
    let mut stays = enter(&gate, 3);
    assert!(poll(&mut dropped).is_none() && poll(&mut stays).is_none());
    drop(permit);
    drop(dropped);
    assert!(matches!(poll(&mut stays), Some(Ok(_))));
    assert_eq!(gate.load(), (0, 0));
}

#[test]
fn a_panic_releases_the_permit() {
    let gate = gate(1, 4);
    let permit = poll(&mut enter(&gate, 1));
    let cut = catch_unwind(AssertUnwindSafe(move || {
        let _permit = permit;
        std::panic::resume_unwind(Box::new("cut")); // without the hook's lines
    }));
    assert!(cut.is_err());
    assert_eq!(gate.load(), (0, 0));
    assert!(matches!(poll(&mut enter(&gate, 2)), Some(Ok(_))));
}

#[test]
fn a_caller_evicted_from_a_full_queue_is_refused_at_once_and_each_refusal_is_counted() {
    let gate = gate(1, 2);
    let _permit = poll(&mut enter(&gate, 1));
    let mut one = enter(&gate, 2);
    let mut other = enter(&gate, 2);
    let mut owner = enter(&gate, 3);
    assert!(poll(&mut one).is_none() && poll(&mut other).is_none());
    assert!(matches!(poll(&mut enter(&gate, 2)), Some(Err(Busy))), "it would only evict its own waiter");
    assert!(poll(&mut owner).is_none());
    assert!(matches!(poll(&mut other), Some(Err(Busy))), "the latest of the requester with more");
    assert!(poll(&mut one).is_none());
    assert_eq!(gate.0.metrics.refused.get(), 2);
    assert_eq!(gate.load(), (2, 1));
}

/// Enters and leaves at once; one caller in three stops waiting.
async fn visit(gate: &Gate, number: i64) {
    let mut entering = enter(gate, number % 7);
    if number % 3 == 0 {
        let _ = poll(&mut entering); // polled once and dropped
        return;
    }
    let permit = entering.await;
    tokio::task::yield_now().await;
    drop(permit);
}

/// Entering, cancelling and leaving race on two threads. A lost wake-up or permit would leave a caller waiting for ever.
#[test]
fn no_caller_waits_for_ever() {
    let gate = gate(2, 1_000);
    let visits = || {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let all = futures_util::future::join_all((0..450).map(|number| visit(&gate, number)));
        runtime.map(|runtime| runtime.block_on(all).len()).unwrap_or_default()
    };
    let done = std::thread::scope(|scope| {
        let threads = [scope.spawn(visits), scope.spawn(visits)];
        threads.map(|thread| thread.join().unwrap_or_default())
    });
    assert_eq!((done, gate.load()), ([450, 450], (0, 0)));
}
