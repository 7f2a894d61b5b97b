//! The API, one browser, the people before it, and what they believe.

use super::Step;
use super::requests::session_of;
use super::task::{Deed, Errand, Loss, Stage, Task};
use super::turns::Turns;
use crate::simulation::browser::Browser;
use crate::support::{self, Database, PASSWORD, TestApp};
use auth_types::SessionId;
use auth_types::responses::TokenTransport;
use chrono::{DateTime, Duration, Utc};
use client::policy::{BoundRequest, Effect, Epoch, SessionTokens, SignOutReason};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};

pub const PEOPLE: [&str; 2] = ["ada@example.com", "eve@example.com"];
pub const TABS: usize = 3;
/// More steps than anything takes that is not stuck.
pub const ENDLESS: usize = 24;

pub type Checked<T = ()> = Result<T, TestCaseError>;

pub struct World {
    pub app: TestApp,
    pub transport: TokenTransport,
    pub browser: Browser,
    /// The cookies.
    pub jar: support::Browser,
    pub turns: Turns,
    pub tasks: Vec<Task>,
    /// Whose sessions there are.
    owners: HashMap<SessionId, usize>,
    pub passwords: [&'static str; 2],
    /// Sessions that their owners have ended, in one way or another.
    pub given_up: HashSet<SessionId>,
    /// The session that the browser's people take for theirs.
    pub current: Option<SessionId>,
    /// Whether every answer with cookies came in its turn.
    pub orderly: bool,
    pub seeds: u128,
    /// Which session came of which change of a password, by its key, and when.
    pub changes: HashMap<String, (SessionId, DateTime<Utc>)>,
}

impl World {
    pub async fn new(database: Database, transport: TokenTransport, locks: bool) -> Self {
        let builder = PEOPLE.iter().fold(TestApp::builder(database), |builder, email| builder.user(email));
        let builder = builder.set("ACCESS_TOKEN_LIFETIME", "60").set("REFRESH_TOKEN_LIFETIME", "7200");
        let builder = match transport {
            TokenTransport::Body => builder,
            TokenTransport::Cookie => builder.set("TOKEN_TRANSPORT", "cookie"),
        };
        Self {
            app: builder.start().await,
            transport,
            browser: Browser::new(TABS, -90_000),
            jar: support::Browser::default(),
            turns: Turns::new(locks),
            tasks: Vec::new(),
            owners: HashMap::new(),
            passwords: [PASSWORD; 2],
            given_up: HashSet::new(),
            current: None,
            orderly: locks,
            seeds: 0,
            changes: HashMap::new(),
        }
    }

    pub fn now(&self) -> DateTime<Utc> {
        api::clock::Clock::now(&**self.app.clock())
    }

    pub async fn take(&mut self, step: Step) -> Checked {
        let now = self.now();
        match step {
            Step::Wait { seconds } => self.wait(seconds),
            Step::Act { tab, deed } => self.act(tab, deed),
            Step::SignIn { tab, person } => self.sign_in(tab, person),
            Step::SignOut { tab } => self.sign_out(tab)?,
            Step::Advance { task } => {
                if let Some(index) = self.newest(task) {
                    self.advance(index).await?;
                }
            }
            Step::Finish { task } => {
                if let Some(index) = self.newest(task) {
                    self.finish(self.tasks[index].id).await?;
                }
            }
            Step::Lose { task, loss } => self.lose(task, loss)?,
            Step::GoAhead { task } => self.go_ahead(task),
            Step::StorageEvent { tab } => self.browser.tell(tab, now),
            Step::Crash { tab } => self.crash(tab),
            Step::WriteLate(late) => self.write_late(late).await?,
        }
        prop_assert_eq!(self.browser.stored_session(), self.current, "what storage holds, and who sits there");
        Ok(())
    }

    fn wait(&mut self, seconds: i64) {
        self.app.clock().advance(Duration::seconds(seconds));
        self.browser.steady += seconds * 1000;
    }

    /// Who sits before the tab, by the page that it shows.
    pub fn shown(&self, tab: usize) -> Option<usize> {
        self.browser.tabs[tab].machine.tokens().map(|tokens| self.owner(tokens.session()))
    }

    fn act(&mut self, tab: usize, deed: Deed) {
        if let Some(person) = self.shown(tab) {
            let request = BoundRequest::new(self.browser.tabs[tab].machine.epoch());
            self.begin(tab, person, Errand::Page { deed, request, step: None });
        }
    }

    fn sign_in(&mut self, tab: usize, person: usize) {
        if self.shown(tab).is_none() {
            self.begin(tab, person, Errand::SignIn);
        }
    }

    pub fn sign_out(&mut self, tab: usize) -> Checked {
        let epoch = self.browser.tabs[tab].machine.epoch();
        let Some(person) = self.shown(tab) else { return Ok(()) };
        let tokens = self.forget(tab, epoch, person)?;
        if let Some(tokens) = tokens {
            self.part(tab, &tokens);
        }
        Ok(())
    }

    /// The tab forgets the session of a page of this person's, if it is still the tab's.
    pub fn forget(&mut self, tab: usize, epoch: Epoch, person: usize) -> Checked<Option<SessionTokens>> {
        let seen = self.browser.seen(self.now());
        let effect = self.browser.tabs[tab].machine.sign_out(epoch, SignOutReason::ByUser, seen);
        let gone = if let Effect::SignOut(tokens, _) = &effect { Some(SessionTokens::clone(tokens)) } else { None };
        if let Some(tokens) = &gone {
            prop_assert_eq!(Some(tokens.session()), self.current, "a session that is not in storage was ended");
            prop_assert_eq!(self.owner(tokens.session()), person, "somebody else was signed out");
            self.current = None;
        }
        self.browser.carry_out(effect);
        Ok(gone)
    }

    /// Something begins on the page that the tab shows.
    pub fn begin(&mut self, tab: usize, person: usize, errand: Errand) -> usize {
        let epoch = self.browser.tabs[tab].machine.epoch();
        self.seeds += 1;
        let id = u64::try_from(self.seeds).unwrap();
        self.tasks.push(Task { id, tab: Some(tab), epoch, person, errand, stage: Stage::Asked });
        self.tasks.len() - 1
    }

    fn newest(&self, task: usize) -> Option<usize> {
        let count = self.tasks.len();
        (count > 0).then(|| count - 1 - task % count)
    }

    /// As far as it can without anything else.
    async fn finish(&mut self, id: u64) -> Checked {
        for _ in 0..ENDLESS {
            let Some(index) = self.tasks.iter().position(|task| task.id == id) else { return Ok(()) };
            if !self.advance(index).await? {
                return Ok(());
            }
        }
        prop_assert!(false, "it goes round in circles: {:?}", self.tasks);
        Ok(())
    }

    /// All that is under way ends.
    pub async fn finish_all(&mut self) -> Checked {
        for _ in 0..ENDLESS {
            for id in self.tasks.iter().map(|task| task.id).collect::<Vec<_>>() {
                self.finish(id).await?;
                prop_assert_eq!(self.browser.stored_session(), self.current);
            }
        }
        prop_assert!(self.tasks.is_empty(), "something waits for ever: {:?}", self.tasks);
        Ok(())
    }

    fn go_ahead(&mut self, task: usize) {
        let queued = |world: &Self, index: &usize| matches!(world.tasks[*index].stage, Stage::Queued);
        if let Some(index) = self.newest(task).filter(|index| queued(self, index)) {
            self.turns.give_back(self.tasks[index].id);
            self.orderly = false;
        }
    }

    fn lose(&mut self, task: usize, loss: Loss) -> Checked {
        let Some(index) = self.newest(task) else { return Ok(()) };
        if matches!(&self.tasks[index].stage, Stage::Sent(_) | Stage::Answered(..)) {
            self.hear(index, Some(loss))?;
        }
        Ok(())
    }

    /// Its requests are given up, but for a sign-out's, which nobody waits for any more.
    fn crash(&mut self, tab: usize) {
        self.browser.crash(tab);
        let is_parting = |task: &Task| matches!(task.errand, Errand::Parting);
        for task in self.tasks.iter_mut().filter(|task| task.is_of(tab)) {
            self.turns.give_back(task.id);
            if is_parting(task) {
                self.orderly = false;
                task.tab = None;
            }
        }
        self.tasks.retain(|task| !task.is_of(tab));
    }

    pub fn owner(&self, session: SessionId) -> usize {
        self.owners[&session]
    }

    pub fn sessions_of(&self, person: usize) -> Vec<SessionId> {
        self.owners.iter().filter(|(_, owner)| **owner == person).map(|(session, _)| *session).collect()
    }

    /// The API has made a session.
    pub fn note_session(&mut self, access: &str, person: usize) {
        self.owners.insert(session_of(access), person);
    }

    /// What is left under way ends and does no harm, and nobody carries the other's name.
    pub async fn check_the_end(&mut self) -> Checked {
        self.finish_all().await?;
        for (person, email) in PEOPLE.iter().enumerate() {
            let login = json!({"email": email, "password": self.passwords[person]});
            let signed_in: Value = self.app.post("/api/auth/login/", &login).await.json();
            let name = signed_in["user"]["display_name"].as_str().unwrap_or("?");
            prop_assert!(name.is_empty() || name == *email, "{} is called {}", email, name);
        }
        Ok(())
    }
}
