//! Two people use one browser in turn, in several tabs, against the real API: refreshes are slow, requests and responses get
//! lost, and the person changes at any moment. The tabs decide by the client's own code (`client::policy`); with cookies, the
//! cookies are the API's own.
//!
//! In every history:
//! - a repeated change of the password whose response was lost returns the session of the first attempt;
//! - a page's request is sent with the tokens of the person who asked for it, or not at all;
//! - the API serves it as that person, whichever cookie the browser adds;
//! - the storage contains the session of the person who signed in last and has not signed out: no late response deletes or
//!   replaces it, except that a write that was decided before the sign-out may sign the next person out;
//! - a tab never shows a session again that it has ended, or whose end it has received, whatever another tab writes late;
//! - with Web Locks, no late response deletes the next person's cookie.

mod late;
mod progress;
mod requests;
mod task;
mod web_lock;
mod world;

use crate::support::Database;
use auth_types::responses::TokenTransport;
use late::LateWrite;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, FileFailurePersistence, TestRunner};
use task::{Loss, PageAction};
use world::{Checked, World};

/// The number of histories per test, and of sequences of steps in each.
const HISTORIES: u32 = 48;
const SEQUENCES: std::ops::Range<usize> = 4..20;

const TABS: std::ops::Range<usize> = 0..world::TABS;
const PEOPLE: std::ops::Range<usize> = 0..world::PEOPLE.len();
/// Tasks in progress, counted from the newest.
const TASKS: std::ops::Range<usize> = 0..6;
/// Long enough that the next use refreshes.
const DUE: Step = Step::Wait { seconds: 57 };

/// One step of a history.
#[derive(Debug, Clone)]
enum Step {
    Wait {
        seconds: i64,
    },
    /// The person in front of the tab does something on the page that it shows.
    Act {
        tab: usize,
        action: PageAction,
    },
    SignIn {
        tab: usize,
        person: usize,
    },
    SignOut {
        tab: usize,
    },
    /// A task proceeds to its next wait.
    Advance {
        task: usize,
    },
    /// A task proceeds as far as it can.
    Finish {
        task: usize,
    },
    /// The response that a task waits for is lost.
    Lose {
        task: usize,
        loss: Loss,
    },
    /// A task has waited too long for the lock, and proceeds without it.
    SkipLock {
        task: usize,
    },
    StorageEvent {
        tab: usize,
    },
    Crash {
        tab: usize,
    },
    /// A write lands after the session's end; see [`late`].
    WriteLate(LateWrite),
}

fn step() -> impl Strategy<Value = Step> {
    let action = || select(&task::ACTIONS);
    let seconds = prop_oneof![4 => 0..10_i64, 4 => 40..90_i64, 1 => 3_000..5_000_i64];
    prop_oneof![
        3 => seconds.prop_map(|seconds| Step::Wait { seconds }),
        6 => (TABS, action()).prop_map(|(tab, action)| Step::Act { tab, action }),
        4 => (TABS, PEOPLE).prop_map(|(tab, person)| Step::SignIn { tab, person }),
        3 => TABS.prop_map(|tab| Step::SignOut { tab }),
        12 => TASKS.prop_map(|task| Step::Advance { task }),
        6 => TASKS.prop_map(|task| Step::Finish { task }),
        2 => (TASKS, select(&task::LOSSES)).prop_map(|(task, loss)| Step::Lose { task, loss }),
        1 => TASKS.prop_map(|task| Step::SkipLock { task }),
        3 => TABS.prop_map(|tab| Step::StorageEvent { tab }),
        1 => TABS.prop_map(|tab| Step::Crash { tab }),
    ]
}

/// One person starts an action and signs out while it is in progress, and then another person signs in.
fn change_of_person() -> impl Strategy<Value = Vec<Step>> {
    (TABS, TABS, select(&task::ACTIONS), 0..6_usize, PEOPLE, any::<bool>()).prop_map(
        |(tab, other, action, progress, person, due)| {
            let start = due.then_some(DUE).into_iter().chain([Step::Act { tab, action }]);
            let in_progress = (0..progress).map(|count| Step::Advance { task: count % 2 });
            let change = [Step::SignOut { tab: other }, Step::SignIn { tab: other, person }];
            let rest = [0, 0, 1, 2, 1, 2, 3].map(|task| Step::Finish { task });
            start.chain(in_progress).chain(change).chain(rest).chain([Step::StorageEvent { tab }]).collect()
        },
    )
}

/// Two people sign in at the same time, in two tabs. Of the response to the first, perhaps only the cookies arrive, after those
/// of the second person, who continues.
fn racing_sign_ins() -> impl Strategy<Value = Vec<Step>> {
    (TABS, TABS, PEOPLE, 1..4_usize, any::<bool>()).prop_map(|(tab, other, person, progress, lost)| {
        let out = [Step::SignOut { tab }, Step::Finish { task: 0 }, Step::StorageEvent { tab: other }];
        let first = std::iter::once(Step::SignIn { tab, person });
        let in_progress = std::iter::repeat_n(Step::Advance { task: 0 }, progress);
        let second = [Step::SignIn { tab: other, person: 1 - person }, Step::Finish { task: 0 }];
        let continuation =
            [Step::Lose { task: 0, loss: Loss::Body }, DUE, Step::Act { tab: other, action: PageAction::Read }];
        let continuation = continuation.into_iter().filter(|_| lost);
        let rest = [0, 0, 1].map(|task| Step::Finish { task });
        out.into_iter().chain(first).chain(in_progress).chain(second).chain(continuation).chain(rest).collect()
    })
}

fn late_write() -> impl Strategy<Value = Vec<Step>> {
    (TABS, 1..world::TABS, prop::option::of(PEOPLE), TABS)
        .prop_map(|(writer, distance, person, first)| LateWrite { writer, distance, person, first })
        .prop_map(|late| vec![Step::WriteLate(late)])
}

fn history() -> impl Strategy<Value = (bool, Vec<Step>)> {
    let any = step().prop_map(|step| vec![step]);
    let sequence = prop_oneof![30 => any, 10 => change_of_person(), 5 => racing_sign_ins(), 1 => late_write()];
    let steps = proptest::collection::vec(sequence, SEQUENCES).prop_map(|sequences| sequences.concat());
    (prop::bool::weighted(0.7), steps)
}

/// A sign-in waits for its turn while another person signs in and out in another tab.
fn sign_out_before_a_waiting_sign_in() -> Vec<Step> {
    let waits = [
        Step::SignOut { tab: 1 },
        Step::Finish { task: 0 },
        Step::StorageEvent { tab: 0 },
        Step::SignIn { tab: 1, person: 0 },
        Step::Advance { task: 0 },
        Step::SignIn { tab: 0, person: 1 },
        Step::Advance { task: 0 },
        Step::Finish { task: 1 },
        Step::SignOut { tab: 1 },
    ];
    let late = LateWrite { writer: 0, distance: 1, person: None, first: 0 };
    waits.into_iter().chain([Step::Finish { task: 1 }, Step::WriteLate(late)]).collect()
}

fn simulate(database: Database, transport: TokenTransport) {
    let persistence = FileFailurePersistence::WithSource("regressions");
    let config = Config { cases: HISTORIES, failure_persistence: Some(Box::new(persistence)), ..Config::default() };
    let run = TestRunner::new(config).run(&history(), |(locks, steps)| replay(database, transport, locks, steps));
    if let Err(failure) = run {
        panic!("{failure}");
    }
}

fn replay(database: Database, transport: TokenTransport, locks: bool, steps: Vec<Step>) -> Checked {
    actix_web::rt::System::new().block_on(async {
        let mut world = World::new(database, transport, locks).await;
        for step in steps {
            world.perform(step).await?;
        }
        world.check_final_state().await
    })
}

#[test]
fn any_history_keeps_two_people_apart_on_sqlite() {
    simulate(Database::Sqlite, TokenTransport::Body);
}

#[test]
fn any_history_keeps_two_people_apart_on_postgres() {
    simulate(Database::Postgres, TokenTransport::Body);
}

#[test]
fn any_history_keeps_two_people_apart_with_cookies_on_sqlite() {
    simulate(Database::Sqlite, TokenTransport::Cookie);
}

#[test]
fn any_history_keeps_two_people_apart_with_cookies_on_postgres() {
    simulate(Database::Postgres, TokenTransport::Cookie);
}

#[test]
fn a_sign_out_costs_no_waiting_sign_in_its_cookie() {
    for database in [Database::Sqlite, Database::Postgres] {
        replay(database, TokenTransport::Cookie, true, sign_out_before_a_waiting_sign_in()).unwrap();
    }
}
