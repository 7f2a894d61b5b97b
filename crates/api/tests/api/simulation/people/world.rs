//! The API, one browser, the people in front of it, and the expected state.

use super::Step;
use super::requests::session_of;
use super::task::{Loss, PageAction, Stage, Task, TaskKind};
use super::web_lock::WebLock;
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
/// More rounds than any task needs that is not stuck.
pub const MAX_ROUNDS: usize = 24;

pub type Checked<T = ()> = Result<T, TestCaseError>;

pub struct World {
    pub app: TestApp,
    pub transport: TokenTransport,
    pub browser: Browser,
    /// The cookies.
    pub jar: support::Browser,
    pub lock: WebLock,
    pub tasks: Vec<Task>,
    /// The owner of each session.
    owners: HashMap<SessionId, usize>,
    pub passwords: [&'static str; 2],
    /// Sessions that their owners have ended in any way.
    pub ended: HashSet<SessionId>,
    /// The session that the storage must contain.
    pub current: Option<SessionId>,
    /// Whether every response with cookies arrived under the lock.
    pub cookies_in_order: bool,
    pub seeds: u128,
    /// The session that each change of a password returned, by its key, and the time of the change.
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
            lock: WebLock::new(locks),
            tasks: Vec::new(),
            owners: HashMap::new(),
            passwords: [PASSWORD; 2],
            ended: HashSet::new(),
            current: None,
            cookies_in_order: locks,
            seeds: 0,
            changes: HashMap::new(),
        }
    }

    pub fn now(&self) -> DateTime<Utc> {
        api::clock::Clock::now(&**self.app.clock())
    }

    pub async fn perform(&mut self, step: Step) -> Checked {
        let now = self.now();
        match step {
            Step::Wait { seconds } => self.wait(seconds),
            Step::Act { tab, action } => self.act(tab, action),
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
            Step::SkipLock { task } => self.skip_lock(task),
            Step::StorageEvent { tab } => self.browser.deliver_storage_events(tab, now),
            Step::Crash { tab } => self.crash(tab),
            Step::WriteLate(late) => self.write_late(late).await?,
        }
        prop_assert_eq!(
            self.browser.stored_session(),
            self.current,
            "the session in the storage is not the current one"
        );
        Ok(())
    }

    fn wait(&mut self, seconds: i64) {
        self.app.clock().advance(Duration::seconds(seconds));
        self.browser.steady += seconds * 1000;
    }

    /// The person in front of the tab, by the page that it shows.
    pub fn shown(&self, tab: usize) -> Option<usize> {
        self.browser.tabs[tab].machine.tokens().map(|tokens| self.owner(tokens.session()))
    }

    fn act(&mut self, tab: usize, action: PageAction) {
        if let Some(person) = self.shown(tab) {
            let request = BoundRequest::new(self.browser.tabs[tab].machine.epoch());
            self.begin(tab, person, TaskKind::Page { action, request, step: None });
        }
    }

    fn sign_in(&mut self, tab: usize, person: usize) {
        if self.shown(tab).is_none() {
            self.begin(tab, person, TaskKind::SignIn);
        }
    }

    pub fn sign_out(&mut self, tab: usize) -> Checked {
        let epoch = self.browser.tabs[tab].machine.epoch();
        let Some(person) = self.shown(tab) else { return Ok(()) };
        let tokens = self.end_session(tab, epoch, person)?;
        if let Some(tokens) = tokens {
            self.send_sign_out(tab, &tokens);
        }
        Ok(())
    }

    /// Ends the session of this person's page in the tab, if the tab still has it.
    pub fn end_session(&mut self, tab: usize, epoch: Epoch, person: usize) -> Checked<Option<SessionTokens>> {
        let snapshot = self.browser.snapshot(self.now());
        let effect = self.browser.tabs[tab].machine.sign_out(epoch, SignOutReason::ByUser, snapshot);
        let ended = if let Effect::SignOut(tokens, _) = &effect { Some(SessionTokens::clone(tokens)) } else { None };
        if let Some(tokens) = &ended {
            prop_assert_eq!(Some(tokens.session()), self.current, "a session that is not in storage was ended");
            prop_assert_eq!(self.owner(tokens.session()), person, "another person was signed out");
            self.current = None;
        }
        self.browser.apply_effect(effect);
        Ok(ended)
    }

    /// Starts a task on the page that the tab shows.
    pub fn begin(&mut self, tab: usize, person: usize, kind: TaskKind) -> usize {
        let epoch = self.browser.tabs[tab].machine.epoch();
        self.seeds += 1;
        let id = u64::try_from(self.seeds).unwrap();
        self.tasks.push(Task { id, tab: Some(tab), epoch, person, kind, stage: Stage::Ready });
        self.tasks.len() - 1
    }

    fn newest(&self, task: usize) -> Option<usize> {
        let count = self.tasks.len();
        (count > 0).then(|| count - 1 - task % count)
    }

    /// Advances a task as far as possible without the others.
    async fn finish(&mut self, id: u64) -> Checked {
        for _ in 0..MAX_ROUNDS {
            let Some(index) = self.tasks.iter().position(|task| task.id == id) else { return Ok(()) };
            if !self.advance(index).await? {
                return Ok(());
            }
        }
        prop_assert!(false, "a task never ends: {:?}", self.tasks);
        Ok(())
    }

    /// Finishes all tasks.
    pub async fn finish_all(&mut self) -> Checked {
        for _ in 0..MAX_ROUNDS {
            for id in self.tasks.iter().map(|task| task.id).collect::<Vec<_>>() {
                self.finish(id).await?;
                prop_assert_eq!(self.browser.stored_session(), self.current);
            }
        }
        prop_assert!(self.tasks.is_empty(), "tasks wait for ever: {:?}", self.tasks);
        Ok(())
    }

    fn skip_lock(&mut self, task: usize) {
        let queued = |world: &Self, index: &usize| matches!(world.tasks[*index].stage, Stage::Queued);
        if let Some(index) = self.newest(task).filter(|index| queued(self, index)) {
            self.lock.release(self.tasks[index].id);
            self.cookies_in_order = false;
        }
    }

    fn lose(&mut self, task: usize, loss: Loss) -> Checked {
        let Some(index) = self.newest(task) else { return Ok(()) };
        if matches!(&self.tasks[index].stage, Stage::Sent(_) | Stage::Responded(..)) {
            self.receive(index, Some(loss))?;
        }
        Ok(())
    }

    /// Aborts the tab's requests, except a sign-out's, which continues without the tab.
    fn crash(&mut self, tab: usize) {
        self.browser.crash(tab);
        let is_sign_out = |task: &Task| matches!(task.kind, TaskKind::SignOut);
        for task in self.tasks.iter_mut().filter(|task| task.is_of(tab)) {
            self.lock.release(task.id);
            if is_sign_out(task) {
                self.cookies_in_order = false;
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

    /// Records a session that the API has created.
    pub fn record_session(&mut self, access: &str, person: usize) {
        self.owners.insert(session_of(access), person);
    }

    /// Finishes all tasks, and checks that no person has the other's name.
    pub async fn check_final_state(&mut self) -> Checked {
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
