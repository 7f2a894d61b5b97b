//! Data that a page needs before it can show anything.

use super::{Alert, Button};
use crate::clock;
use crate::policy::{RequestFailure, backoff_delay};
use crate::session::SessionOwner;
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::rc::Rc;
use std::time::Duration;

/// Data from the API that is fetched until it has arrived.
#[derive(Debug)]
pub struct Loader<T: Send + Sync + 'static> {
    /// The data.
    pub value: RwSignal<Option<T>>,
    failure: RwSignal<Option<RequestFailure>>,
    /// Counts the attempts, so that only the last one schedules another.
    attempts: RwSignal<u32>,
    ask: StoredValue<Rc<dyn Fn()>, LocalStorage>,
}

impl<T: Send + Sync + 'static> Clone for Loader<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Loader<T> {}

impl<T: Send + Sync + 'static> Loader<T> {
    /// Fetches now, and cancels a scheduled attempt.
    pub fn reload(self) {
        if let Some(ask) = self.ask.try_get_value() {
            ask();
        }
    }

    /// Why it has not arrived.
    pub fn failure(self) -> Option<RequestFailure> {
        self.failure.get()
    }

    fn take(self, number: u32, attempt_number: u32, result: Result<T, RequestFailure>) -> Option<Duration> {
        if self.attempts.try_get_untracked() != Some(number) {
            return None;
        }
        match result {
            Ok(value) => {
                self.failure.set(None);
                self.value.set(Some(value));
                None
            }
            Err(failure) => {
                let again = delay(&failure, attempt_number);
                self.failure.set(Some(failure));
                again
            }
        }
    }
}

/// Calls `fetch` until it succeeds or is refused, with growing waits, and at once when the network is back.
pub fn load<T, F, R>(fetch: F) -> Loader<T>
where
    T: Send + Sync + 'static,
    F: Fn() -> R + Clone + 'static,
    R: Future<Output = Result<T, RequestFailure>> + 'static,
{
    let loader = Loader {
        value: RwSignal::new(None),
        failure: RwSignal::new(None),
        attempts: RwSignal::new(0),
        ask: StoredValue::new_local(Rc::new(|| ())),
    };
    loader.ask.set_value(Rc::new(move || attempt(loader, fetch.clone(), 1)));
    loader.reload();
    let session = expect_context::<SessionOwner>();
    Effect::new(move |before: Option<u32>| {
        let retry_triggers = session.retry_triggers();
        let waits = loader.failure.with_untracked(|failure| failure.as_ref().is_some_and(RequestFailure::is_transient));
        if before.is_some_and(|before| before != retry_triggers) && waits {
            loader.reload();
        }
        retry_triggers
    });
    loader
}

fn attempt<T, F, R>(loader: Loader<T>, fetch: F, attempt_number: u32)
where
    T: Send + Sync + 'static,
    F: Fn() -> R + Clone + 'static,
    R: Future<Output = Result<T, RequestFailure>> + 'static,
{
    let Some(number) = loader.attempts.try_update(|attempts| {
        *attempts = attempts.wrapping_add(1);
        *attempts
    }) else {
        return;
    };
    spawn_local(async move {
        let result = fetch().await;
        if let Some(delay) = loader.take(number, attempt_number, result) {
            let again = move || {
                if loader.attempts.try_get_untracked() == Some(number) {
                    attempt(loader, fetch, attempt_number.saturating_add(1));
                }
            };
            set_timeout(again, delay);
        }
    });
}

fn delay(failure: &RequestFailure, attempt_number: u32) -> Option<Duration> {
    match failure {
        RequestFailure::Transient { after, .. } => Some(backoff_delay(attempt_number, *after, clock::jitter())),
        RequestFailure::SignedOut
        | RequestFailure::Refused(_)
        | RequestFailure::ForeignTokens
        | RequestFailure::Unsendable(_) => None,
    }
}

/// What to show until the data has arrived.
#[component]
pub fn Waiting<T: Send + Sync + 'static>(
    /// The data to wait for.
    loader: Loader<T>,
) -> impl IntoView {
    let again = Callback::new(move |()| loader.reload());
    move || match loader.failure() {
        None | Some(RequestFailure::SignedOut) => view! { <p class="loading">"Loading…"</p> }.into_any(),
        Some(failure) => {
            // The status region names a transient error; this only says that attempts continue.
            let text = if failure.is_transient() {
                view! { <p class="loading">"This takes longer than usual. We keep trying."</p> }.into_any()
            } else {
                view! { <Alert text=Some(failure.message()) /> }.into_any()
            };
            view! {
                <div class="stack">
                    {text} <Button label="Try again" pending=false class="button button-quiet" on_press=again />
                </div>
            }
            .into_any()
        }
    }
}
