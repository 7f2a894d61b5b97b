//! Data that a page needs before it can show anything.

use super::keep_fresh::keep_fresh;
use super::{Alert, Button};
use crate::clock;
use crate::policy::{RequestFailure, backoff_delay};
use crate::session::SessionOwner;
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::rc::Rc;
use std::time::Duration;

/// Requests the data.
type Fetch<T> = Rc<dyn Fn() -> LocalBoxFuture<'static, Result<T, RequestFailure>>>;

/// Data that was requested again.
struct NewestData<T> {
    data: T,
    /// The latest run when it was requested.
    run: u32,
}

/// Data from the API that is fetched until it has arrived.
#[derive(Debug)]
pub struct Loader<T: Send + Sync + 'static> {
    /// The data.
    pub value: RwSignal<Option<T>>,
    failure: RwSignal<Option<RequestFailure>>,
    /// The number of the latest run, which alone may change this or schedule another.
    latest_run: RwSignal<u32>,
    fetch: StoredValue<Fetch<T>, LocalStorage>,
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
        F: Fn() -> R + 'static,
        R: Future<Output = Result<T, RequestFailure>> + 'static,
    {
        let fetch: Fetch<T> = Rc::new(move || fetch().boxed_local());
        Self {
            value: RwSignal::new(None),
            failure: RwSignal::new(None),
            latest_run: RwSignal::new(0),
            fetch: StoredValue::new_local(fetch),
        }
    }

    /// Fetches now, and cancels a scheduled attempt.
    pub fn reload(self) {
        attempt(self, 1);
    }

    /// Fetches again when the page becomes visible or focused, and shows what `merge` makes of what is shown and the newest.
    #[must_use]
    pub fn keep_fresh(self, merge: impl Fn(Option<T>, T) -> T + Copy + 'static) -> Self {
        keep_fresh(move || self.newest(), move |newest| self.accept_newest(newest, merge));
        self
    }

    /// Requests the newest data.
    fn newest(self) -> impl Future<Output = Result<NewestData<T>, RequestFailure>> + 'static {
        let run = self.latest_run.get_untracked();
        let response = (self.fetch.get_value())();
        async move { Ok(NewestData { data: response.await?, run }) }
    }

    /// Data that was requested before another run is dropped: that run's is newer, and may be for another key.
    fn accept_newest(self, newest: NewestData<T>, merge: impl Fn(Option<T>, T) -> T) {
        if self.latest_run.try_get_untracked() == Some(newest.run) {
            self.value.update(|value| *value = Some(merge(value.take(), newest.data)));
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

    /// Applies the result of a run, unless a later one has begun, and returns when to try again.
    fn accept(self, run: u32, attempt_number: u32, result: Result<T, RequestFailure>) -> Option<Duration> {
        if self.latest_run.try_get_untracked() != Some(run) {
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
    F: Fn() -> R + 'static,
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
    F: Fn(K) -> R + 'static,
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

fn attempt<T: Send + Sync + 'static>(loader: Loader<T>, attempt_number: u32) {
    let run = loader.latest_run.try_update(|latest_run| {
        *latest_run = latest_run.wrapping_add(1);
        *latest_run
    });
    let (Some(run), Some(fetch)) = (run, loader.fetch.try_get_value()) else { return };
    spawn_local(async move {
        let result = fetch().await;
        if let Some(delay) = loader.accept(run, attempt_number, result) {
            let again = move || {
                if loader.latest_run.try_get_untracked() == Some(run) {
                    attempt(loader, attempt_number.saturating_add(1));
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

    /// What was requested, and where the response goes.
    type OpenRequest = (String, Sender<String>);

    /// A page whose data depends on a key, and the requests that have no response yet.
    struct Page {
        key: RwSignal<i32>,
        loader: Loader<String>,
        requests: Rc<RefCell<Vec<OpenRequest>>>,
    }

    impl Page {
        fn open() -> Self {
            let _ = Executor::init_custom_executor(PollAll); // fails where another test has done it
            let key = RwSignal::new(1);
            let requests = Rc::new(RefCell::new(Vec::new()));
            let asked = Rc::clone(&requests);
            let fetch = move || {
                let (sender, response) = channel();
                asked.borrow_mut().push((format!("of {}", key.get_untracked()), sender));
                async move { Ok(response.await.expect("a response")) }
            };
            let loader = restart_on(move || key.get(), Loader::of(fetch));
            loader.reload();
            Executor::poll_local();
            Self { key, loader, requests }
        }

        /// Responds to the oldest request, and returns what is shown then.
        fn respond(&self) -> Option<String> {
            let (data, sender) = self.requests.borrow_mut().remove(0);
            sender.send(data).expect("a request");
            Executor::poll_local();
            self.loader.value.get_untracked()
        }

        fn choose(&self, key: i32) -> Option<String> {
            self.key.set(key);
            Executor::poll_local();
            self.loader.value.get_untracked()
        }

        /// What [`Loader::keep_fresh`] does at a revalidation.
        fn revalidate(&self) {
            let loader = self.loader;
            let newest = loader.newest();
            let merge = |shown: Option<String>, newest| format!("{}, newest {newest}", shown.unwrap_or_default());
            spawn_local(async move {
                if let Ok(newest) = newest.await {
                    loader.accept_newest(newest, merge);
                }
            });
            Executor::poll_local();
        }
    }

    #[test]
    fn data_for_another_key_replaces_what_is_shown_and_what_is_under_way() {
        Owner::new().with(|| {
            let page = Page::open();
            assert_eq!(page.respond().as_deref(), Some("of 1"));
            assert_eq!(page.choose(1).as_deref(), Some("of 1"), "the same key again changes nothing");
            assert_eq!((page.choose(2), page.choose(3)), (None, None));
            assert_eq!(page.respond(), None, "a late response for the key before");
            assert_eq!(page.respond().as_deref(), Some("of 3"));
            assert!(page.requests.borrow().is_empty());
        });
    }

    #[test]
    fn the_newest_data_is_shown_unless_it_is_for_the_key_before() {
        Owner::new().with(|| {
            let page = Page::open();
            page.respond();
            page.revalidate();
            assert_eq!(page.respond().as_deref(), Some("of 1, newest of 1"));
            page.revalidate();
            assert_eq!(page.choose(2), None);
            assert_eq!(page.respond(), None, "a late response for the key before");
            assert_eq!(page.respond().as_deref(), Some("of 2"));
        });
    }
}
