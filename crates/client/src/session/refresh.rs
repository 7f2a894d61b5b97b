//! One refresh at a time.

use super::owner::{Flight, UnderWay};
use super::storage::seen;
use super::{Session, lock};
use crate::clock;
use crate::http::Call;
use crate::policy::{AccessToken, Epoch, Keeper, Plan, Renewal, Tokens, refresh_outcome};
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

    fn take_off(self, epoch: Epoch, refused: Option<AccessToken>) -> UnderWay {
        let landing = async move {
            self.trade(epoch, refused).await;
            // Whoever signed in meanwhile may have one of their own.
            self.flight.update_value(|flight| drop(flight.take_if(|flight| flight.epoch == epoch)));
        };
        let landing = landing.boxed_local().shared();
        self.flight.set_value(Some(Flight { epoch, landing: landing.clone() }));
        // It lands even when the page that asked for it is gone.
        spawn_local(landing.clone());
        landing
    }

    /// Trades the refresh token for its successor, unless another tab did while we waited for our turn, or the session
    /// is not this tab's any more.
    async fn trade(self, epoch: Epoch, refused: Option<AccessToken>) {
        let turn = lock::acquire(self.patience()).await;
        self.look();
        let refused = refused.as_ref().map(AccessToken::as_str);
        let Plan::Refresh(parent) = self.plan(epoch, refused) else { return };
        let exchange = self.http.send(&Call::refresh(&parent)).await;
        let outcome = refresh_outcome(&parent, &exchange);
        let settle = |keeper: &mut Keeper| keeper.settle(&parent, outcome, seen(), clock::jitter());
        if let Some(effect) = self.keeper.try_update_value(settle) {
            self.carry_out(effect);
        }
        drop(turn);
    }

    /// How long to wait for a turn.
    fn patience(self) -> Duration {
        let renewal = self.keeper.with_value(|keeper| keeper.tokens().map(Tokens::renewal));
        match renewal {
            Some(Renewal::Cookie { .. }) => lock::COOKIE_PATIENCE,
            Some(Renewal::Token(_)) | None => lock::SHORT_PATIENCE,
        }
    }
}
