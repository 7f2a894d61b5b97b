//! Error messages.

use leptos::prelude::*;

/// An error message, read out at once by screen readers; nothing while there is none.
#[component]
pub fn Alert(
    /// The message.
    #[prop(into)]
    text: Signal<Option<String>>,
) -> impl IntoView {
    move || text.get().map(|text| view! { <p class="failure" role="alert" prop:textContent=text></p> })
}
