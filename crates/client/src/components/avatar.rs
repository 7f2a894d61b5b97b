//! The user's picture.

use crate::http::API_BASE;
use crate::policy::initials;
use crate::session::SessionOwner;
use leptos::prelude::*;

/// The user's picture, or their initials. The name is shown next to it, so screen readers skip it.
#[component]
pub fn Avatar() -> impl IntoView {
    let session = expect_context::<SessionOwner>();
    let url = Memo::new(move |_| session.user().and_then(|user| user.avatar_url));
    let letters = move || session.user().map(|user| initials(&user.display_name, &user.email)).unwrap_or_default();
    move || match url.get() {
        // The `alt` is empty, so that nothing is shown while the picture is unavailable.
        Some(url) => view! { <img class="avatar" src=format!("{API_BASE}{url}") alt="" /> }.into_any(),
        None => view! { <span class="avatar" aria-hidden="true" prop:textContent=letters></span> }.into_any(),
    }
}
