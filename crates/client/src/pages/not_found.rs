//! The page for every other address.

use crate::components::{NotFound, VisitorFrame};
use leptos::prelude::*;

/// "Page not found", for addresses that are not in the table of pages.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    view! {
        <VisitorFrame title="Page not found">
            <NotFound />
        </VisitorFrame>
    }
}
