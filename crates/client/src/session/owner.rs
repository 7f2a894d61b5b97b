//! The one owner of the session in this tab, and what it knows.

use super::SignInState;
use crate::clock;
use crate::http::Http;
use crate::notices::Notices;
use crate::policy::{Epoch, PendingSignOuts, RequestFailure, Revalidation, SessionMachine};
use auth_types::responses::{ConfigResponse, UserResponse};
use futures::future::{LocalBoxFuture, Shared};
use leptos::prelude::*;

/// A task that several callers may await; it runs to its end even when none does.
pub(super) type SharedTask = Shared<LocalBoxFuture<'static, ()>>;

/// The request for the server's settings, running or finished.
pub(super) type SettingsRequest = Shared<LocalBoxFuture<'static, Result<ConfigResponse, RequestFailure>>>;

/// A running refresh. All requests of this tab and epoch that need one wait for it.
pub(super) struct InFlightRefresh {
    pub(super) epoch: Epoch,
    pub(super) task: SharedTask,
}

/// A handle to the session's owner; copies are the same owner. It also exists while nobody is signed in.
#[derive(Debug, Clone, Copy)]
pub struct SessionOwner {
    pub(super) http: Http,
    pub(super) notices: Notices,
    pub(super) machine: StoredValue<SessionMachine>,
    pub(super) in_flight: StoredValue<Option<InFlightRefresh>, LocalStorage>,
    pub(super) sign_out_task: StoredValue<Option<SharedTask>, LocalStorage>,
    /// How many sign-out tasks were started.
    pub(super) sign_out_task_count: StoredValue<u32>,
    /// The pending sign-outs, where they cannot be stored.
    pub(super) pending_in_memory: StoredValue<Option<PendingSignOuts>>,
    pub(super) state: RwSignal<SignInState>,
    pub(super) user: RwSignal<Option<UserResponse>>,
    pub(super) retry_triggers: RwSignal<u32>,
    pub(super) revalidation: StoredValue<Revalidation>,
    pub(super) revalidations: RwSignal<u32>,
    pub(super) settings: StoredValue<Option<SettingsRequest>, LocalStorage>,
}

impl SessionOwner {
    /// An owner that has not read storage yet.
    pub(super) fn new(http: Http, notices: Notices) -> Self {
        Self {
            http,
            notices,
            machine: StoredValue::new(SessionMachine::new()),
            in_flight: StoredValue::new_local(None),
            sign_out_task: StoredValue::new_local(None),
            sign_out_task_count: StoredValue::new(0),
            pending_in_memory: StoredValue::new(None),
            state: RwSignal::new(SignInState::Unknown),
            user: RwSignal::new(None),
            retry_triggers: RwSignal::new(0),
            revalidation: StoredValue::new(Revalidation::new(clock::now())),
            revalidations: RwSignal::new(0),
            settings: StoredValue::new_local(None),
        }
    }

    /// Whether someone is signed in.
    pub fn state(self) -> SignInState {
        self.state.get()
    }

    /// The user, once the server has returned it.
    pub fn user(self) -> Option<UserResponse> {
        self.user.get()
    }

    /// Counts the moments at which failed requests should be repeated: the network is back, the page is visible again.
    pub fn retry_triggers(self) -> u32 {
        self.retry_triggers.get()
    }

    /// Takes the user from a response.
    pub(super) fn set_user(self, user: UserResponse) {
        if self.user.with_untracked(|known| known.as_ref() != Some(&user)) {
            self.user.set(Some(user));
        }
    }
}
