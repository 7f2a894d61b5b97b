//! The one owner of the session in this tab.
//!
//! It carries out what [`Keeper`] decides: reads and writes storage, sends refreshes, tells the pages.

mod caches;
mod events;
mod lock;
mod refresh;
mod sign_in;
mod state;

pub use state::{Farewell, Registered, State};

use crate::clock;
use crate::http::{Call, Http, Parting, send_parting};
use crate::notices::Notices;
use crate::policy::{Answer, Change, Failure, Keeper, Plan, Seen, Silence, Tokens, Trouble, asks_for_refresh};
use crate::tokens;
use auth_types::responses::UserResponse;
use leptos::prelude::*;
use refresh::Flight;

/// A handle to the session; copies are the same session.
#[derive(Debug, Clone, Copy)]
pub struct Session {
    http: Http,
    notices: Notices,
    keeper: StoredValue<Keeper>,
    flight: StoredValue<Option<Flight>, LocalStorage>,
    parting: StoredValue<Option<Parting>, LocalStorage>,
    state: RwSignal<State>,
    user: RwSignal<Option<UserResponse>>,
    wakes: RwSignal<u32>,
}

impl Session {
    /// Takes up what storage holds and listens for what other tabs and the network do.
    #[must_use]
    pub fn start(http: Http, notices: Notices) -> Self {
        let session = Self {
            http,
            notices,
            keeper: StoredValue::new(Keeper::new()),
            flight: StoredValue::new_local(None),
            parting: StoredValue::new_local(None),
            state: RwSignal::new(State::Unknown),
            user: RwSignal::new(None),
            wakes: RwSignal::new(0),
        };
        session.look();
        if session.state.get_untracked() == State::Unknown {
            session.state.set(State::SignedOut(Farewell::Visitor));
        }
        events::listen(session, notices);
        session
    }

    /// Whether someone is signed in.
    #[must_use]
    pub fn state(self) -> State {
        self.state.get()
    }

    /// Who, once the server has told.
    #[must_use]
    pub fn user(self) -> Option<UserResponse> {
        self.user.get()
    }

    /// Takes in what the server just said about the user.
    pub fn set_user(self, user: UserResponse) {
        if self.user.with_untracked(|known| known.as_ref() != Some(&user)) {
            self.user.set(Some(user));
        }
    }

    /// Counts the moments at which it pays to try again what failed: the network is back, the page is looked at again.
    #[must_use]
    pub fn wakes(self) -> u32 {
        self.wakes.get()
    }

    /// Signs out on this device. It is done when this returns, network or not; the server is told on the way.
    pub fn logout(self) {
        self.look();
        let tokens = self.forget(Farewell::ByUser);
        if let Some(tokens) = tokens {
            self.parting.set_value(Some(send_parting(&Call::logout(&tokens))));
        }
    }

    /// Forgets a session that the server has ended already, at the user's own wish.
    pub fn ended_by_user(self) {
        self.forget(Farewell::ByUser);
    }

    /// Sends a call with the access token; when that is refused, refreshes once and sends once more.
    ///
    /// # Errors
    /// [`Failure::SignedOut`] when there is no session or another one by the time of the answer, and what keeps a
    /// refresh from succeeding.
    pub async fn send(self, call: Call) -> Result<Result<Answer, Silence>, Failure> {
        let (used, is_fresh) = self.usable(None).await?;
        let epoch = self.keeper.with_value(Keeper::epoch);
        let mut exchange = self.http.send(&call.with_access(&used)).await;
        // A refusal straight after a refresh is the application's answer, and so is a second one.
        if !is_fresh && exchange.as_ref().is_ok_and(asks_for_refresh) {
            let (fresh, _) = self.usable(Some(used)).await?;
            exchange = self.http.send(&call.with_access(&fresh)).await;
        }
        let same = self.keeper.with_value(Keeper::epoch) == epoch;
        if same { Ok(exchange) } else { Err(Failure::SignedOut) }
    }

    /// Looks at storage again and refreshes if that is due: after sleep, in a page brought back, in a tab looked at again.
    pub fn recheck(self) {
        self.look();
        if matches!(self.plan(None), Plan::Refresh(_)) {
            self.refresh_in_background();
        }
        self.wakes.update(|wakes| *wakes = wakes.wrapping_add(1));
    }

    /// Says that the network is back.
    pub fn online(self) {
        self.keeper.update_value(Keeper::online);
        self.recheck();
    }

    /// Takes a `storage` event; `removed` if it says that the tokens were deleted.
    pub fn told(self, removed: bool) {
        if let Some(change) = self.keeper.try_update_value(|keeper| keeper.told(removed, seen())) {
            self.follow(change);
        }
    }

    /// An access token to send, and whether it comes from a refresh just now; refreshes where needed.
    async fn usable(self, refused: Option<String>) -> Result<(String, bool), Failure> {
        self.look();
        let mut parent = None;
        if let Plan::Refresh(tokens) = self.plan(refused.as_deref()) {
            self.refresh(refused.clone()).await;
            parent = Some(tokens);
        }
        let tokens = match self.plan(refused.as_deref()) {
            Plan::Use(tokens) => tokens,
            // Just refreshed and due again: then this is as fresh as it gets. Still the refused one: not yet.
            Plan::Refresh(tokens) if refused.is_none() => tokens,
            Plan::Refresh(_) => return Err(not_yet()),
            Plan::Wait { trouble, remaining } => {
                // Another answer may have taken the notice away.
                self.notices.trouble(trouble, Some(remaining));
                return Err(Failure::Passing { trouble, after: Some(remaining) });
            }
            Plan::SignedOut => return Err(Failure::SignedOut),
        };
        let is_fresh = parent.is_some_and(|parent| parent.access() != tokens.access());
        let access = tokens.access().ok_or_else(not_yet)?;
        Ok((access.to_owned(), is_fresh))
    }

    fn plan(self, refused: Option<&str>) -> Plan {
        self.keeper.with_value(|keeper| keeper.plan(refused, clock::now()))
    }

    /// Compares what this tab knows with what is stored.
    fn look(self) {
        if let Some(change) = self.keeper.try_update_value(|keeper| keeper.look(seen())) {
            self.follow(change);
        }
    }

    fn follow(self, change: Change) {
        match change {
            Change::Same | Change::Newer => {}
            Change::Switched => self.enter(None),
            Change::SignedOut => self.leave(Farewell::Elsewhere),
            Change::WriteBack(tokens) => self.write(&tokens),
            Change::Remove => {
                tokens::clear();
                self.leave(Farewell::Elsewhere);
            }
        }
    }

    fn write(self, tokens: &Tokens) {
        let written = tokens::write(tokens);
        self.keeper.update_value(|keeper| keeper.wrote(written));
        if !written {
            self.notices.memory_only();
        }
    }

    fn enter(self, user: Option<UserResponse>) {
        self.user.set(user);
        self.state.set(State::SignedIn(self.keeper.with_value(Keeper::epoch)));
    }

    /// Clears everything this tab knows and has stored, and gives the tokens back.
    fn forget(self, farewell: Farewell) -> Option<Tokens> {
        let tokens = self.keeper.try_update_value(Keeper::sign_out).flatten();
        tokens::clear();
        caches::clear();
        self.leave(farewell);
        tokens
    }

    /// Shows the sign-in page to whoever is on a protected one. The first reason given counts.
    fn leave(self, farewell: Farewell) {
        self.user.set(None);
        if !matches!(self.state.get_untracked(), State::SignedOut(_)) {
            self.state.set(State::SignedOut(farewell));
        }
    }
}

/// What storage holds now.
fn seen() -> Seen {
    Seen { stored: tokens::read(), now: clock::now() }
}

fn not_yet() -> Failure {
    Failure::Passing { trouble: Trouble::Odd, after: None }
}
