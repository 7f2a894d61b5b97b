//! Fetches the page's data again when the page becomes visible or focused.

use super::{SessionOwner, SignInState, lock};
use crate::clock;
use crate::http::milliseconds;
use crate::policy::{REVALIDATION_PAUSE, RequestFailure, Revalidation};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::time::Duration;
use web_sys::VisibilityState;

/// How long a tab keeps the lock: of many windows that become visible at once, one a second revalidates.
const LOCK_HOLD: Duration = Duration::from_secs(1);

/// How long a tab waits for the lock before it revalidates without.
const LOCK_WAIT: Duration = Duration::from_mins(1);

/// An action of the user that is running, until this is dropped.
pub(super) struct ActionGuard(SessionOwner);

impl Drop for ActionGuard {
    fn drop(&mut self) {
        if self.0.revalidation.try_update_value(Revalidation::end_action) == Some(true) {
            self.0.revalidate();
        }
    }
}

impl SessionOwner {
    /// Requests a revalidation: the page is visible again, or what it shows may be outdated.
    pub fn revalidate(self) {
        if !matches!(self.state.get_untracked(), SignInState::SignedIn(_)) {
            return;
        }
        let wait = self.revalidation.try_update_value(|revalidation| revalidation.request(clock::now())).flatten();
        if let Some(wait) = wait {
            set_timeout(move || spawn_local(self.revalidate_under_lock()), wait);
        }
    }

    /// Counts the revalidations. A page fetches its data again when this changes.
    pub fn revalidations(self) -> u32 {
        self.revalidations.get()
    }

    /// Counts the user's actions.
    pub fn action_count(self) -> u32 {
        self.revalidation.with_value(Revalidation::action_count)
    }

    /// Pauses after a failed revalidation. The page keeps what it shows.
    pub fn revalidation_failed(self, failure: &RequestFailure) {
        let pause = match failure {
            RequestFailure::Transient { after, .. } => after.unwrap_or(REVALIDATION_PAUSE),
            RequestFailure::SignedOut
            | RequestFailure::Refused(_)
            | RequestFailure::ForeignTokens
            | RequestFailure::Unsendable(_) => REVALIDATION_PAUSE,
        };
        self.revalidation.update_value(|revalidation| revalidation.back_off(clock::now(), pause));
    }

    pub(super) fn begin_action(self) -> ActionGuard {
        self.revalidation.update_value(Revalidation::begin_action);
        ActionGuard(self)
    }

    async fn revalidate_under_lock(self) {
        let guard = lock::acquire_for_revalidation(LOCK_WAIT).await;
        let is_visible = document().visibility_state() == VisibilityState::Visible;
        if self.revalidation.try_update_value(|revalidation| revalidation.start(clock::now(), is_visible)) == Some(true)
        {
            self.revalidations.update(|count| *count = count.wrapping_add(1));
            TimeoutFuture::new(milliseconds(LOCK_HOLD)).await;
        }
        drop(guard);
    }
}
