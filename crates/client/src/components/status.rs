//! The region that shows notices.

use crate::notices::{Notice, Notices};
use leptos::prelude::*;

/// The current notice, read out by screen readers when it changes.
#[component]
pub fn StatusRegion() -> impl IntoView {
    let notices = expect_context::<Notices>();
    let current = Memo::new(move |_| notices.current());
    let shown = move || {
        current.get().map(|notice| match notice {
            Notice::Good(text) => ("notice notice-good", text.into_owned()),
            Notice::Warning(text) => ("notice", text),
        })
    };
    view! {
        <div class="status" role="status">
            {move || shown().map(|(class, text)| view! { <p class=class prop:textContent=text></p> })}
        </div>
    }
}
