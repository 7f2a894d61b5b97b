//! Two people who use one browser in turn, in several tabs, against the real API: refreshes are slow, requests and answers
//! get lost, and the person changes in the middle of everything. What tabs decide is the client's own code
//! (`client::policy`); with cookies, the cookies are the API's own.
//!
//! What must hold in every history:
//! - whoever repeats a change of the password whose response was lost gets the session that came of it;
//! - what a page was asked for is sent with the tokens of the person who asked, or not at all;
//! - the API serves it as that person, with whatever cookie the browser adds;
//! - storage holds the session of whoever signed in last and has not signed out: nothing that comes late deletes or
//!   replaces it, but that a write that was decided before the sign-out may sign the next person out;
//! - no tab shows a session again that it has ended, or that it has heard was ended, whatever another tab writes late;
//! - with Web Locks, nothing that comes late takes the next person's cookie away.

mod errands;
mod late;
mod requests;
mod task;
mod turns;
mod world;

use crate::support::Database;
use auth_types::responses::TokenTransport;
use late::LateWrite;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, FileFailurePersistence, TestRunner};
use task::{Deed, Loss};
use world::World;

/// Histories per test, and passages in each.
const HISTORIES: u32 = 48;
const PASSAGES: std::ops::Range<usize> = 4..20;

const TABS: std::ops::Range<usize> = 0..world::TABS;
const PEOPLE: std::ops::Range<usize> = 0..world::PEOPLE.len();
/// What is under way, counted from the newest.
const TASKS: std::ops::Range<usize> = 0..6;
/// Longer than an access token is used.
const DUE: Step = Step::Wait { seconds: 57 };

/// One step of a history.
#[derive(Debug, Clone)]
enum Step {
    Wait {
        seconds: i64,
    },
    /// Whoever sits before the tab wants something of the page that it shows.
    Act {
        tab: usize,
        deed: Deed,
    },
    SignIn {
        tab: usize,
        person: usize,
    },
    SignOut {
        tab: usize,
    },
    /// Something under way comes to its next wait.
    Advance {
        task: usize,
    },
    /// It comes as far as it can.
    Finish {
        task: usize,
    },
    /// What it waits for is lost.
    Lose {
        task: usize,
        loss: Loss,
    },
    /// It has waited long enough for its turn among tabs and goes ahead.
    GoAhead {
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
    let deed = || select(&task::DEEDS);
    let seconds = prop_oneof![4 => 0..10_i64, 4 => 40..90_i64, 1 => 3_000..5_000_i64];
    prop_oneof![
        3 => seconds.prop_map(|seconds| Step::Wait { seconds }),
        6 => (TABS, deed()).prop_map(|(tab, deed)| Step::Act { tab, deed }),
        4 => (TABS, PEOPLE).prop_map(|(tab, person)| Step::SignIn { tab, person }),
        3 => TABS.prop_map(|tab| Step::SignOut { tab }),
        12 => TASKS.prop_map(|task| Step::Advance { task }),
        6 => TASKS.prop_map(|task| Step::Finish { task }),
        2 => (TASKS, select(&task::LOSSES)).prop_map(|(task, loss)| Step::Lose { task, loss }),
        1 => TASKS.prop_map(|task| Step::GoAhead { task }),
        3 => TABS.prop_map(|tab| Step::StorageEvent { tab }),
        1 => TABS.prop_map(|tab| Step::Crash { tab }),
    ]
}

/// Somebody asks for something, signs out while it is under way, and somebody else signs in.
fn change_of_person() -> impl Strategy<Value = Vec<Step>> {
    (TABS, TABS, select(&task::DEEDS), 0..6_usize, PEOPLE, any::<bool>()).prop_map(
        |(tab, other, deed, progress, person, due)| {
            let asked = due.then_some(DUE).into_iter().chain([Step::Act { tab, deed }]);
            let under_way = (0..progress).map(|count| Step::Advance { task: count % 2 });
            let change = [Step::SignOut { tab: other }, Step::SignIn { tab: other, person }];
            let rest = [0, 0, 1, 2, 1, 2, 3].map(|task| Step::Finish { task });
            asked.chain(under_way).chain(change).chain(rest).chain([Step::StorageEvent { tab }]).collect()
        },
    )
}

/// Two people sign in at once, in two tabs; of the answer to the first, perhaps only the cookies arrive, after those of the
/// second, who goes on.
fn racing_sign_ins() -> impl Strategy<Value = Vec<Step>> {
    (TABS, TABS, PEOPLE, 1..4_usize, any::<bool>()).prop_map(|(tab, other, person, progress, lost)| {
        let out = [Step::SignOut { tab }, Step::Finish { task: 0 }, Step::StorageEvent { tab: other }];
        let first = std::iter::once(Step::SignIn { tab, person });
        let under_way = std::iter::repeat_n(Step::Advance { task: 0 }, progress);
        let second = [Step::SignIn { tab: other, person: 1 - person }, Step::Finish { task: 0 }];
        let goes_on = [Step::Lose { task: 0, loss: Loss::Body }, DUE, Step::Act { tab: other, deed: Deed::Read }];
        let goes_on = goes_on.into_iter().filter(|_| lost);
        let rest = [0, 0, 1].map(|task| Step::Finish { task });
        out.into_iter().chain(first).chain(under_way).chain(second).chain(goes_on).chain(rest).collect()
    })
}

fn late_write() -> impl Strategy<Value = Vec<Step>> {
    (TABS, 1..world::TABS, prop::option::of(PEOPLE), TABS)
        .prop_map(|(writer, distance, person, first)| LateWrite { writer, distance, person, first })
        .prop_map(|late| vec![Step::WriteLate(late)])
}

fn history() -> impl Strategy<Value = (bool, Vec<Step>)> {
    let any = step().prop_map(|step| vec![step]);
    let passage = prop_oneof![30 => any, 10 => change_of_person(), 5 => racing_sign_ins(), 1 => late_write()];
    let steps = proptest::collection::vec(passage, PASSAGES).prop_map(|passages| passages.concat());
    (prop::bool::weighted(0.7), steps)
}

fn simulate(database: Database, transport: TokenTransport) {
    let persistence = FileFailurePersistence::WithSource("regressions");
    let config = Config { cases: HISTORIES, failure_persistence: Some(Box::new(persistence)), ..Config::default() };
    let run = TestRunner::new(config).run(&history(), |(locks, steps)| {
        actix_web::rt::System::new().block_on(async {
            let mut world = World::new(database, transport, locks).await;
            for step in steps {
                world.take(step).await?;
            }
            world.check_the_end().await
        })
    });
    if let Err(failure) = run {
        panic!("{failure}");
    }
}

#[test]
fn nothing_is_done_in_the_name_of_the_next_person_on_sqlite() {
    simulate(Database::Sqlite, TokenTransport::Body);
}

#[test]
fn nothing_is_done_in_the_name_of_the_next_person_on_postgres() {
    simulate(Database::Postgres, TokenTransport::Body);
}

#[test]
fn nothing_is_done_in_the_name_of_the_next_person_with_cookies_on_sqlite() {
    simulate(Database::Sqlite, TokenTransport::Cookie);
}

#[test]
fn nothing_is_done_in_the_name_of_the_next_person_with_cookies_on_postgres() {
    simulate(Database::Postgres, TokenTransport::Cookie);
}
