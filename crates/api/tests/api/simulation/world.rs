//! The API, the browsers before it, the thief, and the model beside it all.

use super::browser::{Browser, Flight, LOST, Sent};
use super::model::{Expected, ModelSession, Origin, Party, Presentation, Rules};
use super::thief::Loot;
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
/// The client gives a request up after so long; later it reaches nobody.
const REQUEST_TIMEOUT: Duration = Duration::seconds(30);
const TABS: usize = 3;
/// A phone whose client knows no keys.
const PHONE: Origin = Origin { address: "2001:db8:0:1::1", user_agent: "phone/1" };
/// Another computer of the same kind, elsewhere.
const OFFICE: Origin = Origin { address: "198.51.100.7", user_agent: "fox/1" };

pub type Checked<T = ()> = Result<T, TestCaseError>;

pub struct World {
    pub app: TestApp,
    /// How tabs know the refresh token; see [`cookies`].
    transport: TokenTransport,
    rules: Rules,
    pub browsers: Vec<Browser>,
    sessions: Vec<ModelSession>,
    /// What the thief has.
    pub loot: Vec<Loot>,
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
        let mut world = Self { app, transport, rules, browsers, sessions: Vec::new(), loot: Vec::new(), seeds: 0 };
        for browser in 0..world.browsers.len() {
            world.sign_in((browser, 0)).await;
        }
        world
    }

    pub fn now(&self) -> DateTime<Utc> {
        api::clock::Clock::now(&**self.app.clock())
    }

    pub async fn take(&mut self, step: Step) -> Checked {
        let place = |tab: usize| (tab / TABS, tab % TABS);
        match step {
            Step::Wait { seconds, asleep } => self.wait(seconds, asleep),
            Step::Use { tab } => self.use_tab(place(tab)).await?,
            Step::Arrive { tab } => self.arrive(place(tab)).await?,
            Step::ArriveTwice { tab } => {
                let flight = self.browsers[place(tab).0].tabs[place(tab).1].flight.clone();
                self.arrive(place(tab)).await?;
                self.browsers[place(tab).0].tabs[place(tab).1].flight = flight;
                self.arrive(place(tab)).await?;
            }
            Step::Settle { tab, loss } => self.settle(place(tab), loss)?,
            Step::Refresh { tab } => {
                self.use_tab(place(tab)).await?;
                self.arrive(place(tab)).await?;
                self.settle(place(tab), Loss::Nothing)?;
            }
            Step::Crash { tab } => self.browsers[place(tab).0].crash(place(tab).1),
            Step::SetWallClock { tab, seconds } => self.set_wall_clock(place(tab).0, seconds),
            Step::SignIn { tab } => self.sign_in(place(tab)).await,
            Step::SignOut { tab, heard } => self.sign_out(place(tab), heard).await?,
            Step::StorageEvent { tab } => {
                let now = self.now();
                self.browsers[place(tab).0].tell(place(tab).1, now);
            }
            Step::Steal { tab } => self.steal(place(tab).0),
            Step::ThiefPoll { loot } => self.thief_poll(loot).await?,
            Step::ThiefRefresh { loot, disguised, key } => self.thief_refresh(loot, disguised, key).await?,
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

    /// With a request under way the clock is left alone: a jump there and back makes a tab refresh twice in the seconds
    /// that the other's request is on its way, which no browser's user can do by hand.
    fn set_wall_clock(&mut self, browser: usize, seconds: i64) {
        if self.browsers[browser].tabs.iter().all(|tab| tab.flight.is_none()) {
            self.browsers[browser].wall_error = seconds * 1000;
        }
    }

    async fn restart(&mut self) {
        let (db, clock) = (self.app.db().clone(), self.app.clock().clone());
        let builder = TestApp::builder_on(db).clock(&clock);
        self.app = lifetimes(builder, self.rules.leeway.num_seconds()).start().await;
    }

    async fn sign_in(&mut self, (browser, tab): (usize, usize)) {
        let (now, rules) = (self.now(), self.rules);
        if self.must_wait(browser) {
            return;
        }
        let response = self.app.login(EMAIL).await;
        self.seeds += 1;
        let (answer, cookie) = self.part(response.clone());
        let browser = &mut self.browsers[browser];
        browser.look(tab, now);
        let (local, seen) = (browser.now(now), browser.seen(now));
        let tokens = SessionTokens::signed_in(&answer, local, local, Uuid::from_u128(self.seeds)).unwrap();
        browser.cookie = cookie;
        let id = tokens.session();
        let machine = &mut browser.tabs[tab].machine;
        let effect = machine.sign_in(machine.epoch(), &tokens, answer.user, seen);
        assert!(matches!(effect, Effect::Begin(..)), "{effect:?}");
        machine.on_written(true);
        browser.tabs[tab].flight = None;
        browser.write(&tokens);
        let session = ModelSession::signed_in(id, (&response.access, &response.refresh), now, rules);
        self.sessions.push(if browser.sends_keys { session } else { session.without_keys() });
    }

    /// With cookies a lock lets one tab of a browser sign in or refresh at a time.
    fn must_wait(&self, browser: usize) -> bool {
        self.transport == TokenTransport::Cookie && self.browsers[browser].is_busy()
    }

    /// What tabs see of an answer with tokens, and the cookie.
    fn part(&self, response: TokenResponse) -> (IssuedTokens, Option<String>) {
        match self.transport {
            TokenTransport::Body => (response.into(), None),
            TokenTransport::Cookie => {
                let (seen, cookie) = cookies::part(response);
                (seen.into(), Some(cookie))
            }
        }
    }

    async fn sign_out(&mut self, (browser, tab): (usize, usize), heard: bool) -> Checked {
        let now = self.now();
        self.browsers[browser].look(tab, now);
        let seen = self.browsers[browser].seen(now);
        let machine = &mut self.browsers[browser].tabs[tab].machine;
        let effect = machine.sign_out(machine.epoch(), SignOutReason::ByUser, seen);
        let Effect::SignOut(tokens, _) = effect else { return Ok(()) };
        self.browsers[browser].clear();
        let token = self.browsers[browser].refresh(tokens.clone()).token;
        if let Some(token) = token.filter(|token| heard && self.session_of(token) == tokens.session()) {
            let status = self.app.logout(&token).await.status;
            prop_assert_eq!(status.as_u16(), 200);
            self.browsers[browser].cookie = None;
            self.session(tokens.session()).revoked = true;
            self.check_access_is_dead(tokens.session()).await?;
        }
        Ok(())
    }

    /// Uses the access token, and prepares a refresh if that is due or the server asks for it.
    async fn use_tab(&mut self, (browser, tab): (usize, usize)) -> Checked {
        let now = self.now();
        if self.browsers[browser].tabs[tab].flight.is_some() || self.must_wait(browser) {
            return Ok(());
        }
        self.browsers[browser].look(tab, now);
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
            let flight = Flight::Sent { sent, at: local, server_at: now };
            self.browsers[browser].tabs[tab].flight = Some(flight);
        }
        Ok(())
    }

    /// Whether the server refused the access token, which it must exactly when the session is over or the token is.
    async fn use_access(&mut self, tokens: &SessionTokens) -> Checked<bool> {
        let now = self.now();
        let over = tokens.access_expires_at() <= now.timestamp_millis();
        let live = self.session(tokens.session()).is_live(now);
        let answer = self.me(tokens.access().unwrap()).await;
        // `access_expires_at` is what the client reckons; within its rounding either answer is right.
        let unsure = live && (tokens.access_expires_at() - now.timestamp_millis()).abs() <= 1_000;
        if !unsure {
            prop_assert_eq!(answer.status.as_u16(), if live && !over { 200 } else { 401 });
        }
        Ok(answer.status.as_u16() == 401)
    }

    pub async fn me(&self, access: &str) -> TestResponse {
        let request = self.app.request(reqwest::Method::GET, "/api/auth/me/").bearer_auth(access);
        crate::support::send(request).await
    }

    /// The prepared request reaches the server, unless its client has given it up.
    async fn arrive(&mut self, (browser, tab): (usize, usize)) -> Checked {
        let now = self.now();
        let Some(Flight::Sent { sent, at, server_at }) = self.browsers[browser].tabs[tab].flight.clone() else {
            return Ok(());
        };
        if now - server_at > REQUEST_TIMEOUT {
            return Ok(());
        }
        let (answer, cookie) = self.answer_to(browser, &sent).await?;
        let answer = answer.timed(at, self.browsers[browser].now(now));
        self.browsers[browser].tabs[tab].flight = Some(Flight::Answered { sent, answer, cookie });
        Ok(())
    }

    /// What the tab would see, and the cookie that its browser would keep.
    async fn answer_to(&mut self, browser: usize, sent: &Sent) -> Checked<(policy::ApiResponse, Option<String>)> {
        let (key, id) = (sent.parent.idempotency_key(), sent.parent.session());
        let Some(token) = &sent.token else { return Ok((cookies::no_cookie(), None)) };
        if self.session_of(token) != id {
            return Ok((cookies::not_that_session(), None));
        }
        let Browser { origin, sends_keys, .. } = self.browsers[browser];
        let key = Some(key.as_str()).filter(|_| sends_keys);
        let answer = self.present(Presentation { token, key, origin, party: Party::Owner }).await?;
        Ok(match self.transport {
            TokenTransport::Body => {
                let (status, kind) = (answer.status.as_u16(), answer.header("content-type"));
                (policy::ApiResponse::new(status, kind, answer.text()), None)
            }
            TokenTransport::Cookie => cookies::part_answer(&answer),
        })
    }

    /// The tab hears, or hears nothing, and does what its machine says.
    fn settle(&mut self, (browser, tab): (usize, usize), loss: Loss) -> Checked {
        let now = self.now();
        let (sent, exchange) = match self.browsers[browser].tabs[tab].flight.take() {
            None => return Ok(()),
            Some(Flight::Sent { sent, .. }) => (sent, LOST),
            Some(Flight::Answered { sent, answer, cookie }) => {
                if loss != Loss::All && cookie.is_some() {
                    self.browsers[browser].cookie = cookie;
                }
                (sent, if loss == Loss::Nothing { Ok(answer) } else { LOST })
            }
        };
        let seen = self.browsers[browser].seen(now);
        let outcome = policy::refresh_outcome(&sent.parent, &exchange);
        let effect = self.browsers[browser].tabs[tab].machine.apply_refresh(&sent.parent, outcome, seen, 0.5);
        if let Effect::EndSession(reason) = &effect {
            let session = self.session(sent.parent.session());
            let has_run_out = sent.token.is_some_and(|token| session.has_run_out(&token, now));
            prop_assert!(
                session.robbed || session.revoked || session.is_expired(now) || has_run_out,
                "an honest client was signed out by itself: {reason:?}"
            );
        }
        self.browsers[browser].carry_out(effect);
        Ok(())
    }

    pub fn session(&mut self, id: SessionId) -> &mut ModelSession {
        self.sessions.iter_mut().find(|session| session.id == id).unwrap()
    }

    pub fn session_of(&self, token: &str) -> SessionId {
        self.sessions.iter().find(|session| session.tokens().any(|known| known == token)).unwrap().id
    }

    /// Presents a refresh token and compares the answer with the model's.
    pub async fn present(&mut self, request: Presentation<'_>) -> Checked<TestResponse> {
        let (now, rules, id) = (self.now(), self.rules, self.session_of(request.token));
        let expected = self.session(id).present(request, now, rules);
        let answer = self.refresh(request).await;
        let session = self.session(id);
        match &expected {
            Expected::Refused(reason) => {
                prop_assert_eq!(answer.clone().problem(401).reason, *reason);
                if *reason == Reason::RefreshReused {
                    let honest = !session.robbed && !session.was_late(request.token, now, rules);
                    prop_assert!(!honest, "an honest client was taken for a thief");
                    session.note(request, None);
                    self.check_access_is_dead(id).await?;
                }
            }
            Expected::Same(live) => {
                let response: TokenResponse = answer.clone().ok();
                prop_assert_eq!(&response.refresh, live, "the same successor, to the byte");
                session.note(request, Some(&response.refresh));
                session.accesses.push(response.access);
            }
            Expected::Successor => {
                let response: TokenResponse = answer.clone().ok();
                prop_assert!(session.tokens().all(|known| known != response.refresh), "a new token");
                session.succeeded(&response.refresh, request, now, rules);
                session.note(request, Some(&response.refresh));
                session.accesses.push(response.access);
            }
        }
        prop_assert!(!self.session(id).is_shared_unseen(), "a thief goes on beside an owner who sends keys");
        Ok(answer)
    }

    async fn refresh(&self, Presentation { token, key, origin, .. }: Presentation<'_>) -> TestResponse {
        let request = self.app.request(reqwest::Method::POST, "/api/auth/refresh/");
        let request = request.header("X-Forwarded-For", origin.address).header("User-Agent", origin.user_agent);
        let request = key.into_iter().fold(request, |request, key| request.header("Idempotency-Key", key));
        crate::support::send(request.json(&RefreshRequest { refresh: token.to_owned() })).await
    }

    /// Access tokens of a revoked session are refused at once, by the process's memory (`/verify/`) and by the row.
    async fn check_access_is_dead(&self, id: SessionId) -> Checked {
        for access in self.sessions.iter().filter(|session| session.id == id).flat_map(|session| &session.accesses) {
            prop_assert_eq!(self.app.verify(access).await.status.as_u16(), 401);
            prop_assert_eq!(self.me(access).await.status.as_u16(), 401);
        }
        Ok(())
    }

    /// At the end of a history: one live refresh token a session or none, and nothing of a revoked one is accepted.
    pub async fn check_the_end(&mut self) -> Checked {
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
                self.check_access_is_dead(session.id).await?;
            }
        }
        Ok(())
    }
}

/// Short enough that a history sees them all.
fn lifetimes(builder: crate::support::Builder, leeway: i64) -> crate::support::Builder {
    builder
        .set("TRUSTED_PROXY_HOPS", "1")
        .set("ACCESS_TOKEN_LIFETIME", "60")
        .set("REFRESH_TOKEN_LIFETIME", "3600")
        .set("SESSION_MAX_AGE", "14400")
        .set("REFRESH_LEEWAY", leeway.to_string())
}
