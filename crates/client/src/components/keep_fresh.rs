//! Updates what a page shows when the page becomes visible or focused again.

use crate::policy::RequestFailure;
use crate::session::SessionOwner;
use leptos::prelude::*;
use leptos::task::spawn_local;

/// Calls `fetch` at each revalidation, and passes its result to `take`. After a failure the page keeps what it shows. A result
/// that may be older than an action of the user is dropped, and fetched again. Pages use [`Loader::keep_fresh`](super::Loader::keep_fresh).
pub(super) fn keep_fresh<T, F, R>(fetch: F, take: impl Fn(T) + Copy + 'static)
where
    T: 'static,
    F: Fn() -> R + Copy + 'static,
    R: Future<Output = Result<T, RequestFailure>> + 'static,
{
    let session = expect_context::<SessionOwner>();
    let ask = move || {
        let actions = session.action_count();
        let response = fetch();
        async move {
            match response.await {
                Ok(fresh) if session.action_count() == actions => super::keep_focus(|| take(fresh)),
                Ok(_) => session.revalidate(),
                Err(failure) => session.revalidation_failed(&failure),
            }
        }
    };
    Effect::new(move |before: Option<u32>| {
        let count = session.revalidations();
        if before.is_some_and(|before| before != count) {
            spawn_local(untrack(ask));
        }
        count
    });
}
