//! Telling the server that a session has ended here: at once, or when it can be reached.

use super::{Session, lock};
use crate::clock;
use crate::http::{Call, milliseconds, send_parting};
use crate::notices::SLOW;
use crate::policy::{Exchange, LateSignOut, LateSignOuts, Renewal, Tokens, wait};
use crate::tokens;
use futures::FutureExt;
use futures::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::pin::pin;
use std::time::Duration;

/// How long a sign-in waits for the answer to the sign-out before it.
const LAST_WORD: Duration = Duration::from_secs(5);

impl Session {
    /// Tells the server that the session of these tokens is over here.
    ///
    /// With cookies, the answer takes cookies away. They must not be those of the next sign-in, which waits for this turn.
    pub(super) fn part(self, tokens: &Tokens) {
        let late = LateSignOut::of(tokens, clock::now());
        let turn = match tokens.renewal() {
            Renewal::Cookie { .. } => lock::queue_up(),
            Renewal::Token(_) => None,
        };
        let answer = send_parting(&Call::logout(&late));
        self.begin(async move {
            let exchange = self.hear(late, answer).await;
            drop(turn);
            self.tell_again(&exchange, 1);
        });
    }

    /// Tells the server of the sign-outs that it has not heard of, in any tab: when the page is opened or looked at again, when
    /// the network is back, before the next sign-in, and by itself.
    pub(super) fn tell_late(self) {
        self.tell_after(1);
    }

    /// The answer to a sign-out removes cookies: it must not come after those of the next sign-in. Where there are no Web
    /// Locks, that takes a wait, but a server that is not heard of by then has had its time.
    pub(super) async fn wait_for_the_last_word(self) {
        if let Some(parting) = self.parting.with_value(Clone::clone) {
            select(parting, TimeoutFuture::new(milliseconds(LAST_WORD))).await;
        }
    }

    /// Takes in what other tabs have kept or sent.
    pub(super) fn look_for_late(self) {
        self.update_late(|_| ());
    }

    /// Forgets the sign-outs that need the cookie of their session: another session's has taken its place.
    pub(super) fn forget_late_cookies(self) {
        self.update_late(LateSignOuts::forget_cookies);
    }

    fn tell_after(self, attempt: u32) {
        self.look_for_late();
        let is_under_way =
            self.parting.with_value(|parting| parting.as_ref().is_some_and(|parting| parting.peek().is_none()));
        if is_under_way || self.late().is_empty() {
            return;
        }
        self.begin(async move {
            // An answer that takes cookies away must not cross a sign-in's. Without a turn, the next occasion has to do.
            let Some(_turn) = lock::acquire(lock::COOKIE_PATIENCE).await else { return };
            while let Some(late) = self.next_late() {
                let answer = send_parting(&Call::logout(&late));
                let exchange = self.hear(late, answer).await;
                if !LateSignOut::is_heard(&exchange) {
                    return self.tell_again(&exchange, attempt);
                }
            }
        });
    }

    /// Waits for the answer. While there is none, the sign-out is kept; when there is one, it is forgotten.
    async fn hear(self, late: LateSignOut, answer: impl Future<Output = Exchange>) -> Exchange {
        let exchange = match select(pin!(answer), TimeoutFuture::new(milliseconds(SLOW))).await {
            Either::Left((exchange, _)) => exchange,
            Either::Right(((), answer)) => {
                // The page may be closed before.
                self.update_late(|all| all.keep(late.clone()));
                answer.await
            }
        };
        let is_heard = LateSignOut::is_heard(&exchange);
        self.update_late(|all| if is_heard { all.forget(late.session()) } else { all.keep(late) });
        exchange
    }

    /// Plans another attempt after one without success.
    fn tell_again(self, exchange: &Exchange, attempt: u32) {
        if LateSignOut::is_heard(exchange) {
            return;
        }
        let asked = exchange.as_ref().ok().and_then(|answer| answer.retry_after);
        let number = self.partings.try_get_value();
        let again = move || {
            // What began since plans its own.
            if self.partings.try_get_value() == number {
                self.tell_after(attempt.saturating_add(1));
            }
        };
        set_timeout(again, wait(attempt, asked, clock::jitter()));
    }

    fn begin(self, parting: impl Future<Output = ()> + 'static) {
        self.partings.update_value(|partings| *partings = partings.wrapping_add(1));
        let parting = parting.boxed_local().shared();
        spawn_local(parting.clone());
        self.parting.set_value(Some(parting));
    }

    fn next_late(self) -> Option<LateSignOut> {
        self.look_for_late();
        self.late().first().cloned()
    }

    fn late(self) -> LateSignOuts {
        self.late_in_memory.get_value().unwrap_or_else(tokens::read_late)
    }

    /// Changes what is kept: in storage, and in memory where that is not possible.
    fn update_late(self, change: impl FnOnce(&mut LateSignOuts)) {
        let mut all = self.late();
        all.expire(clock::now());
        change(&mut all);
        self.notices.sign_out_unheard(!all.is_empty());
        let stored = tokens::write_late(&all);
        self.late_in_memory.set_value((!stored).then_some(all));
    }
}
