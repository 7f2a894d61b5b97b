//! One refresh at a time.

use super::owner::{InFlightRefresh, SharedTask};
use super::storage::storage_snapshot;
use super::{SessionOwner, lock};
use crate::clock;
use crate::http::ApiRequest;
use crate::policy::{AccessToken, Epoch, RefreshCredential, SessionMachine, SessionTokens, TokenPlan, refresh_outcome};
use futures::FutureExt;
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::time::Duration;

impl SessionOwner {
    /// Waits for the running refresh, or starts one. The next plan shows whether it succeeded.
    pub(super) async fn refresh(self, epoch: Epoch, refused: Option<AccessToken>) {
        let running = self.in_flight.with_value(|refresh| {
            refresh.as_ref().filter(|refresh| refresh.epoch == epoch).map(|refresh| refresh.task.clone())
        });
        running.unwrap_or_else(|| self.start_refresh(epoch, refused)).await;
    }

    /// Starts a refresh without waiting for it.
    pub(super) fn refresh_in_background(self, epoch: Epoch) {
        spawn_local(self.refresh(epoch, None));
    }

    fn start_refresh(self, epoch: Epoch, refused: Option<AccessToken>) -> SharedTask {
        let task = async move {
            self.exchange_token(epoch, refused).await;
            // A user who signed in meanwhile may have started another.
            self.in_flight.update_value(|refresh| drop(refresh.take_if(|refresh| refresh.epoch == epoch)));
        };
        let task = task.boxed_local().shared();
        self.in_flight.set_value(Some(InFlightRefresh { epoch, task: task.clone() }));
        // It runs to its end even when the page that asked for it is removed.
        spawn_local(task.clone());
        task
    }

    /// Exchanges the refresh token for its successor, unless another tab did so while this one waited for the lock, or the
    /// session is no longer this tab's.
    async fn exchange_token(self, epoch: Epoch, refused: Option<AccessToken>) {
        let guard = lock::acquire(self.lock_wait()).await;
        self.sync_from_storage();
        let refused = refused.as_ref().map(AccessToken::as_str);
        let TokenPlan::Refresh(parent) = self.plan(epoch, refused) else { return };
        let result = self.http.send(&ApiRequest::refresh(&parent)).await;
        let outcome = refresh_outcome(&parent, &result);
        let apply =
            |machine: &mut SessionMachine| machine.apply_refresh(&parent, outcome, storage_snapshot(), clock::jitter());
        if let Some(effect) = self.machine.try_update_value(apply) {
            self.execute(effect);
        }
        drop(guard);
    }

    /// How long to wait for the lock.
    fn lock_wait(self) -> Duration {
        let refresh_credential =
            self.machine.with_value(|machine| machine.tokens().map(SessionTokens::refresh_credential));
        match refresh_credential {
            Some(RefreshCredential::Cookie { .. }) => lock::COOKIE_WAIT,
            Some(RefreshCredential::Token(_)) | None => lock::SHORT_WAIT,
        }
    }
}
