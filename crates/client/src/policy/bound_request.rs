//! A request of a page, from the moment somebody acts to the answer.

use super::answer::{Exchange, Trouble, asks_for_refresh};
use super::failure::Failure;
use super::keeper::{Epoch, Keeper, Plan};
use super::time::Now;
use super::tokens::Tokens;
use std::fmt;

/// A request that is bound to one epoch: it is sent with that session's access token or not at all, however long it waits
/// for a refresh and whoever signs in meanwhile.
///
/// [`Keeper::look`] at storage, ask for the [`next`](Self::next) step and take it at once, without another wait in
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
pub enum Step {
    /// Wait for a refresh of this epoch's session. With the access token that the server has refused, if one was.
    Refresh(Option<AccessToken>),
    /// Send it with this access token, now.
    Send(AccessToken),
    /// Give up.
    Fail(Failure),
}

/// Whose an answer is.
#[derive(Debug, PartialEq, Eq)]
pub enum Answered {
    /// The page's.
    Take(Exchange),
    /// Nobody's: the access token was refused. There is a next step.
    Again,
    /// Nobody's any more: the session that asked is not this tab's session now. The page is about to go.
    Dropped(Exchange),
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
    pub fn next(&mut self, keeper: &Keeper, now: Now) -> Step {
        let repeats = self.repeats && keeper.epoch() == self.epoch;
        if let Some(tokens) = keeper.tokens().filter(|tokens| repeats && tokens.access().is_some()) {
            return self.send(tokens);
        }
        let refused = self.refused.as_ref().map(AccessToken::as_str);
        match keeper.plan(self.epoch, refused, now) {
            Plan::SignedOut => Step::Fail(Failure::SignedOut),
            Plan::Wait { trouble, remaining } => Step::Fail(Failure::Passing { trouble, after: Some(remaining) }),
            Plan::Refresh(tokens) if matches!(self.refreshed, Refreshed::NotYet) => {
                self.refreshed = Refreshed::Since(access_of(&tokens));
                Step::Refresh(self.refused.clone())
            }
            // Refreshed, and still the refused one: not yet.
            Plan::Refresh(_) if self.refused.is_some() => Step::Fail(not_yet()),
            // Just refreshed and due again: then this is as fresh as it gets.
            Plan::Refresh(tokens) | Plan::Use(tokens) => self.send(&tokens),
        }
    }

    /// Takes the answer to what the last step sent. When the access token was refused it is to be refreshed once and the
    /// request sent once more; a refusal straight after a refresh is the application's answer, and so is a second one.
    pub fn answered(&mut self, keeper: &Keeper, exchange: Exchange) -> Answered {
        self.repeats = false;
        if keeper.epoch() != self.epoch {
            return Answered::Dropped(exchange);
        }
        let is_refused = self.refused.is_none() && exchange.as_ref().is_ok_and(asks_for_refresh);
        match self.sent.take().filter(|sent| is_refused && !sent.is_fresh) {
            Some(sent) => {
                self.refused = Some(sent.access);
                self.refreshed = Refreshed::NotYet;
                Answered::Again
            }
            None => Answered::Take(exchange),
        }
    }

    fn send(&mut self, tokens: &Tokens) -> Step {
        let Some(access) = access_of(tokens) else { return Step::Fail(not_yet()) };
        let is_fresh = matches!(&self.refreshed, Refreshed::Since(before) if before.as_ref() != Some(&access));
        self.sent = Some(Sent { access: access.clone(), is_fresh });
        Step::Send(access)
    }
}

impl AccessToken {
    /// The token itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn access_of(tokens: &Tokens) -> Option<AccessToken> {
    tokens.access().map(|access| AccessToken(access.to_owned()))
}

const fn not_yet() -> Failure {
    Failure::Passing { trouble: Trouble::Odd, after: None }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken")
    }
}
