//! What a page says that a mailed link should have opened.

use crate::mailed_link::was_link_taken;
use leptos::prelude::*;

/// Says that the address holds no token: it was cut, or the page was loaded again.
#[component]
pub fn IncompleteLink() -> impl IntoView {
    let words = if was_link_taken() {
        "This link was opened here before, and it works once. If you have not finished, open it in the mail again."
    } else {
        "This link is not complete. Open it in the mail again, or copy all of it."
    };
    view! { <p class="failure" role="alert" prop:textContent=words></p> }
}

/// Says that only a part of the token has arrived, before anybody types a password for it. It can be tried all the same: how
/// long tokens are, the server decides.
#[component]
pub fn CutLink(
    /// Whether that is so.
    is_cut: bool,
) -> impl IntoView {
    is_cut.then(|| {
        view! {
            <p class="remark">
                "A part of this link seems to be missing. If it does not work, open it in the mail again, or copy all of it."
            </p>
        }
    })
}
