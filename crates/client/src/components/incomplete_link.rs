//! What a page says that a mailed link should have opened.

use leptos::prelude::*;

/// Says that the address holds no token: it was cut, or the page was loaded again.
#[component]
pub fn IncompleteLink() -> impl IntoView {
    view! { <p class="failure" role="alert">"This link is not complete. Open it in the mail once more."</p> }
}
