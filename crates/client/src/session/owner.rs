//! The one owner of the session in this tab, and what it knows.

use super::SignInState;
use crate::clock;
use crate::http::Http;
use crate::notices::Notices;
use crate::policy::{Epoch, PendingSignOuts, RequestFailure, Revalidation, SessionMachine};
use auth_types::responses::{ConfigResponse, UserResponse};
use futures::future::{LocalBoxFuture, Shared};
use leptos::prelude::*;

/// Something that several wait for; it goes on when nobody does.
pub(super) type SharedTask = Shared<LocalBoxFuture<'static, ()>>;

/// What the server says of its settings, or will.
pub(super) type SettingsRequest = Shared<LocalBoxFuture<'static, Result<ConfigResponse, RequestFailure>>>;

/// A refresh under way; everyone in this tab who needs one of the same epoch waits for it.
pub(super) struct InFlightRefresh {
    pub(super) epoch: Epoch,
    pub(super) landing: SharedTask,
}

/// A handle to the session; copies are the same session.
#[derive(Debug, Clone, Copy)]
pub struct Session {
    pub(super) http: Http,
    pub(super) notices: Notices,
    pub(super) machine: StoredValue<SessionMachine>,
    pub(super) flight: StoredValue<Option<InFlightRefresh>, LocalStorage>,
    pub(super) sign_out_task: StoredValue<Option<SharedTask>, LocalStorage>,
    /// Counts the sign-out tasks that were started.
    pub(super) sign_out_tasks: StoredValue<u32>,
    /// The sign-outs that the server has not heard of, where storage does not take them.
    pub(super) pending_in_memory: StoredValue<Option<PendingSignOuts>>,
    pub(super) state: RwSignal<SignInState>,
    pub(super) user: RwSignal<Option<UserResponse>>,
    pub(super) wakes: RwSignal<u32>,
    pub(super) looks: StoredValue<Revalidation>,
    pub(super) looked: RwSignal<u32>,
    pub(super) settings: StoredValue<Option<SettingsRequest>, LocalStorage>,
}

impl Session {
    /// A session that has not looked anywhere yet.
    pub(super) fn new(http: Http, notices: Notices) -> Self {
        Self {
            http,
            notices,
            machine: StoredValue::new(SessionMachine::new()),
            flight: StoredValue::new_local(None),
            sign_out_task: StoredValue::new_local(None),
            sign_out_tasks: StoredValue::new(0),
            pending_in_memory: StoredValue::new(None),
            state: RwSignal::new(SignInState::Unknown),
            user: RwSignal::new(None),
            wakes: RwSignal::new(0),
            looks: StoredValue::new(Revalidation::new(clock::now())),
            looked: RwSignal::new(0),
            settings: StoredValue::new_local(None),
        }
    }

    /// Whether someone is signed in.
    pub fn state(self) -> SignInState {
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
