//! A page that somebody looks at asks again for what it shows.

use super::{Session, SignInState, lock};
use crate::clock;
use crate::http::milliseconds;
use crate::policy::{REVALIDATION_PAUSE, RequestFailure, Revalidation};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::time::Duration;
use web_sys::VisibilityState;

/// How long a tab keeps its turn: so many windows as become visible at once, one a second asks.
const TURN: Duration = Duration::from_secs(1);

/// How long a tab waits for its turn. Who does not get it by then asks without.
const TURN_WAIT: Duration = Duration::from_mins(1);

/// Something that the person asked for, until it is dropped.
pub(super) struct ActionGuard(Session);

impl Drop for ActionGuard {
    fn drop(&mut self) {
        if self.0.looks.try_update_value(Revalidation::end) == Some(true) {
            self.0.revalidate();
        }
    }
}

impl Session {
    /// Somebody looks at the page, or has reason to doubt what it shows.
    pub fn revalidate(self) {
        if !matches!(self.state.get_untracked(), SignInState::SignedIn(_)) {
            return;
        }
        let wait = self.looks.try_update_value(|looks| looks.look(clock::now())).flatten();
        if let Some(wait) = wait {
            set_timeout(move || spawn_local(self.ask_in_turn()), wait);
        }
    }

    /// Counts the moments at which the page is to ask again for what it shows.
    pub fn looks(self) -> u32 {
        self.looked.get()
    }

    /// Counts what the person asked for.
    pub fn acts(self) -> u32 {
        self.looks.with_value(Revalidation::acts)
    }

    /// Takes note of a failure of what such a moment asked for. Nothing else comes of it: what is shown stays.
    pub fn revalidation_failed(self, failure: &RequestFailure) {
        let pause = match failure {
            RequestFailure::Transient { after, .. } => after.unwrap_or(REVALIDATION_PAUSE),
            RequestFailure::SignedOut | RequestFailure::Refused(_) | RequestFailure::Unsendable(_) => {
                REVALIDATION_PAUSE
            }
        };
        self.looks.update_value(|looks| looks.rest(clock::now(), pause));
    }

    pub(super) fn act(self) -> ActionGuard {
        self.looks.update_value(Revalidation::begin);
        ActionGuard(self)
    }

    async fn ask_in_turn(self) {
        let turn = lock::acquire_for_revalidation(TURN_WAIT).await;
        let is_visible = document().visibility_state() == VisibilityState::Visible;
        if self.looks.try_update_value(|looks| looks.ask(clock::now(), is_visible)) == Some(true) {
            self.looked.update(|looked| *looked = looked.wrapping_add(1));
            TimeoutFuture::new(milliseconds(TURN)).await;
        }
        drop(turn);
    }
}
