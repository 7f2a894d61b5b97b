//! The one owner of the session in this tab, and what it knows.

use super::State;
use crate::clock;
use crate::http::Http;
use crate::notices::Notices;
use crate::policy::{Epoch, Failure, Keeper, LateSignOuts, Looks};
use auth_types::responses::{ConfigResponse, UserResponse};
use futures::future::{LocalBoxFuture, Shared};
use leptos::prelude::*;

/// Something that several wait for; it goes on when nobody does.
pub(super) type UnderWay = Shared<LocalBoxFuture<'static, ()>>;

/// What the server says of its settings, or will.
pub(super) type Asking = Shared<LocalBoxFuture<'static, Result<ConfigResponse, Failure>>>;

/// A refresh under way; everyone in this tab who needs one of the same epoch waits for it.
pub(super) struct Flight {
    pub(super) epoch: Epoch,
    pub(super) landing: UnderWay,
}

/// A handle to the session; copies are the same session.
#[derive(Debug, Clone, Copy)]
pub struct Session {
    pub(super) http: Http,
    pub(super) notices: Notices,
    pub(super) keeper: StoredValue<Keeper>,
    pub(super) flight: StoredValue<Option<Flight>, LocalStorage>,
    pub(super) parting: StoredValue<Option<UnderWay>, LocalStorage>,
    /// Counts the partings that began.
    pub(super) partings: StoredValue<u32>,
    /// The sign-outs that the server has not heard of, where storage does not take them.
    pub(super) late_in_memory: StoredValue<Option<LateSignOuts>>,
    pub(super) state: RwSignal<State>,
    pub(super) user: RwSignal<Option<UserResponse>>,
    pub(super) wakes: RwSignal<u32>,
    pub(super) looks: StoredValue<Looks>,
    pub(super) looked: RwSignal<u32>,
    pub(super) settings: StoredValue<Option<Asking>, LocalStorage>,
}

impl Session {
    /// A session that has not looked anywhere yet.
    pub(super) fn new(http: Http, notices: Notices) -> Self {
        Self {
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
            settings: StoredValue::new_local(None),
        }
    }

    /// Whether someone is signed in.
    pub fn state(self) -> State {
        self.state.get()
    }

    /// Who, once the server has told.
    pub fn user(self) -> Option<UserResponse> {
        self.user.get()
    }

    /// Counts the moments at which it pays to try again what failed: the network is back, the page is looked at again.
    pub fn wakes(self) -> u32 {
        self.wakes.get()
    }

    /// Takes in what the server just said about the user.
    pub(super) fn set_user(self, user: UserResponse) {
        if self.user.with_untracked(|known| known.as_ref() != Some(&user)) {
            self.user.set(Some(user));
        }
    }
}
