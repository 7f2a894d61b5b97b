//! One refresh at a time.

use super::owner::{InFlightRefresh, SharedTask};
use super::storage::storage_snapshot;
use super::{Session, lock};
use crate::clock;
use crate::http::ApiRequest;
use crate::policy::{AccessToken, Epoch, Renewal, SessionMachine, SessionTokens, TokenPlan, refresh_outcome};
use futures::FutureExt;
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::time::Duration;

impl Session {
    /// Waits for the refresh under way, or starts one. Whether it helped, the next plan tells.
    pub(super) async fn refresh(self, epoch: Epoch, refused: Option<AccessToken>) {
        let under_way = self.flight.with_value(|flight| {
            flight.as_ref().filter(|flight| flight.epoch == epoch).map(|flight| flight.landing.clone())
        });
        under_way.unwrap_or_else(|| self.take_off(epoch, refused)).await;
    }

    /// Starts a refresh that nobody waits for.
    pub(super) fn refresh_in_background(self, epoch: Epoch) {
        spawn_local(self.refresh(epoch, None));
    }

    fn take_off(self, epoch: Epoch, refused: Option<AccessToken>) -> SharedTask {
        let landing = async move {
            self.trade(epoch, refused).await;
            // Whoever signed in meanwhile may have one of their own.
            self.flight.update_value(|flight| drop(flight.take_if(|flight| flight.epoch == epoch)));
        };
        let landing = landing.boxed_local().shared();
        self.flight.set_value(Some(InFlightRefresh { epoch, landing: landing.clone() }));
        // It lands even when the page that asked for it is gone.
        spawn_local(landing.clone());
        landing
    }

    /// Trades the refresh token for its successor, unless another tab did while we waited for our turn, or the session
    /// is not this tab's any more.
    async fn trade(self, epoch: Epoch, refused: Option<AccessToken>) {
        let turn = lock::acquire(self.patience()).await;
        self.sync_from_storage();
        let refused = refused.as_ref().map(AccessToken::as_str);
        let TokenPlan::Refresh(parent) = self.plan(epoch, refused) else { return };
        let exchange = self.http.send(&ApiRequest::refresh(&parent)).await;
        let outcome = refresh_outcome(&parent, &exchange);
        let settle =
            |machine: &mut SessionMachine| machine.apply_refresh(&parent, outcome, storage_snapshot(), clock::jitter());
        if let Some(effect) = self.machine.try_update_value(settle) {
            self.execute(effect);
        }
        drop(turn);
    }

    /// How long to wait for a turn.
    fn patience(self) -> Duration {
        let renewal = self.machine.with_value(|machine| machine.tokens().map(SessionTokens::renewal));
        match renewal {
            Some(Renewal::Cookie { .. }) => lock::COOKIE_WAIT,
            Some(Renewal::Token(_)) | None => lock::SHORT_WAIT,
        }
    }
}
