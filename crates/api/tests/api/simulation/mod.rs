//! Browsers with tabs, wrong clocks, lost requests and responses, crashes, sign-outs and thieves, in any order, against the
//! real API. The tabs run the client's own code (`client::policy`); the API's responses are compared with a model of the
//! contract's table ([`model`]) at every step.
//!
//! In every history:
//! - a session has at most one live refresh token at any time;
//! - an honest client that keeps its storage is never signed out by its own retries;
//! - presenting an older generation past the leeway without the key ends the session;
//! - if the owner's client sends keys, the use of stolen tokens is detected within one rotation of the owner's;
//! - a thief's requests do not reveal when the owner has refreshed;
//! - a revoked token is never accepted again.

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

/// The number of histories per database, and of sequences of steps in each.
const HISTORIES: u32 = 32;
const SEQUENCES: std::ops::Range<usize> = 8..40;

/// One step of a history. Numbers choose among the items that exist at that moment.
#[derive(Debug, Clone)]
enum Step {
    /// Time passes; if `asleep`, the machine's monotonic clock stands still.
    Wait {
        seconds: i64,
        asleep: bool,
    },
    /// A tab sends a request: it uses its access token, or prepares a refresh.
    Use {
        tab: usize,
    },
    /// The tab's prepared refresh reaches the server.
    Arrive {
        tab: usize,
    },
    /// It reaches the server twice, because a proxy sent it again.
    ArriveTwice {
        tab: usize,
    },
    /// The tab receives the response, or loses it.
    Receive {
        tab: usize,
        loss: Loss,
    },
    /// `Use`, `Arrive` and `Receive` without a loss.
    Refresh {
        tab: usize,
    },
    /// The tab crashes, and a new one opens.
    Crash {
        tab: usize,
    },
    /// The wall clock of a tab's machine is changed.
    SetWallClock {
        tab: usize,
        seconds: i64,
    },
    SignIn {
        tab: usize,
    },
    /// `arrives`: whether the request reaches the server.
    SignOut {
        tab: usize,
        arrives: bool,
    },
    /// A tab receives the `storage` events of changes by other tabs.
    StorageEvent {
        tab: usize,
    },
    /// A thief copies the tokens of a tab's browser.
    Steal {
        tab: usize,
    },
    /// The thief calls every route that the stolen tokens open.
    ThiefPoll {
        stolen: usize,
    },
    /// The thief refreshes with a stolen token; if `disguised`, from the owner's network with the owner's user agent.
    ThiefRefresh {
        stolen: usize,
        disguised: bool,
        key: bool,
    },
    /// The server restarts on the same database.
    Restart,
}

/// The part of a response that is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loss {
    Nothing,
    /// Everything except the head, which carries the cookie.
    Body,
    All,
}

const LOSSES: [Loss; 4] = [Loss::Nothing, Loss::Nothing, Loss::Body, Loss::All];

/// Three tabs in each of two browsers that send keys, and of one that does not.
const TABS: std::ops::Range<usize> = 0..9;
/// Long enough that the next use refreshes.
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
        5 => (TABS, select(&LOSSES)).prop_map(|(tab, loss)| Step::Receive { tab, loss }),
        6 => TABS.prop_map(|tab| Step::Refresh { tab }),
        1 => TABS.prop_map(|tab| Step::Crash { tab }),
        1 => (TABS, -8_000..8_000_i64).prop_map(|(tab, seconds)| Step::SetWallClock { tab, seconds }),
        2 => TABS.prop_map(|tab| Step::SignIn { tab }),
        1 => (TABS, any::<bool>()).prop_map(|(tab, arrives)| Step::SignOut { tab, arrives }),
        2 => TABS.prop_map(|tab| Step::StorageEvent { tab }),
        1 => TABS.prop_map(|tab| Step::Steal { tab }),
        1 => (0..4_usize).prop_map(|stolen| Step::ThiefPoll { stolen }),
        2 => (0..4_usize, any::<bool>(), any::<bool>())
            .prop_map(|(stolen, disguised, key)| Step::ThiefRefresh { stolen, disguised, key }),
        1 => Just(Step::Restart),
    ]
}

/// A response is lost, and some time later the tab or another one retries, perhaps after a crash or a restart.
fn lost_response() -> impl Strategy<Value = Vec<Step>> {
    let between = prop_oneof![Just(None), TABS.prop_map(|tab| Some(Step::Crash { tab })), Just(Some(Step::Restart))];
    let loss = select(&[Loss::Body, Loss::All]);
    (TABS, TABS, 5..200_i64, loss, between).prop_map(|(tab, other, seconds, loss, between)| {
        let first = [DUE, Step::Use { tab }, Step::Arrive { tab }, Step::Receive { tab, loss }];
        let again = [Step::Wait { seconds, asleep: false }, Step::Refresh { tab: other }, Step::Refresh { tab }];
        first.into_iter().chain(between).chain(again).collect()
    })
}

/// Two tabs refresh at the same time.
fn race() -> impl Strategy<Value = Vec<Step>> {
    (TABS, TABS, 0..25_i64).prop_map(|(a, b, seconds)| {
        let late = Step::Wait { seconds, asleep: false };
        let start = [DUE, Step::Use { tab: a }, Step::Use { tab: b }, Step::Arrive { tab: a }, late];
        let receive = |tab| Step::Receive { tab, loss: Loss::Nothing };
        let end = [Step::Arrive { tab: b }, receive(b), receive(a)];
        start.into_iter().chain(end).collect()
    })
}

/// Tokens are stolen, the owner refreshes some times, and then the thief refreshes.
fn theft() -> impl Strategy<Value = Vec<Step>> {
    (TABS, 0..4_usize, 0..40_i64, any::<bool>()).prop_map(|(tab, refreshes, seconds, key)| {
        let owner = std::iter::repeat_n([DUE, Step::Refresh { tab }], refreshes).flatten();
        let attack = Step::ThiefRefresh { stolen: 0, disguised: seconds % 2 == 0, key };
        let thief = [Step::Wait { seconds, asleep: false }, attack, Step::Refresh { tab }];
        std::iter::once(Step::Steal { tab }).chain(owner).chain(thief).collect()
    })
}

/// A thief polls until the stolen token is superseded, and refreshes at once, as the owner would; the owner continues.
fn polling_thief() -> impl Strategy<Value = Vec<Step>> {
    (TABS, 1..3_usize, 0..12_i64, prop::bool::weighted(0.2)).prop_map(|(tab, rounds, seconds, key)| {
        let attack = Step::ThiefRefresh { stolen: 0, disguised: true, key };
        let late = Step::Wait { seconds, asleep: false };
        let round =
            [DUE, Step::ThiefPoll { stolen: 0 }, Step::Refresh { tab }, late, Step::ThiefPoll { stolen: 0 }, attack];
        let owner = [DUE, Step::Refresh { tab }, Step::ThiefPoll { stolen: 0 }];
        let rounds = std::iter::repeat_n(round, rounds).flatten();
        std::iter::once(Step::Steal { tab }).chain(rounds).chain(owner).collect()
    })
}

fn history() -> impl Strategy<Value = Vec<Step>> {
    let any = step().prop_map(|step| vec![step]);
    let sequence = prop_oneof![8 => any, 2 => lost_response(), 1 => race(), 1 => theft(), 1 => polling_thief()];
    proptest::collection::vec(sequence, SEQUENCES).prop_map(|sequences| sequences.concat())
}

fn simulate(database: Database, transport: TokenTransport, leeway: i64) {
    let persistence = FileFailurePersistence::WithSource("regressions");
    let config = Config { cases: HISTORIES, failure_persistence: Some(Box::new(persistence)), ..Config::default() };
    let run = TestRunner::new(config).run(&history(), |steps| {
        actix_web::rt::System::new().block_on(async {
            let mut world = World::new(database, transport, leeway).await;
            for step in steps {
                world.perform(step).await?;
            }
            world.check_final_state().await
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
