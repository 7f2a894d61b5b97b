//! A request of a page, from the user's action to the response.

use super::failure::RequestFailure;
use super::response::{FetchResult, TransientError, asks_for_refresh};
use super::session_machine::{Epoch, SessionMachine, TokenPlan};
use super::time::Now;
use super::tokens::SessionTokens;
use std::fmt;

/// A request that is bound to one epoch: it is sent with that session's access token or not at all, however long it waits
/// for a refresh, and even if another user signs in meanwhile.
///
/// Call [`SessionMachine::sync_from_storage`], then [`next`](Self::next), and take the step at once, without another wait in
/// between; then start over.
#[derive(Debug)]
pub struct BoundRequest {
    epoch: Epoch,
    /// The access token that the server has refused with `token_not_valid`.
    refused: Option<AccessToken>,
    refresh: RequestedRefresh,
    sent: Option<Sent>,
    /// Whether to send it next with the current access token, even if a refresh is due.
    repeats: bool,
}

/// Whether the request has asked for a refresh; after a refused access token, whether it has asked since.
#[derive(Debug)]
enum RequestedRefresh {
    NotAsked,
    Asked {
        /// The access token at that moment, if there was one.
        access_before: Option<AccessToken>,
    },
}

/// The access token that the request was last sent with.
#[derive(Debug)]
struct Sent {
    access: AccessToken,
    /// Whether the token has changed since the request asked for a refresh.
    is_fresh: bool,
}

/// An access token, which `Debug` does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(String);

/// What to do next for a request.
#[derive(Debug, PartialEq, Eq)]
pub enum RequestStep {
    /// Wait for a refresh of this epoch's session. Contains the access token that the server has refused, if any.
    Refresh(Option<AccessToken>),
    /// Send it with this access token, now.
    Send(AccessToken),
    /// Give up.
    Fail(RequestFailure),
}

/// What to do with the result of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum ResponseAction {
    /// Hand it to the page.
    Deliver(FetchResult),
    /// Drop it and take the next step: the access token was refused.
    Retry,
    /// Do not show it: the session that sent the request is no longer this tab's, and the page is about to be replaced.
    Discard(FetchResult),
}

impl BoundRequest {
    /// A request of a page that was built in `epoch`.
    pub const fn new(epoch: Epoch) -> Self {
        Self { epoch, refused: None, refresh: RequestedRefresh::NotAsked, sent: None, repeats: false }
    }

    /// Notes that the request has been sent before and its response was lost. It may have ended the session: a refresh would
    /// then fail, while the access token that it was sent with still allows a repetition.
    pub const fn repeat(&mut self) {
        self.repeats = true;
    }

    /// The next step.
    pub fn next(&mut self, machine: &SessionMachine, now: Now) -> RequestStep {
        let repeats = self.repeats && machine.epoch() == self.epoch;
        if let Some(tokens) = machine.tokens().filter(|tokens| repeats && tokens.access().is_some()) {
            return self.send(tokens);
        }
        let refused = self.refused.as_ref().map(AccessToken::as_str);
        match machine.plan(self.epoch, refused, now) {
            TokenPlan::SignedOut => RequestStep::Fail(RequestFailure::SignedOut),
            TokenPlan::Wait { error, remaining } => {
                RequestStep::Fail(RequestFailure::Transient { error, after: Some(remaining) })
            }
            TokenPlan::Refresh(tokens) if matches!(self.refresh, RequestedRefresh::NotAsked) => {
                self.refresh = RequestedRefresh::Asked { access_before: access_of(&tokens) };
                RequestStep::Refresh(self.refused.clone())
            }
            // The refresh left the refused token in place: give up for now.
            TokenPlan::Refresh(_) if self.refused.is_some() => RequestStep::Fail(no_usable_token()),
            // Just refreshed and due again: no fresher token is to be had.
            TokenPlan::Refresh(tokens) | TokenPlan::Use(tokens) => self.send(&tokens),
        }
    }

    /// Takes the result of the request that the last step sent. If the access token was refused, it is refreshed once and the
    /// request sent again. A refusal straight after a refresh is delivered to the page, and so is a second refusal.
    pub fn on_response(&mut self, machine: &SessionMachine, result: FetchResult) -> ResponseAction {
        self.repeats = false;
        if machine.epoch() != self.epoch {
            return ResponseAction::Discard(result);
        }
        let is_refused = self.refused.is_none() && result.as_ref().is_ok_and(asks_for_refresh);
        match self.sent.take().filter(|sent| is_refused && !sent.is_fresh) {
            Some(sent) => {
                self.refused = Some(sent.access);
                self.refresh = RequestedRefresh::NotAsked;
                ResponseAction::Retry
            }
            None => ResponseAction::Deliver(result),
        }
    }

    fn send(&mut self, tokens: &SessionTokens) -> RequestStep {
        let Some(access) = access_of(tokens) else { return RequestStep::Fail(no_usable_token()) };
        let is_fresh = matches!(&self.refresh, RequestedRefresh::Asked { access_before } if access_before.as_ref() != Some(&access));
        self.sent = Some(Sent { access: access.clone(), is_fresh });
        RequestStep::Send(access)
    }
}

impl AccessToken {
    /// The token itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn access_of(tokens: &SessionTokens) -> Option<AccessToken> {
    tokens.access().map(|access| AccessToken(access.to_owned()))
}

const fn no_usable_token() -> RequestFailure {
    RequestFailure::Transient { error: TransientError::Unexpected, after: None }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken")
    }
}
