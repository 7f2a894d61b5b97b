//! The one place where notices are shown.

use crate::notices::Notices;
use leptos::prelude::*;

/// What people should know about the connection, read out by screen readers when it changes.
#[component]
pub fn StatusRegion() -> impl IntoView {
    let notices = expect_context::<Notices>();
    let text = Memo::new(move |_| notices.text());
    view! {
        <div class="status" role="status">
            {move || text.get().map(|text| view! { <p class="notice">{text}</p> })}
        </div>
    }
}
