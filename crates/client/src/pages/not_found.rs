//! Anything else.

use crate::components::Entrance;
use leptos::prelude::*;

/// Says that there is no such page, and leads to one that there is.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    view! {
        <Entrance title="Page not found">
            <p>"There is nothing at this address. It may have moved, or the link may be wrong."</p>
            <p>
                <a class="button" href="/">"Go to the start page"</a>
            </p>
        </Entrance>
    }
}
