//! What happens between one wait and the next, as the client's session layer does it.

use super::requests;
use super::task::{Deed, Errand, Loss, Stage};
use super::world::{Checked, World};
use crate::simulation::browser::LOST;
use auth_types::Reason;
use auth_types::responses::TokenTransport;
use client::policy::{
    self, AccessToken, Effect, FetchResult, IssuedTokens, RequestStep, ResponseAction, SessionTokens, TokenPlan,
    refresh_outcome,
};
use proptest::prelude::*;
use uuid::Uuid;

impl World {
    /// Brings something under way to its next wait; `false` if it cannot go on before something else does.
    pub async fn advance(&mut self, index: usize) -> Checked<bool> {
        match &self.tasks[index].stage {
            Stage::Asked => self.go(index).map(|()| true),
            Stage::Queued if self.turns.has(self.tasks[index].id) => self.go_in_turn(index).map(|()| true),
            Stage::Queued => Ok(false),
            Stage::Refreshing => Ok(self.end_refreshing(index)),
            Stage::Sent(sent) => {
                let (sent, at) = (sent.clone(), sent.at);
                let answer = self.request(&sent).await;
                self.check_served(index, &answer)?;
                self.tasks[index].stage = Stage::Answered(answer, at);
                Ok(true)
            }
            Stage::Answered(..) => self.hear(index, None).map(|()| true),
        }
    }

    fn end_refreshing(&mut self, index: usize) -> bool {
        let (tab, epoch) = (self.tasks[index].tab, self.tasks[index].epoch);
        let is_over = tab.is_none_or(|tab| !self.tasks.iter().any(|task| task.is_refresh_of(tab, epoch)));
        if is_over {
            self.tasks[index].stage = Stage::Asked;
        }
        is_over
    }

    fn go(&mut self, index: usize) -> Checked {
        if let Errand::Page { deed, .. } = self.tasks[index].errand {
            let takes_turns = self.transport == TokenTransport::Cookie && deed == Deed::ChangePassword;
            return self.decide(index, takes_turns);
        }
        match self.transport {
            TokenTransport::Cookie => self.queue_up(index),
            TokenTransport::Body => self.depart(index)?,
        }
        Ok(())
    }

    fn go_in_turn(&mut self, index: usize) -> Checked {
        match self.tasks[index].errand {
            Errand::Page { .. } => self.decide(index, false),
            _ => self.depart(index),
        }
    }

    fn queue_up(&mut self, index: usize) {
        self.turns.queue_up(self.tasks[index].id);
        self.tasks[index].stage = Stage::Queued;
    }

    /// The next step of a page's request; `queues` if it has to wait for its turn before it may be sent.
    fn decide(&mut self, index: usize, queues: bool) -> Checked {
        let now = self.now();
        let tab = self.tab(index);
        self.browser.look(tab, now);
        let local = self.browser.now(now);
        let Errand::Page { request, .. } = &mut self.tasks[index].errand else { return Ok(()) };
        match request.next(&self.browser.tabs[tab].machine, local) {
            RequestStep::Fail(_) => self.end(index),
            RequestStep::Refresh(refused) => self.wait_for_refresh(index, refused),
            RequestStep::Send(_) if queues => self.queue_up(index),
            RequestStep::Send(access) => {
                self.check_sender(index, requests::session_of(access.as_str()))?;
                self.tasks[index].stage = Stage::Sent(self.page_request(index, &access));
            }
        }
        Ok(())
    }

    fn wait_for_refresh(&mut self, index: usize, refused: Option<AccessToken>) {
        let (id, tab, epoch, person) =
            (self.tasks[index].id, self.tab(index), self.tasks[index].epoch, self.tasks[index].person);
        self.turns.give_back(id);
        self.tasks[index].stage = Stage::Refreshing;
        if !self.tasks.iter().any(|task| task.is_refresh_of(tab, epoch)) {
            self.begin(tab, person, Errand::Refresh { refused, parent: None });
        }
    }

    /// A refresh or a sign-in leaves, if its page's session is still the tab's.
    fn depart(&mut self, index: usize) -> Checked {
        let now = self.now();
        let (tab, epoch) = (self.tab(index), self.tasks[index].epoch);
        self.browser.look(tab, now);
        let machine = &self.browser.tabs[tab].machine;
        let plan = match &self.tasks[index].errand {
            Errand::Refresh { refused, .. } => {
                let refused = refused.as_ref().map(AccessToken::as_str);
                Some(machine.plan(epoch, refused, self.browser.now(now)))
            }
            _ if machine.epoch() == epoch => None,
            _ => Some(TokenPlan::SignedOut),
        };
        match plan {
            None => self.tasks[index].stage = Stage::Sent(self.login_request(self.tasks[index].person)),
            Some(TokenPlan::Refresh(tokens)) => {
                self.check_sender(index, tokens.session())?;
                self.tasks[index].stage = Stage::Sent(self.refresh_request(&tokens));
                self.tasks[index].errand = Errand::Refresh { refused: None, parent: Some(tokens) };
            }
            Some(_) => self.end(index),
        }
        Ok(())
    }

    /// The browser hears, or hears nothing, and the tab does what its machine says.
    pub fn hear(&mut self, index: usize, loss: Option<Loss>) -> Checked {
        let exchange = match std::mem::replace(&mut self.tasks[index].stage, Stage::Asked) {
            Stage::Answered(answer, at) => {
                if loss != Some(Loss::All) {
                    self.jar.keep(&answer);
                }
                let now = self.browser.now(self.now());
                let (status, kind) = (answer.status.as_u16(), answer.header("content-type"));
                loss.map_or_else(|| Ok(policy::ApiResponse::new(status, kind, answer.text()).timed(at, now)), |_| LOST)
            }
            _ => LOST,
        };
        match &self.tasks[index].errand {
            Errand::Page { .. } => self.hear_page(index, exchange),
            Errand::Refresh { .. } => self.settle(index, &exchange),
            Errand::SignIn => self.adopt(index, exchange),
            Errand::Parting => {
                self.end(index);
                Ok(())
            }
        }
    }

    fn hear_page(&mut self, index: usize, exchange: FetchResult) -> Checked {
        let (tab, epoch, person) = (self.tab(index), self.tasks[index].epoch, self.tasks[index].person);
        self.browser.look(tab, self.now());
        let Errand::Page { deed, request, .. } = &mut self.tasks[index].errand else { return Ok(()) };
        let deed = *deed;
        let answered = request.on_response(&self.browser.tabs[tab].machine, exchange);
        if matches!(answered, ResponseAction::Deliver(_)) {
            prop_assert_eq!(self.shown(tab), Some(person), "an answer was shown to somebody else");
        }
        match answered {
            ResponseAction::Retry => return Ok(()),
            ResponseAction::Deliver(Err(_)) if self.repeats(index) => return Ok(()),
            ResponseAction::Deliver(exchange) | ResponseAction::Discard(exchange) if deed == Deed::ChangePassword => {
                return self.adopt(index, exchange);
            }
            ResponseAction::Deliver(Ok(answer)) if deed == Deed::SignOutEverywhere && answer.status == 200 => {
                self.forget(tab, epoch, person)?;
            }
            ResponseAction::Deliver(_) | ResponseAction::Discard(_) => {}
        }
        self.end(index);
        Ok(())
    }

    /// Whether the tab sends what it asks for once more, because the response was lost.
    fn repeats(&mut self, index: usize) -> bool {
        let Errand::Page { request, step: Some(step), .. } = &mut self.tasks[index].errand else { return false };
        step.lost += 1;
        let is_repeated = policy::repeat_after(&Err(policy::TransportError::Unreachable), step.lost, 0.5).is_some();
        if is_repeated {
            request.repeat();
        }
        is_repeated
    }

    /// The answer to a sign-in or to a change of the password.
    fn adopt(&mut self, index: usize, exchange: FetchResult) -> Checked {
        let (tab, epoch, person) = (self.tab(index), self.tasks[index].epoch, self.tasks[index].person);
        self.end(index);
        let Some(answer) = exchange.ok().filter(|answer| answer.status == 200) else { return Ok(()) };
        let given: IssuedTokens = serde_json::from_str(&answer.body).unwrap();
        self.seeds += 1;
        let tokens =
            SessionTokens::signed_in(&given, answer.sent, answer.received, Uuid::from_u128(self.seeds)).unwrap();
        let seen = self.browser.seen(self.now());
        let machine = &mut self.browser.tabs[tab].machine;
        let effect = machine.sign_in(epoch, &tokens, given.user, seen);
        let begins = matches!(effect, Effect::Begin(..));
        if begins {
            machine.on_written(true);
            let replaces_another = self.current.is_some_and(|current| self.owner(current) != person);
            prop_assert!(!replaces_another, "somebody else's session was replaced");
            self.current = Some(tokens.session());
        }
        self.browser.carry_out(effect);
        if !begins {
            self.part(tab, &tokens);
        }
        Ok(())
    }

    /// The answer to a refresh, or none.
    fn settle(&mut self, index: usize, exchange: &FetchResult) -> Checked {
        let tab = self.tab(index);
        let Errand::Refresh { parent: Some(parent), .. } = &self.tasks[index].errand else { return Ok(()) };
        let parent = parent.clone();
        self.end(index);
        let seen = self.browser.seen(self.now());
        let outcome = refresh_outcome(&parent, exchange);
        let effect = self.browser.tabs[tab].machine.apply_refresh(&parent, outcome, seen, 0.5);
        self.follow(&parent, effect)
    }

    /// Does what a tab has decided about the answer to a refresh.
    pub fn follow(&mut self, parent: &SessionTokens, effect: Effect) -> Checked {
        if let Effect::EndSession(reason) = &effect {
            self.check_ended(parent.session(), *reason)?;
            self.current = None;
        }
        self.browser.carry_out(effect);
        Ok(())
    }

    /// Tells the API that a session is over here.
    pub fn part(&mut self, tab: usize, tokens: &SessionTokens) {
        self.given_up.insert(tokens.session());
        let index = self.begin(tab, self.owner(tokens.session()), Errand::Parting);
        if self.transport == TokenTransport::Cookie {
            self.turns.queue_up(self.tasks[index].id);
        }
        self.tasks[index].stage = Stage::Sent(self.logout_request(tokens));
    }

    fn end(&mut self, index: usize) {
        let task = self.tasks.remove(index);
        self.turns.give_back(task.id);
    }

    /// The tab of something that ends with its tab.
    fn tab(&self, index: usize) -> usize {
        self.tasks[index].tab.unwrap_or_default()
    }

    /// A session was ended: by its owner, by time, or because the browser lost its cookie, which in turns it does not.
    fn check_ended(&self, session: auth_types::SessionId, reason: Reason) -> Checked {
        prop_assert_eq!(Some(session), self.current, "a verdict on another session");
        let by_owner = self.given_up.contains(&session);
        match reason {
            Reason::SessionRevoked => prop_assert!(by_owner, "somebody else ended this session"),
            Reason::CredentialsMissing => prop_assert!(by_owner || !self.orderly, "somebody else took the cookie"),
            _ => {}
        }
        Ok(())
    }
}
