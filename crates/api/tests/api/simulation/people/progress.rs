//! The work of a task between two waits, as the client's session layer does it.

use super::requests;
use super::task::{Loss, PageAction, Stage, TaskKind};
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
    /// Advances a task to its next wait; `false` if it has to wait for another task.
    pub async fn advance(&mut self, index: usize) -> Checked<bool> {
        match &self.tasks[index].stage {
            Stage::Ready => self.start(index).map(|()| true),
            Stage::Queued if self.lock.is_free_for(self.tasks[index].id) => self.start_with_lock(index).map(|()| true),
            Stage::Queued => Ok(false),
            Stage::Refreshing => Ok(self.finish_refreshing(index)),
            Stage::Sent(sent) => {
                let (sent, at) = (sent.clone(), sent.at);
                let response = self.request(&sent).await;
                self.check_served(index, &response)?;
                self.tasks[index].stage = Stage::Responded(response, at);
                Ok(true)
            }
            Stage::Responded(..) => self.receive(index, None).map(|()| true),
        }
    }

    fn finish_refreshing(&mut self, index: usize) -> bool {
        let (tab, epoch) = (self.tasks[index].tab, self.tasks[index].epoch);
        let is_over = tab.is_none_or(|tab| !self.tasks.iter().any(|task| task.is_refresh_of(tab, epoch)));
        if is_over {
            self.tasks[index].stage = Stage::Ready;
        }
        is_over
    }

    fn start(&mut self, index: usize) -> Checked {
        if let TaskKind::Page { action, .. } = self.tasks[index].kind {
            let needs_lock = self.transport == TokenTransport::Cookie && action == PageAction::ChangePassword;
            return self.next_page_step(index, needs_lock);
        }
        match self.transport {
            TokenTransport::Cookie => self.queue(index),
            TokenTransport::Body => self.send_for_tokens(index)?,
        }
        Ok(())
    }

    fn start_with_lock(&mut self, index: usize) -> Checked {
        match self.tasks[index].kind {
            TaskKind::Page { .. } => self.next_page_step(index, false),
            _ => self.send_for_tokens(index),
        }
    }

    fn queue(&mut self, index: usize) {
        self.lock.request(self.tasks[index].id);
        self.tasks[index].stage = Stage::Queued;
    }

    /// Takes the next step of a page's request; if `queues`, it must get the lock before it is sent.
    fn next_page_step(&mut self, index: usize, queues: bool) -> Checked {
        let now = self.now();
        let tab = self.tab(index);
        self.browser.sync_from_storage(tab, now);
        let local = self.browser.now(now);
        let TaskKind::Page { request, .. } = &mut self.tasks[index].kind else { return Ok(()) };
        match request.next(&self.browser.tabs[tab].machine, local) {
            RequestStep::Fail(_) => self.end(index),
            RequestStep::Refresh(refused) => self.wait_for_refresh(index, refused),
            RequestStep::Send(_) if queues => self.queue(index),
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
        self.lock.release(id);
        self.tasks[index].stage = Stage::Refreshing;
        if !self.tasks.iter().any(|task| task.is_refresh_of(tab, epoch)) {
            self.begin(tab, person, TaskKind::Refresh { refused, parent: None });
        }
    }

    /// Sends a refresh or a sign-in, if the tab still has the page's session.
    fn send_for_tokens(&mut self, index: usize) -> Checked {
        let now = self.now();
        let (tab, epoch) = (self.tab(index), self.tasks[index].epoch);
        self.browser.sync_from_storage(tab, now);
        let machine = &self.browser.tabs[tab].machine;
        let plan = match &self.tasks[index].kind {
            TaskKind::Refresh { refused, .. } => {
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
                self.tasks[index].kind = TaskKind::Refresh { refused: None, parent: Some(tokens) };
            }
            Some(_) => self.end(index),
        }
        Ok(())
    }

    /// The browser receives the response or its loss, and the tab does what its state machine decides.
    pub fn receive(&mut self, index: usize, loss: Option<Loss>) -> Checked {
        let exchange = match std::mem::replace(&mut self.tasks[index].stage, Stage::Ready) {
            Stage::Responded(response, at) => {
                if loss != Some(Loss::All) {
                    self.jar.keep(&response);
                }
                let now = self.browser.now(self.now());
                let (status, kind) = (response.status.as_u16(), response.header("content-type"));
                loss.map_or_else(
                    || Ok(policy::ApiResponse::new(status, kind, response.text()).timed(at, now)),
                    |_| LOST,
                )
            }
            _ => LOST,
        };
        match &self.tasks[index].kind {
            TaskKind::Page { .. } => self.receive_for_page(index, exchange),
            TaskKind::Refresh { .. } => self.apply_refresh(index, &exchange),
            TaskKind::SignIn => self.adopt(index, exchange),
            TaskKind::SignOut => {
                self.end(index);
                Ok(())
            }
        }
    }

    fn receive_for_page(&mut self, index: usize, exchange: FetchResult) -> Checked {
        let (tab, epoch, person) = (self.tab(index), self.tasks[index].epoch, self.tasks[index].person);
        self.browser.sync_from_storage(tab, self.now());
        let TaskKind::Page { action, request, .. } = &mut self.tasks[index].kind else { return Ok(()) };
        let action = *action;
        let next = request.on_response(&self.browser.tabs[tab].machine, exchange);
        if matches!(next, ResponseAction::Deliver(_)) {
            prop_assert_eq!(self.shown(tab), Some(person), "a response was shown to another person");
        }
        match next {
            ResponseAction::Retry => return Ok(()),
            ResponseAction::Deliver(Err(_)) if self.repeats(index) => return Ok(()),
            ResponseAction::Deliver(exchange) | ResponseAction::Discard(exchange)
                if action == PageAction::ChangePassword =>
            {
                return self.adopt(index, exchange);
            }
            ResponseAction::Deliver(Ok(response))
                if action == PageAction::SignOutEverywhere && response.status == 200 =>
            {
                self.end_session(tab, epoch, person)?;
            }
            ResponseAction::Deliver(_) | ResponseAction::Discard(_) => {}
        }
        self.end(index);
        Ok(())
    }

    /// Whether the tab repeats its request, because the response was lost.
    fn repeats(&mut self, index: usize) -> bool {
        let TaskKind::Page { request, step: Some(step), .. } = &mut self.tasks[index].kind else { return false };
        step.lost += 1;
        let is_repeated = policy::repeat_after(&Err(policy::TransportError::Unreachable), step.lost, 0.5).is_some();
        if is_repeated {
            request.repeat();
        }
        is_repeated
    }

    /// Handles the response to a sign-in or to a change of the password.
    fn adopt(&mut self, index: usize, exchange: FetchResult) -> Checked {
        let (tab, epoch, person) = (self.tab(index), self.tasks[index].epoch, self.tasks[index].person);
        self.end(index);
        let Some(response) = exchange.ok().filter(|response| response.status == 200) else { return Ok(()) };
        let issued: IssuedTokens = serde_json::from_str(&response.body).unwrap();
        self.seeds += 1;
        let tokens =
            SessionTokens::from_response(&issued, response.sent, response.received, Uuid::from_u128(self.seeds))
                .unwrap();
        let snapshot = self.browser.snapshot(self.now());
        let machine = &mut self.browser.tabs[tab].machine;
        let effect = machine.sign_in(epoch, &tokens, issued.user, snapshot);
        let begins = matches!(effect, Effect::Begin(..));
        if begins {
            machine.on_written(true);
            let replaces_another = self.current.is_some_and(|current| self.owner(current) != person);
            prop_assert!(!replaces_another, "another person's session was replaced");
            self.current = Some(tokens.session());
        }
        self.browser.apply_effect(effect);
        if !begins {
            self.send_sign_out(tab, &tokens);
        }
        Ok(())
    }

    /// Handles the response to a refresh, or its loss.
    fn apply_refresh(&mut self, index: usize, exchange: &FetchResult) -> Checked {
        let tab = self.tab(index);
        let TaskKind::Refresh { parent: Some(parent), .. } = &self.tasks[index].kind else { return Ok(()) };
        let parent = parent.clone();
        self.end(index);
        let snapshot = self.browser.snapshot(self.now());
        let outcome = refresh_outcome(&parent, exchange);
        let effect = self.browser.tabs[tab].machine.apply_refresh(&parent, outcome, snapshot, 0.5);
        self.apply_decision(&parent, effect)
    }

    /// Applies what a tab has decided about the response to a refresh.
    pub fn apply_decision(&mut self, parent: &SessionTokens, effect: Effect) -> Checked {
        if let Effect::EndSession(reason) = &effect {
            self.check_ended(parent.session(), *reason)?;
            self.current = None;
        }
        self.browser.apply_effect(effect);
        Ok(())
    }

    /// Sends the sign-out of a session to the API.
    pub fn send_sign_out(&mut self, tab: usize, tokens: &SessionTokens) {
        self.ended.insert(tokens.session());
        let index = self.begin(tab, self.owner(tokens.session()), TaskKind::SignOut);
        if self.transport == TokenTransport::Cookie {
            self.lock.announce_sign_out(self.tasks[index].id);
        }
        self.tasks[index].stage = Stage::Sent(self.logout_request(tokens));
    }

    fn end(&mut self, index: usize) {
        let task = self.tasks.remove(index);
        self.lock.release(task.id);
    }

    /// The tab of a task that ends with its tab.
    fn tab(&self, index: usize) -> usize {
        self.tasks[index].tab.unwrap_or_default()
    }

    /// Checks the reason for a session's end: its owner, time, or a lost cookie, which does not happen under the lock.
    fn check_ended(&self, session: auth_types::SessionId, reason: Reason) -> Checked {
        prop_assert_eq!(Some(session), self.current, "the response ended another session");
        let by_owner = self.ended.contains(&session);
        match reason {
            Reason::SessionRevoked => prop_assert!(by_owner, "this session was not ended by its owner"),
            Reason::CredentialsMissing => {
                prop_assert!(by_owner || !self.cookies_in_order, "the cookie was lost although the lock was held");
            }
            _ => {}
        }
        Ok(())
    }
}
