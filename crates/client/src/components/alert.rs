//! What went wrong.

use leptos::prelude::*;

/// What went wrong, read out at once by screen readers; nothing while nothing did.
#[component]
pub fn Alert(
    /// What to say.
    #[prop(into)]
    text: Signal<Option<String>>,
) -> impl IntoView {
    move || text.get().map(|text| view! { <p class="failure" role="alert" prop:textContent=text></p> })
}
