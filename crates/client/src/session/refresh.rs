//! One refresh at a time.

use super::{Session, lock, seen};
use crate::clock;
use crate::http::Call;
use crate::policy::{Plan, Renewal, Settled, Tokens, refresh_outcome};
use crate::tokens;
use futures::FutureExt;
use futures::future::{LocalBoxFuture, Shared};
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::time::Duration;

/// A refresh under way; everyone in this tab who needs one waits for the same.
pub(super) type Flight = Shared<LocalBoxFuture<'static, ()>>;

impl Session {
    /// Waits for the refresh under way, or starts one. Whether it helped, the next plan tells.
    pub(super) async fn refresh(self, refused: Option<String>) {
        let flight = self.flight.get_value().unwrap_or_else(|| self.take_off(refused));
        flight.await;
    }

    /// Starts a refresh that nobody waits for.
    pub(super) fn refresh_in_background(self) {
        spawn_local(self.refresh(None));
    }

    fn take_off(self, refused: Option<String>) -> Flight {
        let flight = async move {
            self.trade(refused).await;
            self.flight.set_value(None);
        };
        let flight = flight.boxed_local().shared();
        self.flight.set_value(Some(flight.clone()));
        // It lands even when the page that asked for it is gone.
        spawn_local(flight.clone());
        flight
    }

    /// Trades the refresh token for its successor, unless another tab did while we waited for our turn.
    async fn trade(self, refused: Option<String>) {
        let turn = lock::acquire(self.patience()).await;
        self.look();
        let Plan::Refresh(parent) = self.plan(refused.as_deref()) else { return };
        let exchange = self.http.send(&Call::refresh(&parent)).await;
        let outcome = refresh_outcome(&parent, &exchange);
        let settle = |keeper: &mut crate::policy::Keeper| keeper.settle(&parent, outcome, seen(), clock::jitter());
        if let Some(settled) = self.keeper.try_update_value(settle) {
            self.carry_out(settled);
        }
        drop(turn);
    }

    /// How long to wait for a turn.
    fn patience(self) -> Duration {
        let renewal = self.keeper.with_value(|keeper| keeper.tokens().map(Tokens::renewal));
        match renewal {
            Some(Renewal::Cookie { .. }) => lock::COOKIE_PATIENCE,
            Some(Renewal::Token(_)) | None => lock::PATIENCE,
        }
    }

    fn carry_out(self, settled: Settled) {
        match settled {
            Settled::Store(tokens, user) => {
                self.write(&tokens);
                if let Some(user) = user {
                    self.set_user(*user);
                }
            }
            Settled::Clear(reason) => {
                tokens::clear();
                super::caches::clear();
                self.leave(super::Farewell::Ended(reason));
            }
            Settled::Discarded(change) => self.follow(change),
            // The answer may have looked healthy, so say that it was not.
            Settled::Paused { trouble, wait } => self.notices.trouble(trouble, Some(wait)),
            Settled::Newer => {}
        }
    }
}
