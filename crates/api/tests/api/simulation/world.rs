//! The API, the browsers, the thief, and the model that they are compared with.

use super::browser::{Browser, LOST, PendingRefresh, Sent};
use super::model::{ClientTraits, Expected, ModelSession, Party, Presentation, Rules};
use super::thief::StolenTokens;
use super::{Loss, Step, cookies};
use crate::support::{Database, TestApp, TestResponse};
use auth_types::requests::RefreshRequest;
use auth_types::responses::{TokenResponse, TokenTransport};
use auth_types::{Reason, SessionId};
use chrono::{DateTime, Duration, Utc};
use client::policy::{self, Effect, IssuedTokens, SessionTokens, SignOutReason, TokenPlan};
use proptest::prelude::*;
use uuid::Uuid;

const EMAIL: &str = "ada@example.com";
/// The client's timeout; after it a request does not arrive any more.
const REQUEST_TIMEOUT: Duration = Duration::seconds(30);
const TABS: usize = 3;
/// A phone whose client sends no keys.
const PHONE: ClientTraits = ClientTraits { address: "2001:db8:0:1::1", user_agent: "phone/1" };
/// A computer of the same kind in another network.
const OFFICE: ClientTraits = ClientTraits { address: "198.51.100.7", user_agent: "fox/1" };

pub type Checked<T = ()> = Result<T, TestCaseError>;

/// A browser, and one of its tabs.
#[derive(Clone, Copy)]
struct TabPosition {
    browser: usize,
    tab: usize,
}

pub struct World {
    pub app: TestApp,
    /// Where the refresh token is; see [`cookies`].
    transport: TokenTransport,
    rules: Rules,
    pub browsers: Vec<Browser>,
    sessions: Vec<ModelSession>,
    /// The tokens that the thief has.
    pub stolen: Vec<StolenTokens>,
    seeds: u128,
}

impl World {
    pub async fn new(database: Database, transport: TokenTransport, leeway: i64) -> Self {
        let app = lifetimes(TestApp::builder(database).user(EMAIL), leeway).start().await;
        let settings = &app.settings().lifetimes;
        let rules = Rules { refresh: settings.refresh, session: settings.session, leeway: settings.leeway };
        let office = Browser::new(TABS, -90_000).at(OFFICE);
        let phone = Browser::new(TABS, 0).at(PHONE).without_keys();
        let browsers = vec![Browser::new(TABS, 7_200_000), office, phone];
        let mut world = Self { app, transport, rules, browsers, sessions: Vec::new(), stolen: Vec::new(), seeds: 0 };
        for browser in 0..world.browsers.len() {
            world.sign_in(TabPosition { browser, tab: 0 }).await;
        }
        world
    }

    pub fn now(&self) -> DateTime<Utc> {
        api::clock::Clock::now(&**self.app.clock())
    }

    pub async fn perform(&mut self, step: Step) -> Checked {
        let position = |tab: usize| TabPosition { browser: tab / TABS, tab: tab % TABS };
        match step {
            Step::Wait { seconds, asleep } => self.wait(seconds, asleep),
            Step::Use { tab } => self.use_tab(position(tab)).await?,
            Step::Arrive { tab } => self.arrive(position(tab)).await?,
            Step::ArriveTwice { tab } => {
                let pending = self.browsers[position(tab).browser].tabs[position(tab).tab].pending.clone();
                self.arrive(position(tab)).await?;
                self.browsers[position(tab).browser].tabs[position(tab).tab].pending = pending;
                self.arrive(position(tab)).await?;
            }
            Step::Receive { tab, loss } => self.receive(position(tab), loss)?,
            Step::Refresh { tab } => {
                self.use_tab(position(tab)).await?;
                self.arrive(position(tab)).await?;
                self.receive(position(tab), Loss::Nothing)?;
            }
            Step::Crash { tab } => self.browsers[position(tab).browser].crash(position(tab).tab),
            Step::SetWallClock { tab, seconds } => self.set_wall_clock(position(tab).browser, seconds),
            Step::SignIn { tab } => self.sign_in(position(tab)).await,
            Step::SignOut { tab, arrives } => self.sign_out(position(tab), arrives).await?,
            Step::StorageEvent { tab } => {
                let now = self.now();
                self.browsers[position(tab).browser].deliver_storage_events(position(tab).tab, now);
            }
            Step::Steal { tab } => self.steal(position(tab).browser),
            Step::ThiefPoll { stolen } => self.thief_poll(stolen).await?,
            Step::ThiefRefresh { stolen, disguised, key } => self.thief_refresh(stolen, disguised, key).await?,
            Step::Restart => self.restart().await,
        }
        Ok(())
    }

    fn wait(&mut self, seconds: i64, asleep: bool) {
        self.app.clock().advance(Duration::seconds(seconds));
        for browser in self.browsers.iter_mut().filter(|_| !asleep) {
            browser.steady += seconds * 1000;
        }
    }

    /// The clock stays unchanged while a request is pending: a jump forth and back would make a tab refresh twice during the
    /// other tab's request, faster than any user can change a clock.
    fn set_wall_clock(&mut self, browser: usize, seconds: i64) {
        if self.browsers[browser].tabs.iter().all(|tab| tab.pending.is_none()) {
            self.browsers[browser].wall_error = seconds * 1000;
        }
    }

    async fn restart(&mut self) {
        let (db, clock) = (self.app.db().clone(), self.app.clock().clone());
        let builder = TestApp::builder_on(db).clock(&clock);
        self.app = lifetimes(builder, self.rules.leeway.num_seconds()).start().await;
    }

    async fn sign_in(&mut self, TabPosition { browser, tab }: TabPosition) {
        let (now, rules) = (self.now(), self.rules);
        if self.must_wait(browser) {
            return;
        }
        let response = self.app.login(EMAIL).await;
        self.seeds += 1;
        let (issued, cookie) = self.split(response.clone());
        let browser = &mut self.browsers[browser];
        browser.sync_from_storage(tab, now);
        let (local, snapshot) = (browser.now(now), browser.snapshot(now));
        let tokens = SessionTokens::from_response(&issued, local, local, Uuid::from_u128(self.seeds)).unwrap();
        browser.cookie = cookie;
        let id = tokens.session();
        let machine = &mut browser.tabs[tab].machine;
        let effect = machine.sign_in(machine.epoch(), &tokens, issued.user, snapshot);
        assert!(matches!(effect, Effect::Begin(..)), "{effect:?}");
        machine.on_written(true);
        browser.tabs[tab].pending = None;
        browser.write(&tokens);
        let session = ModelSession::signed_in(id, (&response.access, &response.refresh), now, rules);
        self.sessions.push(if browser.sends_keys { session } else { session.without_keys() });
    }

    /// With cookies, a lock lets only one tab of a browser sign in or refresh at a time.
    fn must_wait(&self, browser: usize) -> bool {
        self.transport == TokenTransport::Cookie && self.browsers[browser].is_busy()
    }

    /// The part of a response with tokens that tabs see, and the cookie.
    fn split(&self, response: TokenResponse) -> (IssuedTokens, Option<String>) {
        match self.transport {
            TokenTransport::Body => (response.into(), None),
            TokenTransport::Cookie => {
                let (visible, cookie) = cookies::split(response);
                (visible.into(), Some(cookie))
            }
        }
    }

    async fn sign_out(&mut self, TabPosition { browser, tab }: TabPosition, arrives: bool) -> Checked {
        let now = self.now();
        self.browsers[browser].sync_from_storage(tab, now);
        let snapshot = self.browsers[browser].snapshot(now);
        let machine = &mut self.browsers[browser].tabs[tab].machine;
        let effect = machine.sign_out(machine.epoch(), SignOutReason::ByUser, snapshot);
        let Effect::SignOut(tokens, _) = effect else { return Ok(()) };
        self.browsers[browser].clear();
        let token = self.browsers[browser].refresh(tokens.clone()).token;
        if let Some(token) = token.filter(|token| arrives && self.session_of(token) == tokens.session()) {
            let status = self.app.logout(&token).await.status;
            prop_assert_eq!(status.as_u16(), 200);
            self.browsers[browser].cookie = None;
            self.session(tokens.session()).revoked = true;
            self.check_access_is_refused(tokens.session()).await?;
        }
        Ok(())
    }

    /// Uses the access token, and prepares a refresh if it is due or the server refuses the access token.
    async fn use_tab(&mut self, TabPosition { browser, tab }: TabPosition) -> Checked {
        let now = self.now();
        if self.browsers[browser].tabs[tab].pending.is_some() || self.must_wait(browser) {
            return Ok(());
        }
        self.browsers[browser].sync_from_storage(tab, now);
        let local = self.browsers[browser].now(now);
        let machine = &self.browsers[browser].tabs[tab].machine;
        let epoch = machine.epoch();
        let mut plan = machine.plan(epoch, None, local);
        if let TokenPlan::Use(tokens) = &plan {
            let refused = self.use_access(tokens).await?;
            if !refused {
                return Ok(());
            }
            plan = self.browsers[browser].tabs[tab].machine.plan(epoch, tokens.access(), local);
        }
        if let TokenPlan::Refresh(parent) = plan {
            let sent = self.browsers[browser].refresh(parent);
            let pending = PendingRefresh::Sent { sent, at: local, server_at: now };
            self.browsers[browser].tabs[tab].pending = Some(pending);
        }
        Ok(())
    }

    /// Whether the server refused the access token. It must refuse it exactly when the session or the token is over.
    async fn use_access(&mut self, tokens: &SessionTokens) -> Checked<bool> {
        let now = self.now();
        let is_over = tokens.access_expires_at() <= now.timestamp_millis();
        let is_live = self.session(tokens.session()).is_live(now);
        let response = self.me(tokens.access().unwrap()).await;
        // The client calculates `access_expires_at`; within its rounding both responses are right.
        let is_uncertain = is_live && (tokens.access_expires_at() - now.timestamp_millis()).abs() <= 1_000;
        if !is_uncertain {
            prop_assert_eq!(response.status.as_u16(), if is_live && !is_over { 200 } else { 401 });
        }
        Ok(response.status.as_u16() == 401)
    }

    pub async fn me(&self, access: &str) -> TestResponse {
        let request = self.app.request(reqwest::Method::GET, "/api/auth/me/").bearer_auth(access);
        crate::support::send(request).await
    }

    /// The prepared request reaches the server, unless its client has timed out.
    async fn arrive(&mut self, TabPosition { browser, tab }: TabPosition) -> Checked {
        let now = self.now();
        let Some(PendingRefresh::Sent { sent, at, server_at }) = self.browsers[browser].tabs[tab].pending.clone()
        else {
            return Ok(());
        };
        if now - server_at > REQUEST_TIMEOUT {
            return Ok(());
        }
        let (response, cookie) = self.response_to(browser, &sent).await?;
        let response = response.timed(at, self.browsers[browser].now(now));
        self.browsers[browser].tabs[tab].pending = Some(PendingRefresh::Received { sent, response, cookie });
        Ok(())
    }

    /// The response that the tab would see, and the cookie that its browser would store.
    async fn response_to(&mut self, browser: usize, sent: &Sent) -> Checked<(policy::ApiResponse, Option<String>)> {
        let (key, id) = (sent.parent.idempotency_key(), sent.parent.session());
        let Some(token) = &sent.token else { return Ok((cookies::no_cookie(), None)) };
        if self.session_of(token) != id {
            return Ok((cookies::not_that_session(), None));
        }
        let Browser { client, sends_keys, .. } = self.browsers[browser];
        let key = Some(key.as_str()).filter(|_| sends_keys);
        let response = self.present(Presentation { token, key, client, party: Party::Owner }).await?;
        Ok(match self.transport {
            TokenTransport::Body => {
                let (status, kind) = (response.status.as_u16(), response.header("content-type"));
                (policy::ApiResponse::new(status, kind, response.text()), None)
            }
            TokenTransport::Cookie => cookies::split_response(&response),
        })
    }

    /// The tab receives the response or its loss, and does what its state machine decides.
    fn receive(&mut self, TabPosition { browser, tab }: TabPosition, loss: Loss) -> Checked {
        let now = self.now();
        let (sent, exchange) = match self.browsers[browser].tabs[tab].pending.take() {
            None => return Ok(()),
            Some(PendingRefresh::Sent { sent, .. }) => (sent, LOST),
            Some(PendingRefresh::Received { sent, response, cookie }) => {
                if loss != Loss::All && cookie.is_some() {
                    self.browsers[browser].cookie = cookie;
                }
                (sent, if loss == Loss::Nothing { Ok(response) } else { LOST })
            }
        };
        let snapshot = self.browsers[browser].snapshot(now);
        let outcome = policy::refresh_outcome(&sent.parent, &exchange);
        let effect = self.browsers[browser].tabs[tab].machine.apply_refresh(&sent.parent, outcome, snapshot, 0.5);
        if let Effect::EndSession(reason) = &effect {
            let session = self.session(sent.parent.session());
            let token_has_expired = sent.token.is_some_and(|token| session.token_has_expired(&token, now));
            prop_assert!(
                session.was_stolen || session.revoked || session.is_expired(now) || token_has_expired,
                "an honest client was signed out by its own retries: {reason:?}"
            );
        }
        self.browsers[browser].apply_effect(effect);
        Ok(())
    }

    pub fn session(&mut self, id: SessionId) -> &mut ModelSession {
        self.sessions.iter_mut().find(|session| session.id == id).unwrap()
    }

    pub fn session_of(&self, token: &str) -> SessionId {
        self.sessions.iter().find(|session| session.tokens().any(|known| known == token)).unwrap().id
    }

    /// Presents a refresh token, and compares the response with the model's.
    pub async fn present(&mut self, request: Presentation<'_>) -> Checked<TestResponse> {
        let (now, rules, id) = (self.now(), self.rules, self.session_of(request.token));
        let expected = self.session(id).present(request, now, rules);
        let response = self.refresh(request).await;
        let session = self.session(id);
        match &expected {
            Expected::Refused(reason) => {
                prop_assert_eq!(response.clone().problem(401).reason, *reason);
                if *reason == Reason::RefreshReused {
                    let is_honest = !session.was_stolen && !session.was_late(request.token, now, rules);
                    prop_assert!(!is_honest, "an honest client was taken for a thief");
                    session.record(request, None);
                    self.check_access_is_refused(id).await?;
                }
            }
            Expected::Same(live) => {
                let tokens: TokenResponse = response.clone().tokens();
                prop_assert_eq!(&tokens.refresh, live, "the same successor, to the byte");
                session.record(request, Some(&tokens.refresh));
                session.accesses.push(tokens.access);
            }
            Expected::Successor => {
                let tokens: TokenResponse = response.clone().tokens();
                prop_assert!(session.tokens().all(|known| known != tokens.refresh), "a new token");
                session.rotate(&tokens.refresh, request, now, rules);
                session.record(request, Some(&tokens.refresh));
                session.accesses.push(tokens.access);
            }
        }
        prop_assert!(
            !self.session(id).is_shared_undetected(),
            "a thief stays undetected although the owner sends keys"
        );
        Ok(response)
    }

    async fn refresh(&self, Presentation { token, key, client, .. }: Presentation<'_>) -> TestResponse {
        let request = self.app.request(reqwest::Method::POST, "/api/auth/refresh/");
        let request = request.header("X-Forwarded-For", client.address).header("User-Agent", client.user_agent);
        let request = key.into_iter().fold(request, |request, key| request.header("Idempotency-Key", key));
        crate::support::send(request.json(&RefreshRequest { refresh: token.to_owned() })).await
    }

    /// Access tokens of a revoked session are refused at once, from the process's memory (`/verify/`) and from the row.
    async fn check_access_is_refused(&self, id: SessionId) -> Checked {
        for access in self.sessions.iter().filter(|session| session.id == id).flat_map(|session| &session.accesses) {
            prop_assert_eq!(self.app.verify(access).await.status.as_u16(), 401);
            prop_assert_eq!(self.me(access).await.status.as_u16(), 401);
        }
        Ok(())
    }

    /// At the end of a history, each session has at most one live refresh token, and no token of a revoked one is accepted.
    pub async fn check_final_state(&mut self) -> Checked {
        self.wait(self.rules.leeway.num_seconds() + 1, false);
        let now = self.now();
        for session in &self.sessions {
            let mut valid = Vec::new();
            for (index, token) in session.tokens().enumerate() {
                if self.app.verify(token).await.status.as_u16() == 200 {
                    valid.push(index + 1);
                }
            }
            let expected = if session.has_live_token(now) { vec![session.generation()] } else { vec![] };
            prop_assert_eq!(valid, expected, "live generations of {:?}", session.id);
            if session.revoked {
                for token in session.tokens() {
                    prop_assert_eq!(self.app.refresh(token).await.status.as_u16(), 401);
                }
                self.check_access_is_refused(session.id).await?;
            }
        }
        Ok(())
    }
}

/// Lifetimes that are short enough to end within a history.
fn lifetimes(builder: crate::support::Builder, leeway: i64) -> crate::support::Builder {
    builder
        .set("TRUSTED_PROXY_HOPS", "1")
        .set("ACCESS_TOKEN_LIFETIME", "60")
        .set("REFRESH_TOKEN_LIFETIME", "3600")
        .set("SESSION_MAX_AGE", "14400")
        .set("REFRESH_LEEWAY", leeway.to_string())
}
