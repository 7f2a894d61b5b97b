//! Something that a person starts and waits for.

use crate::policy::RequestFailure;
use leptos::prelude::*;
use leptos::task::spawn_local;

/// What a button or a form has under way: one thing at a time, and what went wrong with the last.
#[derive(Debug, Clone, Copy)]
pub struct Pending {
    is_pending: RwSignal<bool>,
    failure: RwSignal<Option<String>>,
}

impl Pending {
    /// Nothing so far.
    pub fn new() -> Self {
        Self::telling(RwSignal::new(None))
    }

    /// The same where several tell their failures in one place.
    pub fn telling(failure: RwSignal<Option<String>>) -> Self {
        Self { is_pending: RwSignal::new(false), failure }
    }

    /// Whether something is under way: then its button says so, and cannot be pressed.
    pub fn is_pending(self) -> bool {
        self.is_pending.get_untracked()
    }

    /// The same for a button to follow.
    pub fn signal(self) -> Signal<bool> {
        self.is_pending.into()
    }

    /// What went wrong, for people.
    pub fn failure(self) -> Signal<Option<String>> {
        self.failure.into()
    }

    /// Does `work`, unless something is under way already.
    pub fn start(self, work: impl Future<Output = Result<(), RequestFailure>> + 'static) {
        self.start_explained(work, |failure| failure.message());
    }

    /// The same where `explain` says what to tell people of a failure.
    pub fn start_explained<E: 'static>(
        self,
        work: impl Future<Output = Result<(), E>> + 'static,
        explain: impl FnOnce(E) -> String + 'static,
    ) {
        if self.is_pending() {
            return;
        }
        self.is_pending.set(true);
        self.fail(None);
        spawn_local(async move {
            let result = work.await;
            // The page may be gone by now, and the button with it.
            if self.is_pending.try_set(false).is_none()
                && let Err(failure) = result
            {
                self.fail(Some(explain(failure)));
            }
        });
    }

    /// Says what is wrong, or that nothing is.
    pub fn fail(self, failure: Option<String>) {
        // What is shown together may be gone before the button is.
        self.failure.try_set(failure);
    }
}

impl Default for Pending {
    fn default() -> Self {
        Self::new()
    }
}
