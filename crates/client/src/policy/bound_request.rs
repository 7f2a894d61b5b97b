//! A request of a page, from the moment somebody acts to the answer.

use super::failure::RequestFailure;
use super::response::{FetchResult, TransientError, asks_for_refresh};
use super::session_machine::{Epoch, SessionMachine, TokenPlan};
use super::time::Now;
use super::tokens::SessionTokens;
use std::fmt;

/// A request that is bound to one epoch: it is sent with that session's access token or not at all, however long it waits
/// for a refresh and whoever signs in meanwhile.
///
/// [`SessionMachine::sync_from_storage`] at storage, ask for the [`next`](Self::next) step and take it at once, without another wait in
/// between; then look again.
#[derive(Debug)]
pub struct BoundRequest {
    epoch: Epoch,
    /// The access token that the server has refused with `token_not_valid`.
    refused: Option<AccessToken>,
    refreshed: Refreshed,
    sent: Option<Sent>,
    /// Whether it is to be sent next with the access token as it is.
    repeats: bool,
}

/// Whether the request has asked for a refresh, since the server refused an access token if it did.
#[derive(Debug)]
enum Refreshed {
    NotYet,
    /// It has; this was the access token before, if there was one.
    Since(Option<AccessToken>),
}

/// What the last sending used.
#[derive(Debug)]
struct Sent {
    access: AccessToken,
    is_fresh: bool,
}

/// An access token, which `Debug` does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(String);

/// What to do next for a request.
#[derive(Debug, PartialEq, Eq)]
pub enum RequestStep {
    /// Wait for a refresh of this epoch's session. With the access token that the server has refused, if one was.
    Refresh(Option<AccessToken>),
    /// Send it with this access token, now.
    Send(AccessToken),
    /// Give up.
    Fail(RequestFailure),
}

/// Whose an answer is.
#[derive(Debug, PartialEq, Eq)]
pub enum ResponseAction {
    /// The page's.
    Deliver(FetchResult),
    /// Nobody's: the access token was refused. There is a next step.
    Retry,
    /// Nobody's any more: the session that asked is not this tab's session now. The page is about to go.
    Discard(FetchResult),
}

impl BoundRequest {
    /// A request of a page that was built in `epoch`.
    pub const fn new(epoch: Epoch) -> Self {
        Self { epoch, refused: None, refreshed: Refreshed::NotYet, sent: None, repeats: false }
    }

    /// Says that it has been sent before, and its response was lost. It may have ended the session: then a refresh would find
    /// that, while the access token that it was sent with is good for a repetition.
    pub const fn repeat(&mut self) {
        self.repeats = true;
    }

    /// What to do now.
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
            TokenPlan::Refresh(tokens) if matches!(self.refreshed, Refreshed::NotYet) => {
                self.refreshed = Refreshed::Since(access_of(&tokens));
                RequestStep::Refresh(self.refused.clone())
            }
            // Refreshed, and still the refused one: not yet.
            TokenPlan::Refresh(_) if self.refused.is_some() => RequestStep::Fail(not_yet()),
            // Just refreshed and due again: then this is as fresh as it gets.
            TokenPlan::Refresh(tokens) | TokenPlan::Use(tokens) => self.send(&tokens),
        }
    }

    /// Takes the answer to what the last step sent. When the access token was refused it is to be refreshed once and the
    /// request sent once more; a refusal straight after a refresh is the application's answer, and so is a second one.
    pub fn on_response(&mut self, machine: &SessionMachine, exchange: FetchResult) -> ResponseAction {
        self.repeats = false;
        if machine.epoch() != self.epoch {
            return ResponseAction::Discard(exchange);
        }
        let is_refused = self.refused.is_none() && exchange.as_ref().is_ok_and(asks_for_refresh);
        match self.sent.take().filter(|sent| is_refused && !sent.is_fresh) {
            Some(sent) => {
                self.refused = Some(sent.access);
                self.refreshed = Refreshed::NotYet;
                ResponseAction::Retry
            }
            None => ResponseAction::Deliver(exchange),
        }
    }

    fn send(&mut self, tokens: &SessionTokens) -> RequestStep {
        let Some(access) = access_of(tokens) else { return RequestStep::Fail(not_yet()) };
        let is_fresh = matches!(&self.refreshed, Refreshed::Since(before) if before.as_ref() != Some(&access));
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

const fn not_yet() -> RequestFailure {
    RequestFailure::Transient { error: TransientError::Unexpected, after: None }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken")
    }
}
