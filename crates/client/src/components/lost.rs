//! What stands where there is no page.

use leptos::prelude::*;

/// Says that there is no such page, and leads to one that there is.
#[component]
pub fn Lost() -> impl IntoView {
    view! {
        <p>"There is nothing at this address. It may have moved, or the link may be wrong."</p>
        <p>
            <a class="button" href="/">"Go to the start page"</a>
        </p>
    }
}
