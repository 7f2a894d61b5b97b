//! The content of "Page not found".

use leptos::prelude::*;

/// Says that there is no page at this address, and links to the start page.
#[component]
pub fn NotFound() -> impl IntoView {
    view! {
        <p>"There is nothing at this address. It may have moved, or the link may be wrong."</p>
        <p>
            <a class="button" href="/">"Go to the start page"</a>
        </p>
    }
}
