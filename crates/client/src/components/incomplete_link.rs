//! The messages about a mailed link without a complete token.

use crate::mailed_link::was_link_taken;
use leptos::prelude::*;

/// Says that the address has no token: the link was cut, or the page was reloaded.
#[component]
pub fn IncompleteLink() -> impl IntoView {
    let text = if was_link_taken() {
        "This page was opened again without its link. If you have not finished, open the link in the mail again."
    } else {
        "This link is not complete. Open it in the mail again, or copy all of it."
    };
    view! { <p class="failure" role="alert" prop:textContent=text></p> }
}

/// Warns that the token is incomplete, before the user types a password for it. The form works all the same, because the
/// server decides how long tokens are.
#[component]
pub fn CutLink(
    /// Whether the token is incomplete.
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
