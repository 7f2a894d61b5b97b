//! The page for every other address.

use crate::components::{Entrance, Lost};
use leptos::prelude::*;

/// "Page not found", for addresses that are not in the table of pages.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    view! {
        <Entrance title="Page not found">
            <Lost />
        </Entrance>
    }
}
