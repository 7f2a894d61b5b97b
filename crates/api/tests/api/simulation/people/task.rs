//! The tasks in progress in a browser.

use crate::support::TestResponse;
use client::policy::{AccessToken, BoundRequest, Epoch, Now, SessionTokens};

/// What a person can do on a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageAction {
    Read,
    SaveProfile,
    ChangePassword,
    SignOutEverywhere,
}

pub const ACTIONS: [PageAction; 5] = [
    PageAction::Read,
    PageAction::SaveProfile,
    PageAction::SaveProfile,
    PageAction::ChangePassword,
    PageAction::SignOutEverywhere,
];

/// The part of a response that is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Everything except the head, which carries the cookies.
    Body,
    All,
}

pub const LOSSES: [Loss; 2] = [Loss::Body, Loss::All];

/// A task in progress.
#[derive(Debug)]
pub struct Task {
    pub id: u64,
    /// The tab that started it; `None` when it continues without a page.
    pub tab: Option<usize>,
    /// The epoch of the page that started it.
    pub epoch: Epoch,
    /// The person who started it.
    pub person: usize,
    pub kind: TaskKind,
    pub stage: Stage,
}

#[derive(Debug)]
pub enum TaskKind {
    Page {
        action: PageAction,
        request: BoundRequest,
        /// The sent step, if the action is one that is repeated when its response is lost.
        step: Option<Step>,
    },
    Refresh {
        refused: Option<AccessToken>,
        parent: Option<Box<SessionTokens>>,
    },
    SignIn,
    SignOut,
}

#[derive(Debug)]
pub enum Stage {
    /// It must decide what to do next.
    Ready,
    /// It waits for the lock.
    Queued,
    /// It waits for its tab's refresh.
    Refreshing,
    /// It is being sent to the API.
    Sent(Sent),
    /// The API has responded to the request that was sent at this time, and the browser has not received the response.
    Responded(TestResponse, Now),
}

/// A step, which can be sent again as the same request.
#[derive(Debug, Clone)]
pub struct Step {
    pub key: String,
    pub body: serde_json::Value,
    /// How often its response was lost.
    pub lost: u32,
}

/// A request as it leaves the browser.
#[derive(Debug, Clone)]
pub struct Sent {
    pub at: Now,
    pub method: reqwest::Method,
    pub path: &'static str,
    pub body: serde_json::Value,
    pub headers: Vec<(&'static str, String)>,
}

impl Task {
    /// Whether the task belongs to this tab.
    pub fn is_of(&self, tab: usize) -> bool {
        self.tab == Some(tab)
    }

    pub fn is_refresh_of(&self, tab: usize, epoch: Epoch) -> bool {
        self.is_of(tab) && self.epoch == epoch && matches!(self.kind, TaskKind::Refresh { .. })
    }
}
