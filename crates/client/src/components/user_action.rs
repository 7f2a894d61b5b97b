//! An action that the user starts.

use crate::policy::RequestFailure;
use futures::future::{FutureExt, LocalBoxFuture};
use leptos::prelude::*;
use leptos::task::spawn_local;

/// The action of a button or a form: one at a time, with the error of the last one.
#[derive(Debug, Clone, Copy)]
pub struct UserAction {
    is_pending: RwSignal<bool>,
    failure: RwSignal<Option<String>>,
}

impl UserAction {
    /// No action yet.
    pub fn new() -> Self {
        Self::reporting_to(RwSignal::new(None))
    }

    /// No action yet. Several buttons report their errors in one place.
    pub fn reporting_to(failure: RwSignal<Option<String>>) -> Self {
        Self { is_pending: RwSignal::new(false), failure }
    }

    /// Whether an action is running. Its button shows that, and cannot be pressed.
    pub fn is_pending(self) -> bool {
        self.is_pending.get_untracked()
    }

    /// Whether an action is running, as a signal.
    pub fn signal(self) -> Signal<bool> {
        self.is_pending.into()
    }

    /// The error message of the last action.
    pub fn failure(self) -> Signal<Option<String>> {
        self.failure.into()
    }

    /// Runs `work`, unless an action is running already.
    pub fn start(self, work: impl Future<Output = Result<(), RequestFailure>> + 'static) {
        self.start_explained(work, |failure| failure.message());
    }

    /// Runs `work`, unless an action is running already. `explain` makes the message for a failure.
    pub fn start_explained<E: 'static>(
        self,
        work: impl Future<Output = Result<(), E>> + 'static,
        explain: impl FnOnce(E) -> String + 'static,
    ) {
        let explained = |failure| Box::new(move || explain(failure)) as Box<dyn FnOnce() -> String>;
        self.run(work.map(|result| result.map_err(explained)).boxed_local());
    }

    /// Not generic, so that the program contains it once and not for every action. An error is a function that explains it.
    fn run(self, work: LocalBoxFuture<'static, Result<(), Box<dyn FnOnce() -> String>>>) {
        if self.is_pending() {
            return;
        }
        self.is_pending.set(true);
        self.show_failure(None);
        spawn_local(async move {
            let result = work.await;
            // The page may have been removed by now, and the button with it: then leptos returns the value.
            let page_exists = self.is_pending.try_set(false).is_none();
            if page_exists && let Err(explain) = result {
                self.show_failure(Some(explain()));
            }
        });
    }

    /// Shows an error message, or removes it.
    pub fn show_failure(self, failure: Option<String>) {
        // A shared message may be removed before the button is.
        self.failure.try_set(failure);
    }
}

impl Default for UserAction {
    fn default() -> Self {
        Self::new()
    }
}
