//! The state of a run.

use super::browser::Browser;
use super::credentials::{SignUp, SmokeAccount, SmokeCredentials};
use super::loaded::LoadedFile;
use super::response::{CheckFailure, SmokeResponse};
use super::session::SmokeSession;
use super::site::SmokeSite;
use crate::clock::SharedClock;
use auth_types::responses::ConfigResponse;
use secrecy::SecretString;
use std::cell::{Cell, OnceCell, RefCell};
use std::time::Duration;

/// The longest lifetime of an access token that is considered intended, and therefore the longest wait.
pub(super) const MAX_ACCESS_LIFETIME: Duration = Duration::from_hours(24);

/// The sites to test, and the account to use.
#[derive(Debug)]
pub struct SmokePlan {
    pub api: SmokeSite,
    pub web: SmokeSite,
    /// The port of plain HTTP, if it is not 80.
    pub http_port: Option<u16>,
    pub account: SmokeAccount,
    /// Whether to wait until an access token expires, however long it lives.
    pub wait: bool,
}

/// A run: its client, and what checks have learnt for later ones.
#[derive(Debug)]
pub(super) struct Smoke {
    pub(super) plan: SmokePlan,
    pub(super) browser: Browser,
    pub(super) clock: SharedClock,
    pub(super) config: OnceCell<ConfigResponse>,
    pub(super) page: OnceCell<SmokeResponse>,
    pub(super) files: OnceCell<Vec<LoadedFile>>,
    pub(super) credentials: OnceCell<SmokeCredentials>,
    pub(super) sign_up: Cell<SignUp>,
    /// By how much the API's clock was ahead of this machine's at the sign-in, seconds.
    pub(super) clock_error: OnceCell<i64>,
    /// An access token of the session that `auth.reuse` has ended.
    pub(super) ended: OnceCell<SecretString>,
    /// The sessions that still have to be signed out.
    pub(super) opened: RefCell<Vec<SmokeSession>>,
}

impl Smoke {
    pub(super) fn new(plan: SmokePlan, clock: SharedClock) -> Result<Self, reqwest::Error> {
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
}

/// What an earlier check has learnt; the needs in the table of checks guarantee that it ran.
pub(super) fn learnt<T>(cell: &OnceCell<T>) -> Result<&T, CheckFailure> {
    cell.get().ok_or_else(|| CheckFailure::failed("an earlier check has left nothing to go on with"))
}
