//! What a page shows of the server's state, when somebody looks at the page again.

use crate::policy::RequestFailure;
use crate::session::Session;
use leptos::prelude::*;
use leptos::task::spawn_local;

/// Asks with `fetch` whenever somebody looks at the page again, and hands what comes to `take`. When that fails, what is shown
/// stays. An answer that may be older than what the person did meanwhile is dropped.
pub fn keep_fresh<T, F, R>(fetch: F, take: impl Fn(T) + Copy + 'static)
where
    T: 'static,
    F: Fn() -> R + Copy + 'static,
    R: Future<Output = Result<T, RequestFailure>> + 'static,
{
    let session = expect_context::<Session>();
    let ask = move || async move {
        let actions = session.actions();
        match fetch().await {
            Ok(fresh) if session.actions() == actions => super::keep_focus(|| take(fresh)),
            Ok(_) => session.revalidate(),
            Err(failure) => session.revalidation_failed(&failure),
        }
    };
    Effect::new(move |before: Option<u32>| {
        let count = session.revalidations();
        if before.is_some_and(|before| before != count) {
            spawn_local(ask());
        }
        count
    });
}
