//! Browsers with tabs, wrong clocks, lost requests and answers, crashes, sign-outs and thieves, in any order, against the
//! real API. The tabs are the client's own code (`client::policy`); what the API answers is compared with a model of the
//! contract's table ([`model`]) at every step.
//!
//! What must hold in every history:
//! - of a session at most one refresh token is live at any time;
//! - an honest client that keeps its storage is never signed out by its own retries;
//! - whoever presents an older generation past the leeway without the key ends the session;
//! - where the owner's client sends keys, a thief and an owner who both go on are seen within one rotation of the owner's;
//! - what a thief may ask does not show when the owner has refreshed;
//! - nothing revoked is ever accepted again.

mod browser;
mod cookies;
mod model;
mod people;
mod table;
mod thief;
mod world;

use crate::support::Database;
use auth_types::responses::TokenTransport;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, FileFailurePersistence, TestRunner};
use world::World;

/// Histories per database, and passages in each.
const HISTORIES: u32 = 32;
const PASSAGES: std::ops::Range<usize> = 8..40;

/// One step of a history. Numbers choose among what there is at that moment.
#[derive(Debug, Clone)]
enum Step {
    /// Time passes; if `asleep`, the machine's monotonic clock stands still.
    Wait {
        seconds: i64,
        asleep: bool,
    },
    /// A tab wants something of the API: it uses its access token, or prepares a refresh.
    Use {
        tab: usize,
    },
    /// The tab's prepared refresh reaches the server.
    Arrive {
        tab: usize,
    },
    /// It reaches the server twice, because something on the way sent it again.
    ArriveTwice {
        tab: usize,
    },
    /// What the tab waits for comes, or never comes.
    Settle {
        tab: usize,
        loss: Loss,
    },
    /// The three before in one go.
    Refresh {
        tab: usize,
    },
    /// The tab crashes; a new one opens in its place.
    Crash {
        tab: usize,
    },
    /// Somebody sets the wall clock of a tab's machine.
    SetWallClock {
        tab: usize,
        seconds: i64,
    },
    SignIn {
        tab: usize,
    },
    SignOut {
        tab: usize,
        heard: bool,
    },
    /// Another tab of the browser hears of what was done to the storage.
    StorageEvent {
        tab: usize,
    },
    /// A thief copies the tokens of a tab's browser.
    Steal {
        tab: usize,
    },
    /// The thief looks at all that the stolen tokens open.
    ThiefPoll {
        loot: usize,
    },
    /// The thief refreshes with something stolen; `disguised`, from the owner's network with the owner's user agent.
    ThiefRefresh {
        loot: usize,
        disguised: bool,
        key: bool,
    },
    /// The server is started again on the same database.
    Restart,
}

/// What is lost of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loss {
    Nothing,
    /// All but the head, which holds the cookie.
    Body,
    All,
}

const LOSSES: [Loss; 4] = [Loss::Nothing, Loss::Nothing, Loss::Body, Loss::All];

/// Three of each of two browsers whose tabs send keys, and of one whose tabs do not.
const TABS: std::ops::Range<usize> = 0..9;
/// Longer than an access token is used, so that the next use refreshes.
const DUE: Step = Step::Wait { seconds: 57, asleep: false };

/// Any step.
fn step() -> impl Strategy<Value = Step> {
    let seconds =
        prop_oneof![5 => 0..5_i64, 5 => 5..30_i64, 5 => 40..90_i64, 1 => 300..3_000_i64, 1 => 3_000..5_000_i64];
    prop_oneof![
        6 => (seconds, any::<bool>()).prop_map(|(seconds, asleep)| Step::Wait { seconds, asleep }),
        6 => TABS.prop_map(|tab| Step::Use { tab }),
        5 => TABS.prop_map(|tab| Step::Arrive { tab }),
        1 => TABS.prop_map(|tab| Step::ArriveTwice { tab }),
        5 => (TABS, select(&LOSSES)).prop_map(|(tab, loss)| Step::Settle { tab, loss }),
        6 => TABS.prop_map(|tab| Step::Refresh { tab }),
        1 => TABS.prop_map(|tab| Step::Crash { tab }),
        1 => (TABS, -8_000..8_000_i64).prop_map(|(tab, seconds)| Step::SetWallClock { tab, seconds }),
        2 => TABS.prop_map(|tab| Step::SignIn { tab }),
        1 => (TABS, any::<bool>()).prop_map(|(tab, heard)| Step::SignOut { tab, heard }),
        2 => TABS.prop_map(|tab| Step::StorageEvent { tab }),
        1 => TABS.prop_map(|tab| Step::Steal { tab }),
        1 => (0..4_usize).prop_map(|loot| Step::ThiefPoll { loot }),
        2 => (0..4_usize, any::<bool>(), any::<bool>())
            .prop_map(|(loot, disguised, key)| Step::ThiefRefresh { loot, disguised, key }),
        1 => Just(Step::Restart),
    ]
}

/// An answer is lost, and some time later the tab, or another, tries again; perhaps after a crash or a restart.
fn lost_answer() -> impl Strategy<Value = Vec<Step>> {
    let between = prop_oneof![Just(None), TABS.prop_map(|tab| Some(Step::Crash { tab })), Just(Some(Step::Restart))];
    let loss = select(&[Loss::Body, Loss::All]);
    (TABS, TABS, 5..200_i64, loss, between).prop_map(|(tab, other, seconds, loss, between)| {
        let first = [DUE, Step::Use { tab }, Step::Arrive { tab }, Step::Settle { tab, loss }];
        let again = [Step::Wait { seconds, asleep: false }, Step::Refresh { tab: other }, Step::Refresh { tab }];
        first.into_iter().chain(between).chain(again).collect()
    })
}

/// Two tabs refresh at once.
fn race() -> impl Strategy<Value = Vec<Step>> {
    (TABS, TABS, 0..25_i64).prop_map(|(a, b, seconds)| {
        let late = Step::Wait { seconds, asleep: false };
        let start = [DUE, Step::Use { tab: a }, Step::Use { tab: b }, Step::Arrive { tab: a }, late];
        let heard = |tab| Step::Settle { tab, loss: Loss::Nothing };
        let end = [Step::Arrive { tab: b }, heard(b), heard(a)];
        start.into_iter().chain(end).collect()
    })
}

/// Tokens are stolen, the owner goes on once or more, and the thief comes.
fn theft() -> impl Strategy<Value = Vec<Step>> {
    (TABS, 0..4_usize, 0..40_i64, any::<bool>()).prop_map(|(tab, refreshes, seconds, key)| {
        let owner = std::iter::repeat_n([DUE, Step::Refresh { tab }], refreshes).flatten();
        let act = Step::ThiefRefresh { loot: 0, disguised: seconds % 2 == 0, key };
        let thief = [Step::Wait { seconds, asleep: false }, act, Step::Refresh { tab }];
        std::iter::once(Step::Steal { tab }).chain(owner).chain(thief).collect()
    })
}

/// A thief looks until the stolen token is superseded, and refreshes at once, as the owner would; the owner goes on.
fn pursuit() -> impl Strategy<Value = Vec<Step>> {
    (TABS, 1..3_usize, 0..12_i64, prop::bool::weighted(0.2)).prop_map(|(tab, rounds, seconds, key)| {
        let act = Step::ThiefRefresh { loot: 0, disguised: true, key };
        let late = Step::Wait { seconds, asleep: false };
        let round = [DUE, Step::ThiefPoll { loot: 0 }, Step::Refresh { tab }, late, Step::ThiefPoll { loot: 0 }, act];
        let owner = [DUE, Step::Refresh { tab }, Step::ThiefPoll { loot: 0 }];
        let rounds = std::iter::repeat_n(round, rounds).flatten();
        std::iter::once(Step::Steal { tab }).chain(rounds).chain(owner).collect()
    })
}

fn history() -> impl Strategy<Value = Vec<Step>> {
    let any = step().prop_map(|step| vec![step]);
    let passage = prop_oneof![8 => any, 2 => lost_answer(), 1 => race(), 1 => theft(), 1 => pursuit()];
    proptest::collection::vec(passage, PASSAGES).prop_map(|passages| passages.concat())
}

fn simulate(database: Database, transport: TokenTransport, leeway: i64) {
    let persistence = FileFailurePersistence::WithSource("regressions");
    let config = Config { cases: HISTORIES, failure_persistence: Some(Box::new(persistence)), ..Config::default() };
    let run = TestRunner::new(config).run(&history(), |steps| {
        actix_web::rt::System::new().block_on(async {
            let mut world = World::new(database, transport, leeway).await;
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
fn any_history_on_sqlite_keeps_the_session_rules() {
    simulate(Database::Sqlite, TokenTransport::Body, 10);
}

#[test]
fn any_history_on_postgres_keeps_the_session_rules() {
    simulate(Database::Postgres, TokenTransport::Body, 10);
}

#[test]
fn any_history_without_a_leeway_keeps_the_session_rules() {
    simulate(Database::Sqlite, TokenTransport::Body, 0);
}

#[test]
fn any_history_with_cookies_keeps_the_session_rules() {
    simulate(Database::Sqlite, TokenTransport::Cookie, 10);
}
