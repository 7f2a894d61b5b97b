//! The one owner of the session in this tab.
//!
//! It carries out what [`Keeper`] decides: reads and writes storage, sends refreshes, tells the pages.

mod caches;
mod events;
mod lock;
mod looks;
mod page;
mod parting;
mod refresh;
mod sign_in;
mod state;

pub use page::PageSession;
pub use state::{Confirmed, Farewell, Registered, State};

use crate::clock;
use crate::http::Http;
use crate::notices::Notices;
use crate::policy::{Change, Epoch, Keeper, LateSignOuts, Looks, Plan, Seen, Tokens};
use crate::tokens;
use auth_types::SessionId;
use auth_types::responses::UserResponse;
use leptos::prelude::*;
use parting::Parting;
use refresh::Flight;

/// A handle to the session; copies are the same session.
#[derive(Debug, Clone, Copy)]
pub struct Session {
    http: Http,
    notices: Notices,
    keeper: StoredValue<Keeper>,
    flight: StoredValue<Option<Flight>, LocalStorage>,
    parting: StoredValue<Option<Parting>, LocalStorage>,
    /// Counts the partings that began.
    partings: StoredValue<u32>,
    /// The sign-outs that the server has not heard of, where storage does not take them.
    late_in_memory: StoredValue<Option<LateSignOuts>>,
    state: RwSignal<State>,
    user: RwSignal<Option<UserResponse>>,
    wakes: RwSignal<u32>,
    looks: StoredValue<Looks>,
    looked: RwSignal<u32>,
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
            partings: StoredValue::new(0),
            late_in_memory: StoredValue::new(None),
            state: RwSignal::new(State::Unknown),
            user: RwSignal::new(None),
            wakes: RwSignal::new(0),
            looks: StoredValue::new(Looks::new(clock::now())),
            looked: RwSignal::new(0),
        };
        session.look();
        if session.state.get_untracked() == State::Unknown {
            session.state.set(State::SignedOut(Farewell::Visitor));
        }
        events::listen(session, notices);
        session.tell_late();
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

    /// The session as a page of this epoch knows it.
    #[must_use]
    pub const fn page_of(self, epoch: Epoch) -> PageSession {
        PageSession { session: self, epoch }
    }

    /// The session as a page knows it that is built now.
    #[must_use]
    pub fn page(self) -> PageSession {
        self.page_of(self.keeper.with_value(Keeper::epoch))
    }

    /// Takes in what the server just said about the user.
    fn set_user(self, user: UserResponse) {
        if self.user.with_untracked(|known| known.as_ref() != Some(&user)) {
            self.user.set(Some(user));
        }
    }

    /// Counts the moments at which it pays to try again what failed: the network is back, the page is looked at again.
    #[must_use]
    pub fn wakes(self) -> u32 {
        self.wakes.get()
    }

    /// Looks at storage again and refreshes if that is due: after sleep, in a page brought back, in a tab looked at again.
    pub fn recheck(self) {
        self.look();
        let epoch = self.keeper.with_value(Keeper::epoch);
        if matches!(self.plan(epoch, None), Plan::Refresh(_)) {
            self.refresh_in_background(epoch);
        }
        self.tell_late();
        self.wakes.update(|wakes| *wakes = wakes.wrapping_add(1));
    }

    /// Says that the network is back.
    pub fn online(self) {
        self.keeper.update_value(Keeper::online);
        self.recheck();
        self.look_again();
    }

    /// Takes a `storage` event; `removed` is the session whose tokens were deleted, if it says that.
    pub fn told(self, removed: Option<SessionId>) {
        if let Some(change) = self.keeper.try_update_value(|keeper| keeper.told(removed, seen())) {
            self.follow(change);
        }
    }

    fn plan(self, epoch: Epoch, refused: Option<&str>) -> Plan {
        self.keeper.with_value(|keeper| keeper.plan(epoch, refused, clock::now()))
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

    /// Shows the sign-in page to whoever is on a protected one. The first reason given counts.
    fn leave(self, farewell: Farewell) {
        self.user.set(None);
        if !matches!(self.state.get_untracked(), State::SignedOut(_)) {
            let ended = self.keeper.with_value(Keeper::last_ended);
            let unsettled = tokens::read_unsettled().filter(|unsettled| Some(unsettled.session) == ended);
            self.state.set(State::SignedOut(farewell.after(unsettled.map(|unsettled| unsettled.act))));
        }
    }
}

/// What storage holds now.
fn seen() -> Seen {
    Seen { stored: tokens::read(), now: clock::now() }
}
