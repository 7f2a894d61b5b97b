//! What is under way in a browser.

use crate::support::TestResponse;
use client::policy::{AccessToken, BoundRequest, Epoch, Now, SessionTokens};

/// What somebody can want of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    Read,
    SaveProfile,
    ChangePassword,
    SignOutEverywhere,
}

pub const DEEDS: [Deed; 5] =
    [Deed::Read, Deed::SaveProfile, Deed::SaveProfile, Deed::ChangePassword, Deed::SignOutEverywhere];

/// What is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// The answer but for its head, which holds the cookies.
    Body,
    All,
}

pub const LOSSES: [Loss; 2] = [Loss::Body, Loss::All];

/// Something under way.
#[derive(Debug)]
pub struct Task {
    pub id: u64,
    /// Where it was asked for; `None` when it goes on without a page.
    pub tab: Option<usize>,
    /// The epoch of the page that asked.
    pub epoch: Epoch,
    /// Who asked.
    pub person: usize,
    pub errand: Errand,
    pub stage: Stage,
}

#[derive(Debug)]
pub enum Errand {
    Page {
        deed: Deed,
        request: BoundRequest,
        /// What was sent, once it is a step that is repeated when its response is lost.
        step: Option<Step>,
    },
    Refresh {
        refused: Option<AccessToken>,
        parent: Option<Box<SessionTokens>>,
    },
    SignIn,
    Parting,
}

#[derive(Debug)]
pub enum Stage {
    /// It has been asked for, or must decide again.
    Asked,
    /// It waits for its turn among tabs.
    Queued,
    /// It waits for its tab's refresh.
    Refreshing,
    /// It is on its way to the API.
    Sent(Sent),
    /// The API has answered what was sent then, and the browser has not seen it.
    Answered(TestResponse, Now),
}

/// A step: sent again, it is the same request.
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
    /// Whether the request is a tab's that has a page.
    pub fn is_of(&self, tab: usize) -> bool {
        self.tab == Some(tab)
    }

    pub fn is_refresh_of(&self, tab: usize, epoch: Epoch) -> bool {
        self.is_of(tab) && self.epoch == epoch && matches!(self.errand, Errand::Refresh { .. })
    }
}
