//! `api smoke`: whether a deployment does what it should, seen from outside, as its front end and a stranger see it. The
//! guide calls it "testing the deployment".
//!
//! A client of the API: it knows no settings and no database, and runs wherever both sites can be reached. Each row of
//! [`every_check`] is one function that gives what was seen. What a run makes it takes away again, however it ends.

mod access;
mod account;
mod answer;
mod browser;
mod checks;
mod clear;
mod command;
mod cookies;
mod cors;
mod files;
mod headers;
mod html;
mod page;
mod policy;
mod report;
mod service;
mod session;
mod sign_in;
mod site;
mod tokens;

pub use checks::{Check, all as every_check};
pub use command::Arguments;
pub use report::{Report, Row, Verdict};
pub use site::Site;

use crate::clock::SharedClock;
use account::SignUp;
pub use account::{Account, Credentials};
use actix_web::rt::signal::{ctrl_c, unix};
use answer::{Answer, Trouble};
use auth_types::responses::ConfigResponse;
use browser::Browser;
use files::LoadedFile;
use futures_util::future::{Either, select};
use secrecy::SecretString;
use session::Session;
use std::cell::{Cell, OnceCell, RefCell};
use std::pin::pin;
use std::time::Duration;
use tokio::time::timeout;

/// How long a run may take without waiting for a token to expire.
const RUN: Duration = Duration::from_mins(10);
/// The longest life of an access token that is taken for meant, and so the longest wait.
const LONGEST_ACCESS: Duration = Duration::from_hours(24);

/// What to look at, and as whom.
#[derive(Debug)]
pub struct Plan {
    pub api: Site,
    pub web: Site,
    /// Where plain HTTP is answered, if not at port 80.
    pub http_port: Option<u16>,
    pub account: Account,
    /// Whether to wait until an access token expires, however long it lives.
    pub wait: bool,
}

/// One run: what it asks, and what its checks have learnt for those that build on them.
#[derive(Debug)]
struct Smoke {
    plan: Plan,
    browser: Browser,
    clock: SharedClock,
    config: OnceCell<ConfigResponse>,
    page: OnceCell<Answer>,
    files: OnceCell<Vec<LoadedFile>>,
    credentials: OnceCell<Credentials>,
    sign_up: Cell<SignUp>,
    /// How far the API's clock was from here at the sign-in, seconds; positive is ahead.
    clock_error: OnceCell<i64>,
    /// An access token of the session that `auth.reuse` has ended.
    ended: OnceCell<SecretString>,
    /// What is left to be signed out of.
    opened: RefCell<Vec<Session>>,
}

/// Makes every check whose needs are met, and takes away what that made: also after a failure, after Ctrl-C or SIGTERM,
/// and when the time is over.
///
/// # Errors
/// When this machine has no certificates to judge others by.
pub async fn run(plan: Plan, clock: SharedClock) -> Result<Report, reqwest::Error> {
    let limit = if plan.wait { RUN + LONGEST_ACCESS } else { RUN };
    let smoke = Smoke::new(plan, clock)?;
    let rows = RefCell::new(Vec::new());
    let ended_early = match select(pin!(timeout(limit, smoke.check_all(&rows))), pin!(interruption())).await {
        Either::Left((Ok(()), _)) => None,
        Either::Left((Err(_), _)) => Some("the run took too long"),
        Either::Right(_) => Some("the run was interrupted"),
    };
    let mut rows = rows.into_inner();
    for check in checks::ALL.iter().skip(rows.len()) {
        let why = ended_early.unwrap_or_default().to_owned();
        rows.push(Row::of(check, Err(Trouble::Skipped(why))));
    }
    rows.push(Row::of(&checks::TIDIED, (checks::TIDIED.look)(&smoke).await));
    Ok(Report::new(&smoke.plan, rows, ended_early.is_some()))
}

/// What a person or a platform does to end a program.
async fn interruption() {
    let Ok(mut terminated) = unix::signal(unix::SignalKind::terminate()) else { return std::future::pending().await };
    select(pin!(ctrl_c()), pin!(terminated.recv())).await;
}

impl Smoke {
    fn new(plan: Plan, clock: SharedClock) -> Result<Self, reqwest::Error> {
        Ok(Self {
            plan,
            browser: Browser::new()?,
            clock,
            config: OnceCell::new(),
            page: OnceCell::new(),
            files: OnceCell::new(),
            credentials: OnceCell::new(),
            sign_up: Cell::default(),
            clock_error: OnceCell::new(),
            ended: OnceCell::new(),
            opened: RefCell::default(),
        })
    }

    async fn check_all(&self, rows: &RefCell<Vec<Row>>) {
        for check in checks::ALL {
            let unmet = check.needs.iter().find(|need| !rows.borrow().iter().any(|row| row.has_passed(need)));
            let seen = match unmet {
                Some(need) => Err(Trouble::Skipped(format!("needs {need}"))),
                None => (check.look)(self).await,
            };
            rows.borrow_mut().push(Row::of(check, seen));
        }
    }
}

/// What an earlier check has learnt. The table of checks says who needs whom, so it is there.
fn learnt<T>(cell: &OnceCell<T>) -> Result<&T, Trouble> {
    cell.get().ok_or_else(|| Trouble::failed("an earlier check has left nothing to go on with"))
}
