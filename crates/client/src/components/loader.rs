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
    fn of<F, R>(fetch: F) -> Self
    where
        F: Fn() -> R + Clone + 'static,
        R: Future<Output = Result<T, RequestFailure>> + 'static,
    {
        let loader = Self {
            value: RwSignal::new(None),
            failure: RwSignal::new(None),
            attempts: RwSignal::new(0),
            ask: StoredValue::new_local(Rc::new(|| ())),
        };
        loader.ask.set_value(Rc::new(move || attempt(loader, fetch.clone(), 1)));
        loader
    }

    /// Fetches now, and cancels a scheduled attempt.
    pub fn reload(self) {
        if let Some(ask) = self.ask.try_get_value() {
            ask();
        }
    }

    /// Forgets what has arrived or failed, and fetches now. What is still under way is dropped.
    fn restart(self) {
        self.value.set(None);
        self.failure.set(None);
        self.reload();
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
    let loader = Loader::of(fetch);
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

/// [`load`] of data that depends on `key`, such as a filter or a part of the page's path: while the data for another key loads, there
/// is none.
pub fn load_by<K, T, F, R>(key: impl Fn() -> K + Copy + 'static, fetch: F) -> Loader<T>
where
    K: PartialEq + 'static,
    T: Send + Sync + 'static,
    F: Fn(K) -> R + Clone + 'static,
    R: Future<Output = Result<T, RequestFailure>> + 'static,
{
    restart_on(key, load(move || fetch(untrack(key))))
}

fn restart_on<K: PartialEq + 'static, T: Send + Sync + 'static>(
    key: impl Fn() -> K + Copy + 'static,
    loader: Loader<T>,
) -> Loader<T> {
    let first = untrack(key);
    Effect::new(move |before: Option<K>| {
        let key = key();
        if before.as_ref().unwrap_or(&first) != &key {
            loader.restart();
        }
        key
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

#[cfg(test)]
mod tests {
    use super::*;
    use any_spawner::{CustomExecutor, Executor, PinnedFuture, PinnedLocalFuture};
    use futures::channel::oneshot::{Sender, channel};
    use std::cell::RefCell;
    use std::task::{Context, Waker};

    thread_local! {
        static TASKS: RefCell<Vec<PinnedLocalFuture<()>>> = const { RefCell::new(Vec::new()) };
    }

    /// Polls every task of the thread, until none of them starts another.
    struct PollAll;

    impl CustomExecutor for PollAll {
        fn spawn(&self, task: PinnedFuture<()>) {
            self.spawn_local(task);
        }

        fn spawn_local(&self, task: PinnedLocalFuture<()>) {
            TASKS.with_borrow_mut(|tasks| tasks.push(task));
        }

        fn poll_local(&self) {
            let mut waiting = Vec::new();
            loop {
                let started = TASKS.take();
                if started.is_empty() {
                    return TASKS.set(waiting);
                }
                waiting.extend(started);
                waiting.retain_mut(|task| task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            }
        }
    }

    #[test]
    fn data_for_another_key_replaces_what_is_shown_and_what_is_under_way() {
        Executor::init_custom_executor(PollAll).expect("no other test needs one");
        Owner::new().with(|| {
            let key = RwSignal::new(1);
            let requests = Rc::new(RefCell::new(Vec::<(i32, Sender<i32>)>::new()));
            let asked = Rc::clone(&requests);
            let fetch = move || {
                let (sender, response) = channel();
                asked.borrow_mut().push((key.get_untracked(), sender));
                async move { Ok(response.await.expect("a response")) }
            };
            let loader = restart_on(move || key.get(), Loader::of(fetch));
            loader.reload();
            Executor::poll_local();
            let respond = || {
                let (key, sender) = requests.borrow_mut().remove(0);
                sender.send(key).expect("a request");
                Executor::poll_local();
                loader.value.get_untracked()
            };
            let choose = |another: i32| {
                key.set(another);
                Executor::poll_local();
                loader.value.get_untracked()
            };
            assert_eq!(respond(), Some(1));
            assert_eq!(choose(1), Some(1), "the same key again changes nothing");
            assert_eq!((choose(2), choose(3)), (None, None));
            assert_eq!(respond(), None, "a late response for the key before");
            assert_eq!(respond(), Some(3));
            assert!(requests.borrow().is_empty());
        });
    }
}
